"""Questions in the forms that people keep them in: JSON Lines, CSV, Parquet, and the JSON of Spider and BIRD.

Every form gives the same examples: id, db_id, question, sql, and where there are any, evidence, schema and group. Rows
are read one after the other, so that a large training set never lies in memory whole.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqladder.data.csv_files import csv_rows
from sqladder.data.packed_files import refuse_packed
from sqladder.errors import InputError
from sqladder.files import Row, parse_json, reading
from sqladder.metric.allowances import FIELDS as RIGHT_TOO
from sqladder.metric.allowances import allowances_of, alternatives_of, part_golds
from sqladder.metric.showing import brief

REQUIRED = ("question", "sql")
OPTIONAL = ("id", "db_id", "evidence", "schema", "group", "difficulty", *RIGHT_TOO)
FIELDS = (*REQUIRED, *OPTIONAL)


def _json_lines(path: Path) -> Iterator[Row]:
    refuse_packed(path)
    with reading(path), path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                row = parse_json(line, f"{path} line {number}", of_people=True)
                yield _as_row(row, path, f"line {number}")


def _json_list(path: Path) -> Iterator[Row]:
    refuse_packed(path)
    with reading(path):
        text = path.read_text(encoding="utf-8-sig")
    rows = parse_json(text, str(path), of_people=True)
    if not isinstance(rows, list):
        raise InputError(f"{path} is not a JSON list but {type(rows).__name__}")
    return (_as_row(row, path, f"row {number}") for number, row in enumerate(rows, start=1))


def _as_row(row: Any, path: Path, where: str) -> Row:
    if not isinstance(row, dict):
        raise InputError(f"{path} {where} is not a JSON object but {type(row).__name__}")
    return row


def _parquet_rows(path: Path) -> Iterator[Row]:
    import pyarrow
    import pyarrow.parquet

    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path} holds no *.parquet file")
    for file in files:
        try:
            for batch in pyarrow.parquet.ParquetFile(file).iter_batches(batch_size=4096):
                yield from batch.to_pylist()
        except (pyarrow.ArrowException, OSError) as error:
            raise InputError(f"{file} is not a readable Parquet file: {error}") from error


@dataclass(frozen=True)
class Format:
    """How a file is read, and which of its columns holds which field unless the config says otherwise."""

    read: Callable[[Path], Iterable[Row]]
    columns: Mapping[str, str] = field(default_factory=lambda: {name: name for name in FIELDS})


FORMATS = {
    "jsonl": Format(_json_lines),
    "csv": Format(csv_rows),
    "parquet": Format(_parquet_rows),
    "spider": Format(_json_list, {"db_id": "db_id", "question": "question", "sql": "query"}),
    "bird": Format(
        _json_list,
        {
            "id": "question_id",
            "db_id": "db_id",
            "question": "question",
            "sql": "SQL",
            "evidence": "evidence",
            "difficulty": "difficulty",
        },
    ),
}


# What others call a field, tried in this order when the file's columns have other names.
_USUAL_NAMES = {
    "question": ("nl", "utterance", "text", "prompt", "input", "instruction"),
    "sql": ("query", "answer", "gold", "output", "completion", "response"),
    "schema": ("context", "ddl"),
    "db_id": ("db", "database", "db_name", "database_id"),
}
# The ways out where ids are not unique.
_NAMED_IDS = "or name the column that has them: columns: {id: <column>}"
_OTHER_IDS = {
    "bird": "or number them by their places: format: spider with columns: {sql: SQL, evidence: evidence}",
}


@dataclass
class Incomplete:
    """Rows that were left out because a text is missing; the first one as an example."""

    count: int = 0
    first: str = ""

    def add(self, problem: str) -> None:
        """Count one row."""
        self.first = self.first or problem
        self.count += 1


def read_questions(
    path: Path,
    form: str,
    columns: Mapping[str, str] | None = None,
    only_database: str | None = None,
    incomplete: Incomplete | None = None,
) -> Iterator[Row]:
    """Read a file of questions as examples, one after the other.

    Args:
        path: the file; for Parquet also a folder of files, read in the order of their names.
        form: a key of `FORMATS`.
        columns: field -> name of its column, where it differs from the format's own.
        only_database: the database of every question that names none.
        incomplete: counts rows that lack a text and are left out; without it such a row is an error.

    Yields:
        Examples: id (the row's own, or its place in the file), db_id, question, sql, and evidence, schema, group,
        difficulty, alternatives (further gold queries) and what is forgiven, where the row has them. A row with a
        schema and no db_id gets a db_id made of the schema, so that equal schemas share it.

    Raises:
        InputError: a column is missing, a text is missing or empty, no row names a database, an id occurs twice, or no
            row at all can be used.
    """
    known = FORMATS[form]
    named = {**known.columns, **(columns or {})}
    required = [*REQUIRED, *(columns or {})]
    left_out = Incomplete() if incomplete is None else incomplete
    ids = _Ids(path, form)

    def own_id(row: Row) -> Any:
        return row.get(named["id"]) if "id" in named else None

    number = 0
    for number, row in enumerate(known.read(path), start=1):
        missing = [field for field in required if named[field] not in row]
        if missing and (incomplete is None or set(missing) & set(columns or {})):
            raise InputError(_no_column(path, number, row, named, missing))
        example, problem = _example(row, named, number, only_database)
        if not problem:
            yield {"id": ids.of(own_id(row), number), **example}
        elif incomplete is None:
            raise InputError(f"{path} row {number} (id {brief(own_id(row))}): {problem}")
        else:
            left_out.add(f"row {number}: {problem}")
    if number == left_out.count:
        reason = f"; each of its {number} rows lacks a text, {left_out.first}" if number else ""
        raise InputError(f"{path} holds no question{reason}")


def _no_column(
    path: Path, number: int, row: Row, columns: Mapping[str, str], missing: list[str]
) -> str:
    """What to say of a row that lacks columns: those that it has, and the entry that would name them."""
    entries = ", ".join(f"{name}: {_likely(name, row, columns)}" for name in dict.fromkeys(missing))
    return (
        f"{path} row {number} has no column {columns[missing[0]]!r}; it has {', '.join(map(brief, row))}; "
        f"name those that hold it: columns: {{{entries}}}"
    )


def _likely(name: str, row: Row, columns: Mapping[str, str]) -> str:
    """The column that a field is likely to stand in, or a text that says what to fill in."""
    found = likely_column(name, row, columns)
    return f"<column of the {name}>" if found is None else _in_yaml(found)


def likely_column(name: str, row: Row, columns: Mapping[str, str]) -> str | None:
    """The column that a field is likely to stand in, None where none has such a name.

    Args:
        name: the field.
        row: the first row of the file.
        columns: field -> the column that it is looked for in; theirs are taken.
    """
    wanted = [name, columns.get(name, name).casefold(), *_USUAL_NAMES.get(name, ())]
    found = {str(column).casefold(): str(column) for column in reversed(row)}
    taken = set(columns.values())
    return next(
        (found[word] for word in wanted if word in found and found[word] not in taken), None
    )


def _in_yaml(name: str) -> str:
    return name if re.fullmatch(r"[^\W\d]\w*", name) else "'" + name.replace("'", "''") + "'"


class _Ids:
    """Ids of questions: their own, or their places in a file whose first question has none."""

    def __init__(self, path: Path, form: str) -> None:
        self._path, self._form = path, form
        self._rows: dict[str, int] = {}
        self._own = False

    def of(self, value: Any, number: int) -> str:
        """The id of a row.

        Raises:
            InputError: an earlier row has it.
        """
        own = _name(value)
        self._own = self._own or (not self._rows and bool(own.strip()))
        key = own if own.strip() else f"row {number}" if self._own else str(number)
        first = self._rows.setdefault(key, number)
        if first != number:
            raise InputError(
                f"{self._path}: id {brief(key)} occurs twice, in rows {first} and {number}; give each "
                f"question an id of its own, {_OTHER_IDS.get(self._form, _NAMED_IDS)}"
            )
        return key


def _example(
    row: Row, columns: Mapping[str, str], number: int, only_database: str | None
) -> tuple[Row, str]:
    """The row's example and, where it cannot be used, the reason."""
    example: Row = {name: row.get(column) for name, column in columns.items() if name != "id"}
    part_golds(example)
    for name in REQUIRED:
        value = example[name]
        if not isinstance(value, str) or not value.strip():
            return (
                example,
                f"{columns[name]!r} is {brief(value)}, but must be a text that is not empty",
            )
    for name in ("evidence", "schema", "difficulty"):
        value = example.get(name)
        if not isinstance(value, str) or not value.strip():
            example.pop(name, None)
    group = _name(example.pop("group", None))
    if group:
        example["group"] = group
    try:
        _read_what_is_right_too(example)
    except InputError as error:
        return example, str(error)
    db_id = _name(example.get("db_id")) or only_database
    if not db_id and "schema" in example:
        db_id = "schema_" + hashlib.sha256(example["schema"].encode()).hexdigest()[:12]
    if not db_id:
        return example, "it names no database, and the data set has more than one"
    others = {name: example[name] for name in FIELDS if name in example and name != "db_id"}
    return {"db_id": db_id, **others}, ""


def _name(value: Any) -> str:
    """What a row calls something, as text; "" where it says nothing.

    BIRD numbers its questions, and tables of programs make a column of whole numbers one of floats where some are
    missing: 7.0 is 7, and no number nothing.
    """
    if value is None or value != value:
        return ""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _read_what_is_right_too(example: Row) -> None:
    """Further gold queries and what is forgiven, from texts of a table or values of JSON; none that say nothing."""
    where = "what is right"
    further, forgiven = alternatives_of(where, example), forgiven_fields(where, example)
    for name in RIGHT_TOO:
        example.pop(name, None)
    if further:
        example["alternatives"] = list(further)
    example |= forgiven


def forgiven_fields(where: str, row: Mapping[str, Any]) -> Row:
    """The fields of an example that say what it forgives, from those of a row.

    Raises:
        InputError: a value that cannot be; `where` says where it stands.
    """
    allowances = allowances_of(where, row)
    given = {name: value for name, value in vars(allowances).items() if value} if allowances else {}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in given.items()
    }
