"""CSV as programs write it: with commas, semicolons or tabs, which the header tells, in UTF-8 or UTF-16."""

import codecs
import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TextIO

from sqladder.data.packed_files import refuse_packed
from sqladder.errors import LOG, InputError
from sqladder.files import Row, reading

# The first of those that part the header into the most columns.
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

# BIRD's longest gold and schemas of hundreds of columns are beyond csv's own limit of 128 KiB a field.
csv.field_size_limit(2**24)


def csv_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a CSV file with a header, a text for each column.

    Raises:
        InputError: it is unreadable, no CSV, its header names a column twice, or a row has more cells than the header.
    """
    refuse_packed(path)
    with reading(path):
        encoding = _encoding(path)
        with path.open(encoding=encoding, newline="") as file:
            delimiter = _delimiter(path, next((line for line in file if line.strip()), ""))
        # newline="": a quoted question may hold a line break.
        with path.open(encoding=encoding, newline="") as file:
            yield from _rows(path, file, delimiter)


def _encoding(path: Path) -> str:
    """UTF-16 where a byte-order mark says so, otherwise UTF-8, for which the whole file is read once."""
    with path.open("rb") as file:
        if file.read(2) in _UTF_16:
            return "utf-16"
        file.seek(0)
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                byte = line[error.start : error.start + 1]
                shown = byte.decode("cp1252", errors="replace")
                raise InputError(
                    f"{path} line {number} is not UTF-8 text: its byte 0x{byte.hex()} is {shown!r} in Windows-1252; "
                    "save the file as UTF-8, or convert it, where that is what it is: "
                    f"iconv -f WINDOWS-1252 -t UTF-8 {path.name} > utf8.csv"
                ) from error
    return "utf-8-sig"


# Said once of a file that is read several times.
@cache
def _delimiter(path: Path, header: str) -> str:
    cells = {mark: len(next(csv.reader([header], delimiter=mark), [])) for mark in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=cells.__getitem__)
    if delimiter != ",":
        LOG.info("%s parts its columns by %s", path, _DELIMITERS[delimiter])
    return delimiter


def _rows(path: Path, file: TextIO, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    try:
        # Lines before it that hold nothing are of a program's making.
        filled = (cells for cells in reader if any(map(str.strip, cells)))
        header = [name.strip() for name in next(filled, [])]
        _check_header(path, header)
        for cells in reader:
            if len(cells) > len(header):
                raise InputError(
                    f"{path} line {reader.line_num} has more cells than the {len(header)} columns of the header; "
                    "put a text that holds the sign between columns in quotes"
                )
            # An empty line is no row.
            if cells:
                yield dict(zip(header, [*cells, *[None] * (len(header) - len(cells))], strict=True))
    except csv.Error as error:
        raise InputError(f"{path} line {reader.line_num} is not valid CSV: {error}") from error


def _check_header(path: Path, header: list[str]) -> None:
    twice = [name for position, name in enumerate(header) if name and name in header[:position]]
    if twice:
        raise InputError(f"{path} has two columns {twice[0]!r} in its header; rename one")
