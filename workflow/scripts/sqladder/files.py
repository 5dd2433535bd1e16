"""JSON and JSON Lines files: read with errors that name the line, written whole or not at all."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqladder.errors import InputError

Row = dict[str, Any]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it is renamed to `path`, on error removed.

    A reader therefore never sees half a file, and a killed writer leaves the old one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write one JSON value atomically, indented, keys in the order given."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """Read one JSON value."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not valid JSON: {error}") from error


def write_jsonl(path: Path, rows: Iterable[Row]) -> int:
    """Write JSON Lines atomically, one object a line; returns how many."""
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def read_jsonl(path: Path) -> list[Row]:
    """Read JSON Lines; a line that is not an object is an error that names it."""
    return list(iterate_jsonl(path))


def iterate_jsonl(path: Path) -> Iterator[Row]:
    """Read JSON Lines one after the other, for files that need not lie in memory whole."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _parse_row(path, number, line)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: {error}") from error


def _parse_row(path: Path, number: int, line: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise InputError(f"{path} line {number} is not valid JSON: {error}") from error
    if not isinstance(row, dict):
        raise InputError(f"{path} line {number} is not a JSON object but {type(row).__name__}")
    return row


def by_id(rows: Iterable[Row], source: Path | str) -> dict[str, Row]:
    """Index rows by their `id`; a missing or doubled id is an error that names it."""
    return {row["id"]: row for row in with_unique_ids(rows, source)}


def with_unique_ids(rows: Iterable[Row], source: Path | str) -> Iterator[Row]:
    """Pass rows on; a missing or doubled id is an error that names it."""
    seen: set[str] = set()
    for position, row in enumerate(rows):
        if "id" not in row:
            raise InputError(f"{source}: row {position + 1} has no 'id'")
        if row["id"] in seen:
            raise InputError(f"{source}: id {row['id']!r} occurs twice")
        seen.add(row["id"])
        yield row


def join_by_id(
    left: Iterable[Row], right: Iterable[Row], left_source: Path | str, right_source: Path | str
) -> list[tuple[Row, Row]]:
    """Pair the rows of two files by `id`, in the order of the left one.

    Raises:
        InputError: an id is missing on either side or occurs twice; the message names the first.
    """
    left_index, right_index = by_id(left, left_source), by_id(right, right_source)
    for here, there, source in (
        (left_index, right_index, right_source),
        (right_index, left_index, left_source),
    ):
        missing = [key for key in here if key not in there]
        if missing:
            raise InputError(
                f"{source} lacks {len(missing)} of {len(here)} ids, first {missing[0]!r}"
            )
    return [(row, right_index[key]) for key, row in left_index.items()]
