"""What a user has: which form a file of questions is in, what its columns are called, and which databases it asks."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqladder.data.database_folders import find_databases
from sqladder.data.formats import FORMATS, REQUIRED, Incomplete, likely_column, read_questions
from sqladder.databases.engine import SQLITE, kind_of, name_of
from sqladder.databases.schema import ddl, read_schema
from sqladder.databases.urls import check_url, is_url
from sqladder.errors import InputError
from sqladder.files import Row
from sqladder.metric.showing import brief
from sqladder.texts.words import folded

ENDS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
# Fewer make no three parts that say anything.
FEWEST = 10


@dataclass(frozen=True)
class FoundDatabases:
    """Databases that a user named.

    Attributes:
        source: as named: a path or a URL.
        kind: of the engine, in a word.
        names: db_ids.
        has_suites: whether further files lie beside one of them.
        schema_length: characters of the longest schema; None where it is not read without a server or another package.
    """

    source: str
    kind: str
    names: tuple[str, ...]
    has_suites: bool
    schema_length: int | None


@dataclass(frozen=True)
class FoundQuestions:
    """Questions that a user named.

    Attributes:
        path: the file or folder.
        form: a name of a format.
        columns: field -> column, where it differs from the format's.
        count: questions that can be used.
        different: of these, how many are worded differently.
        incomplete: rows without question, SQL or database.
        by_database: questions of each database.
    """

    path: Path
    form: str
    columns: Mapping[str, str]
    count: int
    different: int
    incomplete: int
    by_database: Mapping[str, int]


def look_at_databases(source: str) -> FoundDatabases:
    """Look at a file, a folder or the URL of a database.

    Raises:
        InputError: there is nothing, or no database, or a URL with a password, which a config would show.
    """
    path = Path(source)
    if is_url(source):
        check_url(source)
    elif path.is_dir():
        found = find_databases(path)
        longest = max(len(ddl(read_schema(files[0]))) for files in found.values())
        has_suites = any(len(files) > 1 for files in found.values())
        return FoundDatabases(source, SQLITE, tuple(found), has_suites, longest)
    kind = kind_of(source)
    length = len(ddl(read_schema(path))) if kind == SQLITE else None
    return FoundDatabases(source, kind, (name_of(source),), False, length)


def look_at_questions(path: Path, databases: FoundDatabases) -> FoundQuestions:
    """Look at a file of questions, each row of it.

    Raises:
        InputError: the file is not there, a column cannot be told, or a question is about a database that is not there.
    """
    if not path.exists():
        raise InputError(f"there is no file of questions {path}")
    form = form_of(path)
    first = next(iter(islice(FORMATS[form].read(path), 1)), None)
    if first is None:
        raise InputError(f"{path} holds no question")
    several = len(databases.names) > 1
    columns = named_columns(path, form, first, several)
    only = None if several else databases.names[0]
    left_out = Incomplete()
    by_database: Counter[str] = Counter()
    wordings = set()
    for row in read_questions(path, form, columns, only, left_out):
        by_database[row["db_id"]] += 1
        wordings.add((row["db_id"], folded(row["question"])))
    if strangers := sorted(by_database.keys() - set(databases.names)):
        raise InputError(
            f"{path}: {by_database[strangers[0]]} questions are about {brief(strangers[0])}, which is no database in "
            f"{databases.source}; there are {', '.join(map(brief, databases.names[:9]))}"
        )
    if len(wordings) < FEWEST:
        raise InputError(
            f"{path} has {len(wordings)} different questions: too few to part them for training, validation and "
            f"test; collect {FEWEST} at least, better a hundred"
        )
    count = sum(by_database.values())
    return FoundQuestions(
        path, form, columns, count, len(wordings), left_out.count, dict(by_database)
    )


def form_of(path: Path) -> str:
    """The format of a file, by its end, and of a JSON list by what its rows are called.

    Raises:
        InputError: it cannot be told.
    """
    if path.is_dir():
        return "parquet"
    end = path.suffix.lower()
    if end in ENDS:
        return ENDS[end]
    if end != ".json":
        raise InputError(
            f"the form of {path} cannot be told by its name: call it .csv, .jsonl, .parquet, or .json for a JSON list"
        )
    try:
        row = next(iter(FORMATS["spider"].read(path)), {})
    except InputError:
        # Lines of JSON may go under the name of a list.
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            first = next((line for line in file if line.strip()), "")
        if first.lstrip().startswith("["):
            raise
        _check_line(path, first)
        return "jsonl"
    return "bird" if "SQL" in row and "query" not in row else "spider"


def _check_line(path: Path, line: str) -> None:
    try:
        json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is neither a JSON list nor JSON Lines: {error}") from error


def named_columns(path: Path, form: str, row: Row, several: bool) -> dict[str, str]:
    """Field -> column, where a file calls it otherwise than its format.

    Args:
        path: of the file, for the error.
        form: a name of a format.
        row: its first row.
        several: whether there are several databases, so that each question has to name its own.

    Raises:
        InputError: a column that is needed cannot be told.
    """
    known = dict(FORMATS[form].columns)
    columns: dict[str, str] = {}
    for name in [*REQUIRED, *(["db_id"] if several else [])]:
        if known.get(name, name) in row:
            continue
        others = {key: own for key, own in {**known, **columns}.items() if own in row}
        found = likely_column(name, row, others)
        if found is None:
            raise InputError(
                f"{path} has no column that is likely to hold the {name}; it has {', '.join(map(brief, row))}: "
                f"call one {name}"
            )
        columns[name] = found
    return columns
