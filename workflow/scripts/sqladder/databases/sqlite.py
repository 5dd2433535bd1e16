"""SQLite behind the interface of all engines: the metric's sandbox and the schema reader."""

from collections.abc import Iterator
from pathlib import Path

from sqladder.databases.conversion import Answer, Row
from sqladder.databases.schema import Database, open_read_only, quoted, read_schema
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

    def execute(self, sql: str) -> Answer:
        """Run one query in the metric's sandbox, under its budget of steps."""
        result = self._sandbox.execute(sql)
        return Answer(result.rows, result.columns, result.names)

    def rows(self, table: str) -> Iterator[Row]:
        """Read a table."""
        with open_read_only(self._path) as connection:
            yield from connection.execute(f"SELECT * FROM {quoted(table)}")

    def close(self) -> None:
        """Close the file."""
        self._sandbox.close()
