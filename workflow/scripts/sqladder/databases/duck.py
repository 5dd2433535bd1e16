"""DuckDB behind the interface of all engines."""

import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb

from sqladder.databases.conversion import Answer, Row, sqlite_row
from sqladder.databases.schema import Database, Table, in_quotes, table_of_catalog
from sqladder.errors import InputError
from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import QueryError

_CHUNK = 1024


class DuckEngine:
    """A DuckDB file, read-only, without files, network, extensions or further settings."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._limits = limits
        settings: dict[str, str | bool | int | float | list[str]] = {
            "enable_external_access": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "memory_limit": f"{limits.memory_mb}MiB",
            "threads": 1,
            # What does not fit into memory is an error: nothing is written, not even beside it.
            "max_temp_directory_size": "0MiB",
        }
        try:
            self._connection = duckdb.connect(str(path), read_only=True, config=settings)
        except duckdb.Error as error:
            raise InputError(f"{path} is not a readable DuckDB database: {error}") from error
        self._connection.execute("SET lock_configuration = true")

    def schema(self) -> Database:
        """Read tables of the schema `main` with their keys."""
        names = self._connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' AND NOT internal"
            " AND database_name = current_database() ORDER BY table_oid"
        ).fetchall()
        return Database(tuple(self._table(name) for (name,) in names))

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

    def execute(self, sql: str) -> Answer:
        """Run one query; it is interrupted after the time limit."""
        self._check_text(sql)
        timer = threading.Timer(self._limits.timeout, self._connection.interrupt)
        timer.start()
        try:
            return self._fetch(sql)
        except duckdb.InterruptException as error:
            raise QueryError("timeout", "seconds", self._limits.timeout) from error
        except duckdb.OutOfMemoryException as error:
            raise QueryError("refused", "memory", self._limits.memory_mb) from error
        except (duckdb.Error, UnicodeEncodeError) as error:
            raise QueryError("sql_error", "error", found=str(error).splitlines()[0]) from error
        finally:
            timer.cancel()

    def _check_text(self, sql: str) -> None:
        try:
            statements = self._connection.extract_statements(sql)
        except (duckdb.Error, UnicodeEncodeError) as error:
            raise QueryError("sql_error", "error", found=str(error).splitlines()[0]) from error
        if not statements:
            raise QueryError("no_sql", "no_statement")
        if len(statements) > 1:
            raise QueryError("refused", "statements")
        if statements[0].type != duckdb.StatementType.SELECT:
            raise QueryError("refused", "not_allowed", found=statements[0].type.name.lower())

    def _fetch(self, sql: str) -> Answer:
        cursor = self._connection.execute(sql)
        rows: list[Row] = []
        while chunk := cursor.fetchmany(_CHUNK):
            rows += map(sqlite_row, chunk)
            if len(rows) > self._limits.max_rows:
                raise QueryError("refused", "result_rows", self._limits.max_rows)
        return Answer(rows, len(cursor.description))

    def rows(self, table: str) -> Iterator[Row]:
        """Read a table."""
        cursor = self._connection.execute(f"SELECT * FROM {in_quotes(table)}")
        while chunk := cursor.fetchmany(_CHUNK):
            yield from map(sqlite_row, chunk)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
