"""Where the files of a database are: the original, and its test suite beside it.

The benchmark's form is <db_id>/<db_id>.sqlite with the other files of the suite beside it. A flat folder of
<db_id>.sqlite has no suites. A file or folder may be a link: its name, and what is beside it, are those of the link,
so that files of a store with other names (git-annex, DVC, the cache of a hub) keep their suites.
"""

import os
from operator import attrgetter
from pathlib import Path

from sqladder.metric.input_error import InputError
from sqladder.metric.showing import brief

SUFFIXES = (".sqlite", ".db", ".sqlite3")
"""What names of SQLite files end in; all files of one suite end alike."""

LONGEST_NAME = 240
"""Characters of a db_id; names of files have up to 255 bytes."""


def suite_files(databases: Path, db_id: str) -> list[str]:
    """Files of a database's test suite, the original first.

    Args:
        databases: folder of <db_id>/<db_id>.sqlite, or of <db_id>.sqlite.
        db_id: name of the database.

    Raises:
        InputError: the original is not there, is there twice, or a file cannot be read as it stands.
    """
    if not db_id or Path(db_id).name != db_id or len(db_id) > LONGEST_NAME:
        raise InputError(f"{brief(db_id)} is no name of a database")
    if not databases.is_dir():
        raise InputError(
            f"{databases} is no folder; name the one that holds {db_id}/{db_id}.sqlite or {db_id}.sqlite"
        )
    own = databases / db_id
    if found := _original(own, db_id):
        return readable(suite_of(found))
    if not (found := _original(databases, db_id)):
        raise InputError(
            f"database {own / db_id}.sqlite is missing, and so is {databases / db_id}.sqlite (or .db, .sqlite3)"
        )
    if databases.absolute().name == db_id:
        return readable(suite_of(found))
    if own.is_dir() and any(path.suffix == found.suffix for path in own.iterdir()):
        raise InputError(
            f"database {found} lies beside a folder with files of its suite: move it to {own / found.name}"
        )
    return readable([found])


def suite_of(original: Path) -> list[Path]:
    """The files of the suite whose original is given, that first."""
    suffix = original.suffix
    # What macOS writes beside a file begins with a dot and is no database.
    others = [
        path
        for path in original.parent.iterdir()
        if path.name != original.name and path.name[0] != "." and path.suffix == suffix
    ]
    return [original, *sorted(others, key=attrgetter("name"))]


def readable(files: list[Path]) -> list[str]:
    """The paths of files that SQLite can read without changing anything.

    Raises:
        InputError: one is no readable file, or has changes that are only in its write-ahead log.
    """
    # Links on the way to a folder are followed once for all of its files.
    real = {folder: folder.resolve() for folder in {file.parent for file in files}}
    for file in files:
        if not file.is_file() or not os.access(file, os.R_OK):
            raise InputError(f"database {file} is no file that can be read")
        # SQLite looks for the log beside the file that a link leads to.
        target = file.resolve() if file.is_symlink() else real[file.parent] / file.name
        log = target.with_name(f"{target.name}-wal")
        if log.is_file() and log.stat().st_size:
            raise InputError(
                f"{file} has changes that are only in {log.name}; close the program that "
                f"writes it, or run: sqlite3 {file} 'PRAGMA wal_checkpoint(TRUNCATE)'"
            )
    return [str(file.absolute()) for file in files]


def _original(folder: Path, db_id: str) -> Path | None:
    """The only file of a folder that is called as the database."""
    found = [path for path in (folder / f"{db_id}{end}" for end in SUFFIXES) if path.is_file()]
    if len(found) > 1:
        raise InputError(
            f"database {db_id!r} is there twice: {found[0]} and {found[1]}; remove one"
        )
    return found[0] if found else None
