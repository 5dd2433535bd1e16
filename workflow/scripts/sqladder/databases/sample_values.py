"""A few values of every column, read from the first rows of each table."""

import sqlite3
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from sqladder.databases.schema import Database, Table, in_quotes, open_read_only
from sqladder.errors import InputError

Value = str | int | float
ColumnName = tuple[str, str]  # table, column
ColumnValues = Mapping[ColumnName, tuple[Value, ...]]

# Rows read of each table: enough to meet other values, and the same work on a table of any size.
ROWS = 200
# Characters; a longer value is left out whole, because a cut one is not in the database.
LONGEST = 50


def is_writable(value: object, longest: int = LONGEST) -> bool:
    """Whether a value can be written on one line of a prompt and typed into a query as it is."""
    if isinstance(value, str):
        controls = any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in value)
        return 0 < len(value.strip()) <= len(value) <= longest and not (
            controls or "\ufffd" in value
        )
    return isinstance(value, int | float)


def read_examples(path: Path, database: Database, count: int = 3) -> ColumnValues:
    """Read up to `count` different values of each column, in the order of the rows.

    Raises:
        InputError: a table cannot be read.
    """
    values: dict[ColumnName, tuple[Value, ...]] = {}
    with open_read_only(path) as connection:
        for table in database.tables:
            columns = _columns_of_first_rows(connection, path, table)
            for column, found in zip(table.columns, columns, strict=True):
                different = dict.fromkeys(
                    value for value in found if value is not None and is_writable(value)
                )
                values[table.name, column.name] = tuple(different)[:count]
    return values


def _columns_of_first_rows(
    connection: sqlite3.Connection, path: Path, table: Table
) -> list[Iterable[Value | None]]:
    # A BLOB may be huge and no prompt shows one; a text is cut just beyond what is_writable admits.
    parts = [
        f"CASE typeof({name}) WHEN 'blob' THEN NULL WHEN 'text' THEN substr({name}, 1, {LONGEST + 1})"
        f" ELSE {name} END"
        for name in (in_quotes(column.name) for column in table.columns)
    ]
    statement = f"SELECT {', '.join(parts)} FROM {in_quotes(table.name)} LIMIT {ROWS}"
    try:
        rows = connection.execute(statement).fetchall()
    except sqlite3.DatabaseError as error:
        raise InputError(f"{path}: table {table.name!r} cannot be read: {error}") from error
    return list(zip(*rows, strict=True)) if rows else [() for _ in table.columns]
