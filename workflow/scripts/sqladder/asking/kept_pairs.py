"""Questions with the SQL that somebody has found right, kept in a CSV file that `questions:` of a data set reads."""

import csv
import fcntl
import io
from pathlib import Path

from sqladder.asking.variant import checked
from sqladder.data.csv_files import csv_rows
from sqladder.errors import InputError
from sqladder.files import reading

COLUMNS = ("question", "sql", "db_id")
_HEADER = ",".join(COLUMNS)


class Pairs:
    """A file of pairs, which is made with the first one."""

    def __init__(self, path: Path, db_id: str) -> None:
        """Take the file, and the database that the pairs are about.

        Raises:
            InputError: the file is there and holds something else, or its folder is not there.
        """
        self.path, self._db_id = path, db_id
        if not path.parent.is_dir():
            raise InputError(f"{path.parent}, where pairs are to be kept, is not a folder")
        if path.exists():
            _check(path)

    def add(self, question: str, sql: str) -> bool:
        """Keep a pair; whether it is new.

        Raises:
            InputError: a text is empty or cannot be written, or the file has become something else.
        """
        pair = (checked(question), checked(sql, "the SQL"), self._db_id)
        try:
            # Read and written under one lock: a pair that several servers are given is kept once.
            with self.path.open("a+", encoding="utf-8", newline="") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                is_first = not file.seek(0, io.SEEK_END)
                if not is_first and self._has(pair):
                    return False
                file.write(self._lines(pair, is_first))
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror}") from error
        return True

    def _has(self, pair: tuple[str, ...]) -> bool:
        _check(self.path)
        return any(pair == tuple(row[c] for c in COLUMNS) for row in csv_rows(self.path))

    def _lines(self, pair: tuple[str, ...], is_first: bool) -> str:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        if is_first:
            writer.writerow(COLUMNS)
        elif not self.path.read_bytes().endswith(b"\n"):
            # Somebody has edited the file.
            text.write("\n")
        writer.writerow(pair)
        return text.getvalue()


def _check(path: Path) -> None:
    with reading(path), path.open("rb") as file:
        first = file.readline(1000)
    # An empty file is one that another server has just made: its first pair comes with the header.
    if first and first.strip() != _HEADER.encode():
        found = first.strip().decode(errors="backslashreplace")
        raise InputError(
            f"{path} is no file of pairs: it begins with {found!r} where {_HEADER!r} is expected; "
            "name another one by --pairs, which is made if it is not there"
        )
