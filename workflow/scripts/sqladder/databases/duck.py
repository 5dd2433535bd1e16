"""DuckDB behind the interface of all engines."""

import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from sqladder.databases.conversion import Answer, Row, collect, sqlite_row
from sqladder.databases.duck_contents import in_memory
from sqladder.databases.native_contents import TableRows
from sqladder.databases.query_text import MESSAGE_CHARS, check_text
from sqladder.databases.schema import Database, Table, in_quotes, table_of_catalog
from sqladder.databases.shown import Shown, Spelling, names_of
from sqladder.errors import InputError
from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import QueryError

DIALECT = "duckdb"
_CHUNK = 1024
_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class DuckEngine:
    """A DuckDB file, read-only, without files, network, extensions or further settings; or other rows in its schema."""

    def __init__(
        self, path: Path, limits: Limits, content: Sequence[TableRows] | None = None
    ) -> None:
        self._limits = limits
        settings: dict[str, str | bool | int | float | list[str]] = {
            "enable_external_access": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "memory_limit": f"{limits.memory_mb}MiB",
            "threads": 1,
            # What does not fit into memory is an error: nothing is written, not even beside it.
            "temp_directory": "",
        }
        try:
            self._connection = duckdb.connect(str(path), read_only=True, config=settings)
        except duckdb.Error as error:
            raise InputError(f"{path} is not a readable DuckDB database: {error}") from error
        if content is not None:
            with self._connection as original:
                self._connection = in_memory(original, settings, content)
        self._connection.execute("SET lock_configuration = true")

    def schema(self) -> Database:
        """Read tables of the schema `main` with their keys."""
        names = self._connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' AND NOT internal"
            " AND database_name = current_database() ORDER BY table_oid"
        ).fetchall()
        others = self._connection.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE schema_name != 'main'"
            " AND NOT internal AND database_name = current_database() ORDER BY table_oid"
        ).fetchall()
        return Database(
            tuple(self._table(name) for (name,) in names), tuple(name for (name,) in others)
        )

    def _table(self, name: str) -> Table:
        columns = self._connection.execute(
            "SELECT column_name, data_type, NOT is_nullable FROM duckdb_columns()"
            " WHERE schema_name = 'main' AND table_name = ? ORDER BY column_index",
            [name],
        ).fetchall()
        constraints = self._connection.execute(
            "SELECT constraint_type, constraint_column_names, referenced_table, referenced_column_names"
            " FROM duckdb_constraints() WHERE schema_name = 'main' AND table_name = ?"
            " ORDER BY constraint_index",
            [name],
        ).fetchall()
        return table_of_catalog(name, columns, constraints)

    def shown(self) -> Shown:
        """Read tables and views of the schema `main`; what is a keyword, or no plain word, stands in quotes."""
        views = self._connection.execute(
            "SELECT view_name FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal"
            " AND database_name = current_database() ORDER BY view_oid"
        ).fetchall()
        tables = [replace(self._table(name), is_view=True) for (name,) in views]
        database = Database((*self.schema().tables, *tables))
        keywords = self._connection.execute(
            "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'"
        ).fetchall()
        reserved = {word for (word,) in keywords}
        names = {
            name: in_quotes(name)
            for name in names_of(database)
            if not _PLAIN.fullmatch(name) or name.lower() in reserved
        }
        return Shown(database, Spelling(DIALECT, names, self.name()))

    def execute(self, sql: str, max_rows: int | None = None) -> Answer:
        """Run one query; it is interrupted after the time limit."""
        check_text(sql, self._limits)
        self._check_statement(sql)
        timer = threading.Timer(self._limits.timeout, self._connection.interrupt)
        timer.start()
        start = time.monotonic()
        try:
            cursor = self._connection.execute(sql)
            names = [column[0] for column in cursor.description]
            return collect(_chunks(cursor), names, self._limits, max_rows, start)
        except duckdb.InterruptException as error:
            raise QueryError("timeout", "seconds", self._limits.timeout) from error
        except duckdb.OutOfMemoryException as error:
            raise QueryError("refused", "memory", self._limits.memory_mb) from error
        except duckdb.PermissionException as error:
            raise QueryError("refused", "not_allowed", found=_told(error)) from error
        except (duckdb.Error, UnicodeEncodeError) as error:
            raise QueryError("sql_error", "error", found=_told(error)) from error
        finally:
            timer.cancel()
            # One that is at it may not meet the next query.
            timer.join()

    def _check_statement(self, sql: str) -> None:
        try:
            statements = self._connection.extract_statements(sql)
        except (duckdb.Error, UnicodeEncodeError) as error:
            raise QueryError("sql_error", "error", found=_told(error)) from error
        if not statements:
            raise QueryError("no_sql", "no_statement")
        if len(statements) > 1:
            raise QueryError("refused", "statements")
        if statements[0].type != duckdb.StatementType.SELECT:
            raise QueryError("refused", "not_allowed", found=statements[0].type.name.lower())

    def rows(self, table: str) -> Iterator[Row]:
        """Read a table."""
        cursor = self._connection.execute(f"SELECT * FROM {in_quotes(table)}")
        for chunk in _chunks(cursor):
            yield from map(sqlite_row, chunk)

    def refuse_writers(self) -> None:
        """Nothing to refuse: the file is open for reading only, and nothing outside it can be reached."""

    def name(self) -> str:
        """The engine's name."""
        return "DuckDB"

    def version(self) -> str:
        """DuckDB's version."""
        return duckdb.__version__

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _chunks(cursor: duckdb.DuckDBPyConnection) -> Iterator[list[Row]]:
    while chunk := cursor.fetchmany(_CHUNK):
        yield chunk


def _told(error: Exception) -> str:
    """What DuckDB says, on one line and without the place in the text."""
    return str(error).splitlines()[0][:MESSAGE_CHARS]
