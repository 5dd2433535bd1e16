"""Files that go under the name of a text and are none: archives, spreadsheets, databases."""

from pathlib import Path

from sqladder.errors import InputError
from sqladder.files import reading

_KINDS = {
    b"\x1f\x8b": ("a gzip archive", "unpack it: gunzip"),
    b"BZh": ("a bzip2 archive", "unpack it: bunzip2"),
    b"\xfd7zXZ": ("an xz archive", "unpack it: unxz"),
    b"\x28\xb5\x2f\xfd": ("a zstd archive", "unpack it: unzstd"),
    b"PK\x03\x04": ("a zip archive or a spreadsheet", "unpack it, or save the sheet as CSV"),
    b"\xd0\xcf\x11\xe0": ("an old spreadsheet", "save the sheet as CSV"),
    b"PAR1": ("Parquet", "give it the end .parquet, or format: parquet"),
    b"SQLite format 3\0": ("a SQLite database", "name it where databases go"),
}
"""What files begin with that are no text, in words, and what to do."""


def refuse_packed(path: Path) -> None:
    """Refuse a file that is to hold a text and begins as one of another kind.

    Raises:
        InputError: it is such a file, or cannot be read.
    """
    with reading(path), path.open("rb") as file:
        head = file.read(max(map(len, _KINDS)))
    for begin, (kind, way_out) in _KINDS.items():
        if head.startswith(begin):
            raise InputError(f"{path} is no text but {kind}; {way_out}")
