"""JSON and JSON Lines files: read with errors that name the line, written whole or not at all."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args

from sqladder.errors import InputError
from sqladder.metric.showing import brief, showable
from sqladder.metric.unique_keys import unique_keys

Row = dict[str, Any]

Fields = Mapping[str, type | UnionType]
"""Fields that a row must have, with the types of their values."""

_KINDS = {
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    NoneType: "null",
}

_SCAN = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
"""What `json.loads` reads a value with, without what it does around it."""

_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
"""What `json.dumps` writes a row with, made once: it makes one anew for each."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; on success it is renamed to `path`, on error removed.

    A reader therefore never sees half a file, and a killed writer leaves the old one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        # A full disk names no file.
        error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file for people atomically; characters that act on a terminal or a page as their escapes."""
    _write(path, showable(text))


def write_json(path: Path, value: Any) -> None:
    """Write one JSON value atomically, indented, keys in the order given."""
    _write(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def _write(path: Path, text: str) -> None:
    # In JSON the escape of what is no character, such as a byte of a file's name, stands for it.
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Errors of opening and reading a text file, as one that names it.

    Raises:
        InputError: the file is missing, unreadable, or not UTF-8.
    """
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: {error}") from error


def read_text(path: Path) -> str:
    """The text of a UTF-8 file; an InputError names one that cannot be read."""
    with reading(path):
        return path.read_text(encoding="utf-8")


def parse_json(text: str, source: str, *, of_people: bool = False) -> Any:
    """The value that a JSON text stands for.

    Args:
        text: the JSON.
        source: where it stands, for messages.
        of_people: it was written elsewhere, so an object may name a key twice, of which Python keeps the last unsaid.

    Raises:
        InputError: it is no JSON, an object of people names a key twice, or a text in it holds half a surrogate pair,
            which no file or model can take.
    """
    try:
        value = json.loads(text, object_pairs_hook=unique_keys(source) if of_people else None)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is not valid JSON: {error}") from error
    # Only an escape can stand for half a pair.
    if "\\u" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            half = f"\\u{ord(error.object[error.start]):04x}"
            raise InputError(
                f"{source} holds {half} alone, half of a surrogate pair and no character: "
                "write the whole character, or leave it out"
            ) from error
    return value


def read_json(path: Path) -> Any:
    """The value of a JSON file; an InputError names one that cannot be read."""
    return parse_json(read_text(path), str(path))


def read_object(path: Path, fields: Fields | None = None) -> Row:
    """The object of a JSON file; an InputError names a file that holds anything else, or lacks a field."""
    return _checked(read_json(path), fields or {}, str(path))


def _checked(value: Any, fields: Fields, source: str) -> Row:
    """A value that is an object with these fields."""
    if not isinstance(value, dict):
        raise InputError(f"{source} is not a JSON object but {type(value).__name__}")
    for name, kind in fields.items():
        if name not in value:
            raise InputError(f"{source} has no {name!r}")
        if not isinstance(value[name], kind):
            kinds = " or ".join(dict.fromkeys(_KINDS[each] for each in get_args(kind) or (kind,)))
            raise InputError(f"{source}: {name!r} is {brief(value[name])}, but must be {kinds}")
    return value


def write_jsonl(path: Path, rows: Iterable[Row]) -> int:
    """Write JSON Lines atomically, one object a line; returns how many."""
    count = 0
    # In JSON the escape of what is no character stands for it.
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace") as file,
    ):
        for row in rows:
            file.write(_ENCODE(row) + "\n")
            count += 1
    return count


def read_jsonl(
    path: Path, fields: Fields | None = None, known: dict[str, Row] | None = None
) -> list[Row]:
    """The rows of JSON Lines; an InputError names the line that is not an object, or lacks one of the fields.

    Args:
        path: the file.
        fields: that each row must have.
        known: rows by their lines, of this and other files with these fields; it grows. Equal lines are one object,
            read once, which nobody may change.
    """
    return list(iterate_jsonl(path, fields, known))


def iterate_jsonl(
    path: Path, fields: Fields | None = None, known: dict[str, Row] | None = None
) -> Iterator[Row]:
    """The rows of JSON Lines one after the other, for files that need not lie in memory whole."""
    kinds = [(name, get_args(kind) or kind) for name, kind in (fields or {}).items()]
    with reading(path), path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if known is not None and line in known:
                yield known[line]
                continue
            row = _sound_row(line, kinds)
            if row is not None:
                if known is not None:
                    known[line] = row
                yield row
            elif line.strip():
                where = f"{path} line {number}"
                yield _checked(parse_json(line, where), fields or {}, where)


def _sound_row(line: str, kinds: Sequence[tuple[str, Any]]) -> Row | None:
    """The object of a line that is one with its fields; None where only a closer, slower look can say."""
    if "\\u" in line:
        return None
    try:
        row, end = _SCAN(line, 0)
    except (StopIteration, ValueError, RecursionError):
        return None
    if type(row) is not dict or line[end:] not in ("\n", ""):
        return None
    for name, kind in kinds:
        if name not in row or not isinstance(row[name], kind):
            return None
    return row


def by_id(rows: Iterable[Row], source: Path | str) -> dict[str, Row]:
    """Index rows by their `id`; a missing or doubled id is an error that names it."""
    return {row["id"]: row for row in with_unique_ids(rows, source)}


def with_unique_ids(rows: Iterable[Row], source: Path | str) -> Iterator[Row]:
    """Pass rows on; a missing or doubled id is an error that names it."""
    seen: set[str | int] = set()
    for position, row in enumerate(rows):
        if "id" not in row:
            raise InputError(f"{source}: row {position + 1} has no 'id'")
        if not isinstance(row["id"], str | int):
            raise InputError(
                f"{source}: row {position + 1} has the id {brief(row['id'])}, which is no text or number"
            )
        if row["id"] in seen:
            raise InputError(f"{source}: id {brief(row['id'])} occurs twice")
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
                f"{source} lacks {len(missing)} of {len(here)} ids, first {brief(missing[0])}"
            )
    return [(row, right_index[key]) for key, row in left_index.items()]
