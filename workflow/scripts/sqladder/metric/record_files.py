"""Read files of records (JSON Lines, a JSON list, BIRD's predictions, CSV), told by their content."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqladder.metric.allowances import FIELDS, part_golds
from sqladder.metric.input_error import InputError
from sqladder.metric.showing import brief
from sqladder.metric.unique_keys import unique_keys

LINES, JSON_LIST, BIRD, CSV = "JSON Lines", "a JSON list", "BIRD's predictions", "CSV"
BIRD_MARK = "\t----- bird -----\t"
"""What stands between an answer and its database in BIRD's predictions."""

# Of these names the first one counts; Spider's own files hold a parsed tree as `sql` beside the text in `query`.
_NAMES = {
    "id": ("id", "question_id"),
    "db_id": ("db_id",),
    "sql": ("sql", "SQL", "query"),
    "group": ("group",),
    "difficulty": ("difficulty",),
    **{name: (name,) for name in FIELDS},
}


@dataclass(frozen=True)
class RecordFile:
    """Records of a file.

    Attributes:
        kind: the format, in words.
        rows: place in the file in words, and `sql` with those of `id`, `db_id`, `group`, `alternatives` and what is
            forgiven that the record has.
    """

    kind: str
    rows: list[tuple[str, dict[str, Any]]]


def read_text(path: Path) -> str:
    """Text of a UTF-8 file, without a byte-order mark at its head.

    Raises:
        InputError: the file cannot be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path} line {line} is not UTF-8 (byte {error.object[error.start]:#04x}); "
            "convert the file, for instance with iconv"
        ) from error


def read_records(path: Path, text: str) -> RecordFile | None:
    """Records of a file, None if its text is none of these formats.

    Raises:
        InputError: the text, or the name of the file, says one of these formats and the rest is not so.
    """
    found = _json_document(path, text)
    if found is not None:
        return found
    if path.suffix in (".jsonl", ".json") or _is_record_line(text.lstrip().partition("\n")[0]):
        return RecordFile(LINES, [_record(place, row) for place, row in _lines(path, text)])
    return _csv(path, text)


def _json_document(path: Path, text: str) -> RecordFile | None:
    if text.lstrip()[:1] not in ("[", "{"):
        return None
    try:
        document = _parse(path, text)
    except InputError:
        raise
    except (ValueError, RecursionError):
        return None
    if isinstance(document, list):
        places = [(f"{path} record {number}", row) for number, row in enumerate(document, start=1)]
        return RecordFile(JSON_LIST, [_record(place, row) for place, row in places])
    if document and all(re.fullmatch(r"\d+", key) for key in document):
        return RecordFile(BIRD, [_bird(path, key, text) for key, text in document.items()])
    return None


def _parse(path: Path, text: str) -> Any:
    return json.loads(text, object_pairs_hook=unique_keys(path))


def _bird(path: Path, key: str, text: Any) -> tuple[str, dict[str, Any]]:
    place = f"{path} question {key}"
    row: dict[str, Any] = {"id": int(key), "sql": text}
    if isinstance(text, str) and BIRD_MARK in text:
        row["sql"], _, row["db_id"] = text.partition(BIRD_MARK)
    return _record(place, row)


def _is_record_line(line: str) -> bool:
    try:
        row = json.loads(line) if line.startswith("{") else None
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and any(name in row for name in _NAMES["id"] + _NAMES["sql"])


def _lines(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield f"{path} line {number}", _parse(path, line)
            except InputError:
                raise
            except (ValueError, RecursionError) as error:
                raise InputError(f"{path} line {number} is not JSON: {error}") from error


def _csv(path: Path, text: str) -> RecordFile | None:
    head = text.partition("\n")[0]
    for separator in ",;\t":
        header = [name.strip() for name in next(csv.reader([head], delimiter=separator), [])]
        if len(header) > 1 and any(name in header for name in _NAMES["sql"]):
            break
    else:
        if path.suffix == ".csv":
            raise InputError(f"{path}: the header {head[:80]!r} has no column 'sql' beside 'id'")
        return None
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    rows = []
    try:
        next(reader)
        for cells in filter(None, reader):
            place = f"{path} line {reader.line_num}"
            if len(cells) != len(header):
                raise InputError(f"{place} has {len(cells)} cells, its header {len(header)}")
            rows.append(_record(place, dict(zip(header, cells, strict=True))))
    except csv.Error as error:
        raise InputError(f"{path} line {reader.line_num} is not CSV: {error}") from error
    return RecordFile(CSV, rows)


def _record(place: str, row: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(row, dict):
        raise InputError(f"{place} is no object with 'sql'")
    found = {}
    for key, names in _NAMES.items():
        given = [row[name] for name in names if name in row and not isinstance(row[name], dict)]
        if given:
            found[key] = given[0]
    if "sql" not in found:
        raise InputError(f"{place} has no 'sql'")
    part_golds(found)
    if not isinstance(found.get("id", 0), str | int):
        raise InputError(f"{place}: id {brief(found['id'])} is no text or number")
    if isinstance(found.get("group"), int):
        found["group"] = str(found["group"])
    for key in ("db_id", "sql", "group", "difficulty"):
        if not isinstance(found.get(key, ""), str):
            identity = f" (id {brief(found['id'])})" if "id" in found else ""
            raise InputError(
                f"{place}{identity}: {key!r} is {brief(found[key])}, but must be a text; "
                'an answer without SQL is ""'
            )
    return place, found
