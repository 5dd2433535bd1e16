"""What SQLadder needs of a database, whichever engine holds it, and how a database is opened.

SQLite is the reference: predictions are scored on it alone, because only there a budget counted in virtual-machine
steps gives the same verdict on every machine. The other engines are read: their schema, their tables, and the results
of gold queries.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from sqladder.databases.conversion import Answer, Row
from sqladder.databases.schema import Database
from sqladder.databases.shown import Shown
from sqladder.databases.urls import is_mysql, is_url
from sqladder.errors import InputError
from sqladder.metric.limits import Limits

SQLITE, DUCKDB, POSTGRESQL, MYSQL = "sqlite", "duckdb", "postgresql", "mysql"
DIALECTS = {SQLITE: "sqlite", DUCKDB: "duckdb", POSTGRESQL: "postgres", MYSQL: "mysql"}
"""The dialect of each engine, as sqlglot and dialect_marks.py call it."""


class Engine(Protocol):
    """One open database. Nothing that it is asked for can change the database."""

    def schema(self) -> Database:
        """Read tables, columns and keys; views and the engine's own tables are left out."""

    def shown(self) -> Shown:
        """Read tables, columns, keys and views as the engine shows them."""

    def execute(self, sql: str, max_rows: int | None = None) -> Answer:
        """Run one query whose text is not trusted.

        Args:
            sql: the text.
            max_rows: stop after one row more than this; the answer is then not complete.

        Raises:
            QueryError: the text is no query, is refused, costs too much, or the engine reports an error.
        """

    def rows(self, table: str) -> Iterator[Row]:
        """Yield every row of a table, values as SQLite can store them, without holding all of them."""

    def refuse_writers(self) -> None:
        """Refuse a connection that may do more than read, before answers of a model are executed on it.

        Raises:
            InputError: says what it may do, and the way out; the connection is closed.
        """

    def name(self) -> str:
        """The engine's name, as people call it."""

    def version(self) -> str:
        """The engine's version."""

    def close(self) -> None:
        """Close the connection."""


def name_of(source: str) -> str:
    """The db_id of a single database: the name of its file, or of the server's database."""
    return Path(urlsplit(source).path if is_url(source) else source).stem


def is_foreign(source: str) -> bool:
    """Whether a source is one database of another engine than SQLite."""
    return is_url(source) or (Path(source).is_file() and _head(source)[8:12] == b"DUCK")


def is_sqlite(path: Path) -> bool:
    """Whether a file has the first bytes of a SQLite database."""
    return _head(str(path)) == b"SQLite format 3\0"


def _head(source: str) -> bytes:
    with Path(source).open("rb") as file:
        return file.read(16)


def kind_of(source: str) -> str:
    """The engine of a database, by its URL or by the first bytes of its file.

    Raises:
        InputError: there is no such file, or it is no database.
    """
    if is_url(source):
        return MYSQL if is_mysql(source) else POSTGRESQL
    if not Path(source).is_file():
        raise InputError(f"database {source} does not exist")
    if is_foreign(source):
        return DUCKDB
    if is_sqlite(Path(source)):
        return SQLITE
    raise InputError(f"{source} is neither a SQLite nor a DuckDB database")


def open_engine(source: str, limits: Limits) -> Engine:
    """Open a database for reading.

    Raises:
        InputError: it does not exist, is no database, or cannot be reached; the message shows no password.
    """
    # Each engine is imported where it is wanted: a SQLite user needs neither of the others.
    kind = kind_of(source)
    if kind == POSTGRESQL:
        from sqladder.databases.postgresql import PostgresqlEngine

        return PostgresqlEngine(source, limits)
    if kind == MYSQL:
        from sqladder.databases.mysql import MysqlEngine

        return MysqlEngine(source, limits)
    if kind == DUCKDB:
        from sqladder.databases.duck import DuckEngine

        return DuckEngine(Path(source), limits)
    from sqladder.databases.sqlite import SqliteEngine

    return SqliteEngine(Path(source), limits)
