"""Copy a SQLite file that others may be writing: as of one moment, with rows that stand in its write-ahead log only."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqladder.errors import InputError
from sqladder.files import replacing
from sqladder.metric.sandbox import read_only_uri

# Seconds that a writer may keep others from reading.
_PATIENCE = 30.0


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite file by SQLite's own backup, over a connection that cannot write.

    Raises:
        InputError: it is no SQLite database, is damaged, stays locked, or has half a transaction that a writer left.
    """
    with replacing(target) as temporary, closing(sqlite3.connect(temporary)) as copy:
        # A copy that a crash of the machine damages is made anew: no file waits for the disk.
        copy.execute("PRAGMA synchronous=OFF")
        try:
            with closing(_open(source)) as connection:
                # One moment for the whole copy. The backup alone would wait for a lock without end.
                connection.execute("BEGIN")
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                connection.backup(copy)
            # The copy stands alone: no log is looked for beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            raise InputError(
                f"{source} cannot be copied as a SQLite database: {error}; end the program that writes it, or "
                "open it once with sqlite3, which mends what such a program left"
            ) from error


def _open(source: Path) -> sqlite3.Connection:
    """A connection that cannot write; without lock and new files beside it where no log holds rows."""
    path = source.resolve()
    log = path.with_name(f"{path.name}-wal")
    if _has_log(path) and not (log.is_file() and log.stat().st_size):
        return sqlite3.connect(read_only_uri(path), uri=True)
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)


def _has_log(path: Path) -> bool:
    """Whether a file is in the mode of the write-ahead log: sqlite.org/fileformat.html, bytes 18 and 19."""
    with path.open("rb") as file:
        return file.read(20)[18:] == b"\x02\x02"
