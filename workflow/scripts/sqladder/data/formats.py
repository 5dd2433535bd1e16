"""Questions in the forms that people keep them in: JSON Lines, CSV, Parquet, and the JSON of Spider and BIRD.

Every form gives the same examples: id, db_id, question, sql, and where there are any, evidence and schema. Rows are
read one after the other, so that a large training set never lies in memory whole.
"""

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqladder.errors import InputError
from sqladder.files import Row, parse_json, reading

REQUIRED = ("question", "sql")
OPTIONAL = ("id", "db_id", "evidence", "schema")
FIELDS = (*REQUIRED, *OPTIONAL)

# BIRD's longest gold and schemas of hundreds of columns are beyond csv's own limit of 128 KiB a field.
csv.field_size_limit(2**24)


def _json_lines(path: Path) -> Iterator[Row]:
    with reading(path), path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                row = parse_json(line, f"{path} line {number}")
                yield _as_row(row, path, f"line {number}")


def _json_list(path: Path) -> Iterator[Row]:
    with reading(path):
        text = path.read_text(encoding="utf-8-sig")
    rows = parse_json(text, str(path))
    if not isinstance(rows, list):
        raise InputError(f"{path} is not a JSON list but {type(rows).__name__}")
    return (_as_row(row, path, f"row {number}") for number, row in enumerate(rows, start=1))


def _as_row(row: Any, path: Path, where: str) -> Row:
    if not isinstance(row, dict):
        raise InputError(f"{path} {where} is not a JSON object but {type(row).__name__}")
    return row


def _csv_rows(path: Path) -> Iterator[Row]:
    # newline="": a quoted question may hold a line break.
    with reading(path), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restkey="more cells than columns", strict=True)
        try:
            for row in reader:
                if reader.restkey in row:
                    raise InputError(
                        f"{path} line {reader.line_num} has more cells than the {len(reader.fieldnames or ())} columns "
                        "of the header; put a text that holds a comma in quotes"
                    )
                yield row
        except csv.Error as error:
            line = reader.line_num + 1
            raise InputError(f"{path} line {line} is not valid CSV: {error}") from error


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
    "csv": Format(_csv_rows),
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
        },
    ),
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
        Examples: id (the row's own, or its place in the file), db_id, question, sql, and evidence and schema where the
        row has them. A row with a schema and no db_id gets a db_id made of the schema, so that equal schemas share it.

    Raises:
        InputError: a column that the config names is missing, a text is missing or empty, or no row names a database.
    """
    known = FORMATS[form]
    named = dict(columns or {})
    number = 0
    for number, row in enumerate(known.read(path), start=1):
        for name in named.values():
            if name not in row:
                raise InputError(
                    f"{path} row {number} has no column {name!r}; it has {', '.join(map(repr, row))}"
                )
        example, problem = _example(row, {**known.columns, **named}, number, only_database)
        if not problem:
            yield example
        elif incomplete is None:
            raise InputError(f"{path} row {number} (id {example.get('id')!r}): {problem}")
        else:
            incomplete.add(f"row {number}: {problem}")
    if not number:
        raise InputError(f"{path} holds no question")


def _example(
    row: Row, columns: Mapping[str, str], number: int, only_database: str | None
) -> tuple[Row, str]:
    """The row's example and, where it cannot be used, the reason."""
    example: Row = {name: row.get(columns[name]) for name in FIELDS if name in columns}
    for name in REQUIRED:
        value = example[name]
        if not isinstance(value, str) or not value.strip():
            return example, f"{columns[name]!r} is {value!r}, but must be a text that is not empty"
    for name in ("evidence", "schema"):
        value = example.get(name)
        if not isinstance(value, str) or not value.strip():
            example.pop(name, None)
    key = example.get("id")
    db_id = example.get("db_id") or only_database
    if not db_id and "schema" in example:
        db_id = "schema_" + hashlib.sha256(example["schema"].encode()).hexdigest()[:12]
    if not db_id:
        return example, "it names no database, and the data set has more than one"
    # BIRD numbers its questions; ids are texts everywhere else.
    texts = {"id": str(number if key in (None, "") else key), "db_id": str(db_id)}
    return {
        **texts,
        **{name: example[name] for name in FIELDS if name in example and name not in texts},
    }, ""
