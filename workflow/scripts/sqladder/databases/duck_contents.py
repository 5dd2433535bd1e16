"""A content of a made suite as a database in memory, with the schema and the name of a DuckDB file."""

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from sqladder.databases.conversion import Row
from sqladder.databases.native_contents import TableRows
from sqladder.databases.schema import in_quotes
from sqladder.errors import InputError

_OWN = "WHERE schema_name = 'main' AND database_name = current_database()"
_DEFINITIONS = (
    f"SELECT sql FROM duckdb_sequences() {_OWN} ORDER BY sequence_oid",
    f"SELECT sql FROM duckdb_tables() {_OWN} AND NOT internal ORDER BY table_oid",
    f"SELECT sql FROM duckdb_indexes() {_OWN} AND sql IS NOT NULL ORDER BY index_oid",
    f"SELECT sql FROM duckdb_views() {_OWN} AND NOT internal ORDER BY view_oid",
)
_ENUMS = f"SELECT type_name, labels FROM duckdb_types() {_OWN} AND NOT internal AND logical_type = 'ENUM'"
_MACROS = f"""
    SELECT function_name, parameters, macro_definition, function_type = 'table_macro' FROM duckdb_functions() {_OWN}
    AND NOT internal AND function_type IN ('macro', 'table_macro')
"""
Settings = Mapping[str, str | bool | int | float | list[str]]


def in_memory(
    original: duckdb.DuckDBPyConnection, settings: Settings, tables: Iterable[TableRows]
) -> duckdb.DuckDBPyConnection:
    """A database in memory that holds these rows; those that types or constraints refuse are left out.

    Raises:
        InputError: a table or view of the original cannot be made there.
    """
    connection = duckdb.connect(":memory:", config=dict(settings))
    [(name,)] = original.execute("SELECT current_database()").fetchall()
    connection.execute(f"ATTACH ':memory:' AS {in_quotes(name)}")
    connection.execute(f"USE {in_quotes(name)}")
    _define(connection, _definitions(original))
    for table in tables:
        _fill(connection, table)
    return connection


def _definitions(original: duckdb.DuckDBPyConnection) -> list[str]:
    found = [
        f"CREATE TYPE {in_quotes(name)} AS ENUM ({', '.join(map(_literal, labels))})"
        for name, labels in original.execute(_ENUMS).fetchall()
    ]
    for query in _DEFINITIONS:
        found += [definition for (definition,) in original.execute(query).fetchall()]
    for name, parameters, body, is_table in original.execute(_MACROS).fetchall():
        kind = "TABLE " if is_table else ""
        listed = ", ".join(map(in_quotes, parameters))
        found.append(f"CREATE MACRO {in_quotes(name)}({listed}) AS {kind}{body}")
    return found


def _literal(text: str) -> str:
    quoted = text.replace("'", "''")
    return f"'{quoted}'"


def _define(connection: duckdb.DuckDBPyConnection, definitions: list[str]) -> None:
    """Execute definitions; one that needs another one comes after it."""
    while definitions:
        waiting, error = [], None
        for definition in definitions:
            try:
                connection.execute(definition)
            except duckdb.Error as found:
                waiting.append(definition)
                error = found
        if len(waiting) == len(definitions):
            raise InputError(
                f"{waiting[0].splitlines()[0]!r} cannot be made again in memory for a suite: {error}; leave suite out"
            ) from error
        definitions = waiting


def _fill(connection: duckdb.DuckDBPyConnection, table: TableRows) -> None:
    name = in_quotes(table.name)
    taken = [
        number for number, column in enumerate(table.columns) if _takes(connection, name, column)
    ]
    listed = ", ".join(in_quotes(table.columns[number]) for number in taken)
    statement = f"INSERT INTO {name} ({listed}) VALUES ({', '.join('?' * len(taken))})"
    intervals = _intervals(connection, table.name)
    rows = [
        tuple(_given(row[number], table.columns[number] in intervals) for number in taken)
        for row in table.rows
    ]
    if not _insert(connection, statement, rows):
        for row in rows:
            _insert(connection, statement, [row])


def _takes(connection: duckdb.DuckDBPyConnection, name: str, column: str) -> bool:
    """Whether rows are inserted with a column; those that are generated have no mark in the catalog."""
    try:
        connection.execute(f"INSERT INTO {name} ({in_quotes(column)}) SELECT NULL WHERE false")
    except duckdb.BinderException:
        return False
    return True


def _intervals(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    found = connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = ? AND data_type = 'INTERVAL'",
        [table],
    )
    return {name for (name,) in found.fetchall()}


def _given(value: Any, is_interval: bool) -> Any:
    return value.replace(", ", " ") if is_interval and isinstance(value, str) else value


def _insert(connection: duckdb.DuckDBPyConnection, statement: str, rows: list[Row]) -> bool:
    """Insert all of the rows, or none."""
    if not rows:
        return True
    connection.execute("BEGIN")
    try:
        connection.executemany(statement, rows)
        connection.execute("COMMIT")
    except duckdb.Error:
        connection.execute("ROLLBACK")
        return False
    return True
