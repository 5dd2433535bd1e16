"""What a content of a database must keep: its statements, keys and the values that its columns hold."""

import sqlite3
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from sqladder.databases.schema import (
    Column,
    ForeignKey,
    Table,
    in_quotes,
    open_read_only,
    read_schema,
)

# Rows of the original that are looked at, spread over a table.
_MOST_ROWS = 2_000
_SPECIAL_TABLES = (
    "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('virtual', 'shadow')"
)


@dataclass(frozen=True)
class StoredTable:
    """One table with the values that it holds.

    Attributes:
        table: name, columns, primary key and foreign keys.
        columns: those that rows are inserted with; generated ones are left out.
        unique: names of the columns of each key, the primary one among them.
        values: column -> its different values, NULL left out, at most those of 2,000 rows.
        has_null: columns with a NULL.
        rows: number of rows.
    """

    table: Table
    columns: tuple[Column, ...]
    unique: tuple[tuple[str, ...], ...]
    values: dict[str, list[Any]]
    has_null: frozenset[str]
    rows: int

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    @property
    def single_keys(self) -> frozenset[str]:
        """The columns that are a key by themselves, in lower case."""
        return frozenset(key[0].lower() for key in self.unique if len(key) == 1)

    @property
    def free(self) -> tuple[str, ...]:
        """The columns that may be NULL and are in no key and no foreign key."""
        held = {*chain(*self.unique, *(key.columns for key in self.table.foreign_keys))}
        bound = {name.lower() for name in held}
        return tuple(
            own.name for own in self.columns if not own.not_null and own.name.lower() not in bound
        )

    def holds(self, column: str) -> bool:
        """Whether rows are inserted with a column of this name, whatever its case."""
        return any(own.name.lower() == column.lower() for own in self.columns)


@dataclass(frozen=True)
class Catalog:
    """A database's schema and values.

    Attributes:
        tables: parents before children where that is possible; virtual tables are left out, and stay empty.
        statements: what makes the schema: tables, then indices, views and triggers.
        encoding: of the file's texts.
    """

    tables: tuple[StoredTable, ...]
    statements: tuple[str, ...]
    encoding: str

    def table(self, name: str) -> StoredTable | None:
        """The table of a name, whatever its case."""
        return next((own for own in self.tables if own.name.lower() == name.lower()), None)


def read_catalog(path: Path) -> Catalog:
    """Read what a content keeps of a database file.

    Raises:
        InputError: the file is missing, is no SQLite database, or has no table.
    """
    schema = read_schema(path)
    with open_read_only(path) as connection:
        special = {name for (name,) in connection.execute(_SPECIAL_TABLES)}
        found = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY rowid")
        objects = [
            row for row in found.fetchall() if row[2] and not _is_made_along(row, connection)
        ]
        kinds = ("table", "index", "view", "trigger")
        statements = [sql for kind in kinds for own, _, sql in objects if own == kind]
        (encoding,) = connection.execute("PRAGMA encoding").fetchone()
        tables = [_read(connection, table) for table in schema.tables if table.name not in special]
    return Catalog(tuple(_parents_first(tables)), tuple(statements), encoding)


def _is_made_along(row: tuple[str, str, str], connection: sqlite3.Connection) -> bool:
    """Whether SQLite makes an object itself: its own tables, and those of a virtual table."""
    shadows = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'"
    return row[1].startswith("sqlite_") or (row[1],) in connection.execute(shadows).fetchall()


def _read(connection: sqlite3.Connection, table: Table) -> StoredTable:
    name = in_quotes(table.name)
    generated = {
        column
        for column, hidden in connection.execute(
            "SELECT name, hidden FROM pragma_table_xinfo(?)", (table.name,)
        )
        if hidden
    }
    columns = tuple(column for column in table.columns if column.name not in generated)
    (rows,) = connection.execute(f"SELECT count(*) FROM {name}").fetchone()
    listed = ", ".join(in_quotes(column.name) for column in columns)
    step = max(1, rows // _MOST_ROWS)
    taken = connection.execute(f"SELECT {listed} FROM {name}").fetchall()[::step]
    values = {
        column.name: list(dict.fromkeys(row[at] for row in taken if row[at] is not None))
        for at, column in enumerate(columns)
    }
    has_null = frozenset(
        column.name for at, column in enumerate(columns) if any(row[at] is None for row in taken)
    )
    return StoredTable(table, columns, _unique(connection, table), values, has_null, rows)


def _unique(connection: sqlite3.Connection, table: Table) -> tuple[tuple[str, ...], ...]:
    keys = [table.primary_key] if table.primary_key else []
    indices = connection.execute(
        'SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial', (table.name,)
    )
    for (index,) in indices.fetchall():
        named = connection.execute("SELECT name FROM pragma_index_info(?)", (index,)).fetchall()
        # Of an index over an expression SQLite gives no name; the insertion itself minds that.
        if all(name for (name,) in named):
            keys.append(tuple(name for (name,) in named))
    return tuple(dict.fromkeys(keys))


def _parents_first(tables: list[StoredTable]) -> list[StoredTable]:
    ordered: list[StoredTable] = []
    waiting = list(tables)
    while waiting:
        names = {own.name.lower() for own in waiting}
        free = [own for own in waiting if not _parents(own) & names - {own.name.lower()}]
        # Tables that refer to each other in a circle come in the order of their creation.
        chosen = free or waiting[:1]
        ordered += chosen
        waiting = [own for own in waiting if own not in chosen]
    return ordered


def _parents(own: StoredTable) -> set[str]:
    return {key.table.lower() for key in own.table.foreign_keys}


def is_single(key: ForeignKey) -> bool:
    """Whether a foreign key is of one column."""
    return len(key.columns) == 1 and len(key.references) == 1
