"""A content of a made suite as temporary tables of a PostgreSQL session, which hide those of the same names."""

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql

from sqladder.databases.conversion import Row
from sqladder.databases.native_contents import TableRows
from sqladder.errors import InputError

_COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod), attgenerated != '' FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
"""
_VIEWS = """
    SELECT relname, rtrim(pg_get_viewdef(oid), ';') FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm') ORDER BY oid
"""
# All that LIKE can take over but identities: rows bring their numbers.
_LIKE = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING GENERATED"
Connection = psycopg.Connection[Any]


def load(connection: Connection, tables: Iterable[TableRows]) -> None:
    """Make temporary tables and views, and fill them; rows that types or constraints refuse are left out.

    Raises:
        InputError: the role may not make temporary tables, or one of them cannot be made.
    """
    # Before a temporary table hides what a view reads, so that it is not written with its schema.
    views = connection.execute(_VIEWS).fetchall()
    name = ""
    try:
        with connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            for table in tables:
                name = table.name
                _make(connection, table)
            for name, query in views:
                connection.execute(
                    sql.SQL("CREATE TEMPORARY VIEW {} AS {}").format(
                        sql.Identifier(name), sql.SQL(query)
                    )
                )
    except psycopg.Error as error:
        raise InputError(
            f"{name!r} cannot be made again as a temporary one for a suite: {error}. Give the role that right (GRANT "
            "TEMPORARY ON DATABASE ... TO ...) if it lacks it, or leave suite out"
        ) from error


def _make(connection: Connection, table: TableRows) -> None:
    public, temporary = (sql.Identifier(schema, table.name) for schema in ("public", "pg_temp"))
    connection.execute(
        sql.SQL(f"CREATE TEMPORARY TABLE {{}} (LIKE {{}} {_LIKE})").format(
            sql.Identifier(table.name), public
        )
    )
    described = connection.execute(_COLUMNS, (public.as_string(connection),)).fetchall()
    types = {name: kind for name, kind, is_generated in described if not is_generated}
    taken = [number for number, name in enumerate(table.columns) if name in types]
    start = sql.SQL("INSERT INTO {} ({}) VALUES ").format(
        temporary,
        sql.SQL(", ").join(sql.Identifier(table.columns[number]) for number in taken),
    )
    kinds = [types[table.columns[number]] for number in taken]
    rows = [
        tuple(_given(row[number], kind) for number, kind in zip(taken, kinds, strict=True))
        for row in table.rows
    ]
    _insert(connection, start, rows)


def _insert(connection: Connection, start: sql.Composed, rows: list[Row]) -> None:
    """Insert those of the rows that the server takes, in their order: all at once, or else a half after the other."""
    if not rows:
        return
    one = sql.SQL("({})").format(sql.SQL(", ").join([sql.Placeholder()] * len(rows[0])))
    try:
        with connection.transaction():
            statement = start + sql.SQL(", ").join([one] * len(rows))
            connection.execute(statement, [value for row in rows for value in row])
    except psycopg.Error:
        if len(rows) > 1:
            middle = len(rows) // 2
            _insert(connection, start, rows[:middle])
            _insert(connection, start, rows[middle:])


def _given(value: Any, kind: str) -> Any:
    """A value as text that the server reads as one of a column's type."""
    if value is None or isinstance(value, bytes):
        return value
    text = str(value)
    if kind == "interval":
        return text.replace(", ", " ")
    if kind.endswith("[]"):
        # What is no list, the server refuses.
        with suppress(ValueError):
            return _array(json.loads(text))
    return text


def _array(value: object) -> str:
    match value:
        case list():
            return "{" + ",".join(map(_array, value)) + "}"
        case None:
            return "NULL"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case _:
            return str(value)
