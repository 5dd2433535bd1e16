"""SQLite behind the interface of all engines: the metric's sandbox and the schema reader."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqladder.databases.conversion import Answer, Row
from sqladder.databases.schema import Database, open_read_only, quoted, read_schema, read_views
from sqladder.databases.shown import SQLITE_SPELLING, Shown
from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import Sandbox


class SqliteEngine:
    """A SQLite file."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path = path
        self._sandbox = Sandbox(path, limits)

    def schema(self) -> Database:
        """Read the schema from the file."""
        return read_schema(self._path)

    def shown(self) -> Shown:
        """Read tables and views from the file."""
        database = Database((*self.schema().tables, *read_views(self._path)))
        return Shown(database, SQLITE_SPELLING)

    def execute(self, sql: str, max_rows: int | None = None) -> Answer:
        """Run one query in the metric's sandbox, under its budget of steps."""
        result = self._sandbox.execute(sql, max_rows)
        return Answer(result.rows, result.names, result.complete)

    def rows(self, table: str) -> Iterator[Row]:
        """Read a table."""
        with open_read_only(self._path) as connection:
            yield from connection.execute(f"SELECT * FROM {quoted(table)}")

    def refuse_writers(self) -> None:
        """Nothing to refuse: the sandbox has no way to write."""

    def name(self) -> str:
        """The engine's name."""
        return "SQLite"

    def version(self) -> str:
        """SQLite's version."""
        return sqlite3.sqlite_version

    def close(self) -> None:
        """Close the file."""
        self._sandbox.close()
