"""The database that questions are asked about, laid out as those of a run are."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from sqladder.databases.engine import SQLITE, kind_of, name_of, open_engine
from sqladder.databases.export import export_to_sqlite
from sqladder.databases.schema import read_schema
from sqladder.databases.snapshot import copy_sqlite
from sqladder.databases.urls import is_url
from sqladder.errors import LOG, InputError
from sqladder.metric.limits import Limits
from sqladder.prompts.descriptions import BIRD_FOLDER
from sqladder.texts.numbers import plural


class AskedDatabase(NamedTuple):
    """A database in a folder of its own.

    Attributes:
        folder: holds <name>/<name>.sqlite.
        name: that of its file, or of a server's database.
    """

    folder: Path
    name: str

    @property
    def file(self) -> str:
        """The path of the database file."""
        return str(self.folder / self.name / f"{self.name}.sqlite")


@contextmanager
def laid_out(source: str) -> Iterator[AskedDatabase]:
    """A database under the name of its file: a SQLite file is linked, anything else copied into SQLite.

    A SQLite file with rows in its write-ahead log is copied too, since those who only read do not see them.

    Raises:
        InputError: it does not exist, is no database, or cannot be reached.
    """
    if not is_url(source) and Path(source).is_dir():
        raise InputError(f"database {source} is a folder: name one database file in it")
    with tempfile.TemporaryDirectory(prefix="sqladder-ask-") as temporary:
        kind, asked = kind_of(source), AskedDatabase(Path(temporary), name_of(source))
        target = Path(asked.file)
        target.parent.mkdir()
        if kind == SQLITE:
            _lay_out_sqlite(Path(source).absolute(), target)
        else:
            with closing(open_engine(source, Limits())) as engine:
                counts = export_to_sqlite(engine, target)
            LOG.warning(
                f"{plural(len(counts), 'table')} with {plural(sum(counts.values()), 'row')} copied into SQLite: "
                "answers are of this moment"
            )
        yield asked


def _lay_out_sqlite(source: Path, target: Path) -> None:
    log = Path(f"{source.resolve()}-wal")
    if log.is_file() and log.stat().st_size:
        copy_sqlite(source, target)
        LOG.warning(f"{source} is being written: a copy is asked, of this moment")
    else:
        # So that a file that cannot be read is refused by its own name.
        read_schema(source)
        target.symlink_to(source)
    described = source.parent / BIRD_FOLDER
    # As for the databases of a run: in a flat folder it would be of all of them.
    if source.parent.name == source.stem and described.is_dir():
        (target.parent / BIRD_FOLDER).symlink_to(described)
