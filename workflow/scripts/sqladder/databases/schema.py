"""The schema of a SQLite database, read from the file itself and written as SQL; schema_forms.py has more forms."""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqladder.errors import LOG, InputError
from sqladder.metric.read_only import read_only_uri

# Keywords that SQLite rejects, or does not read as a name, where a table or column name stands
# bare; the tests check each against the library. Other keywords (key, desc, ...) need no quotes.
_RESERVED_WORDS = """
    add all alter and as autoincrement between case cast check collate commit constraint create
    current_date current_time current_timestamp default deferrable delete distinct drop else escape
    except exists foreign from group having if in index insert intersect into is isnull join limit
    not nothing notnull null on or order primary raise references returning select set table then
    to transaction union unique update using values when where
"""
RESERVED = frozenset(_RESERVED_WORDS.split())
_BARE_NAME = re.compile(r"[^\W\d][\w$]*")
Write = Callable[[str], str]
"""Writes a name, or a type, as it stands in SQL."""

_BARE_TYPE = re.compile(r"[A-Za-z_]\w*( [A-Za-z_]\w*)*( ?\( ?[+-]?\d+( ?, ?[+-]?\d+)? ?\))?", re.A)


@dataclass(frozen=True)
class Column:
    """One column; `type` is the declared type as SQLite gives it, "" where there is none."""

    name: str
    type: str
    not_null: bool


@dataclass(frozen=True)
class ForeignKey:
    """Columns of a table that refer to columns of `table`; both tuples are of equal length."""

    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One table, or a view; `primary_key` holds column names in key order, () without a key."""

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]
    is_view: bool = False


@dataclass(frozen=True)
class Database:
    """The tables of one database, in the order of their creation.

    Attributes:
        left_out: tables of other schemas than the one that is read, as `schema.table`.
    """

    tables: tuple[Table, ...]
    left_out: tuple[str, ...] = ()


def table_of_catalog(
    name: str, columns: Iterable[Sequence[Any]], keys: Iterable[Sequence[Any]]
) -> Table:
    """The table that an engine's catalog describes.

    Args:
        name: of the table.
        columns: name, type and whether NULL is forbidden.
        keys: "PRIMARY KEY" or "FOREIGN KEY", the columns, and of a foreign key the other table with its columns.
    """
    keys = list(keys)
    primary = [tuple(columns) for kind, columns, _, _ in keys if kind == "PRIMARY KEY"]
    return Table(
        name,
        tuple(Column(column, kind, not_null) for column, kind, not_null in columns),
        primary[0] if primary else (),
        tuple(
            ForeignKey(tuple(columns), table, tuple(references))
            for kind, columns, table, references in keys
            if kind == "FOREIGN KEY"
        ),
    )


@contextmanager
def open_read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Connect to a database file that nobody changes: no locks, no journal, no new file.

    Raises:
        InputError: the file is missing or is not a SQLite database.
    """
    if not path.is_file():
        raise InputError(f"database {path} does not exist")
    with closing(sqlite3.connect(read_only_uri(path), uri=True)) as connection:
        connection.text_factory = lambda text: text.decode("utf-8", errors="replace")
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError as error:
            raise InputError(f"{path} is not a readable SQLite database: {error}") from error
        yield connection


def read_schema(path: Path) -> Database:
    """Read tables, columns and keys of a database file; SQLite's own tables are left out.

    So are those in which a virtual table, such as one of FTS5, keeps its rows: no question is about them.

    Raises:
        InputError: the file is missing, is not a SQLite database, or has no table.
    """
    with open_read_only(path) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
        ).fetchall()
        shadows = _shadow_tables(connection)
        tables = {name: _read_table(connection, name) for (name,) in names if name not in shadows}
    if not tables:
        raise InputError(f"database {path} has no table")
    return Database(tuple(_complete_keys(table, tables) for table in tables.values()))


def _shadow_tables(connection: sqlite3.Connection) -> set[str]:
    # SQLite before 3.37 does not tell them from others.
    with suppress(sqlite3.OperationalError):
        found = connection.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'"
        )
        return {name for (name,) in found}
    return set()


def read_views(path: Path) -> tuple[Table, ...]:
    """The views of a database file with their columns; no row of a view is computed.

    Raises:
        InputError: the file is missing or is not a SQLite database.
    """
    with open_read_only(path) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY rowid"
        ).fetchall()
        views = [_read_view(connection, path, name) for (name,) in names]
    return tuple(view for view in views if view)


def _read_view(connection: sqlite3.Connection, path: Path, name: str) -> Table | None:
    try:
        return replace(_read_table(connection, name), is_view=True)
    except sqlite3.Error as error:
        LOG.warning("%s: view %r is left out, no query can use it: %s", path, name, error)
        return None


def _read_table(connection: sqlite3.Connection, name: str) -> Table:
    # table_xinfo lists generated columns too, which table_info hides; 1 marks truly hidden ones.
    rows = connection.execute(
        'SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?) WHERE hidden != 1', (name,)
    ).fetchall()
    columns = tuple(Column(column, kind, bool(not_null)) for column, kind, not_null, _ in rows)
    key = sorted((position, column) for column, _, _, position in rows if position)
    primary_key = tuple(column for _, column in key)
    # In the order of the columns, each once: the order that `ddl` writes and reads back.
    order = {column.name: position for position, column in enumerate(columns)}
    foreign_keys = sorted(
        dict.fromkeys(_read_foreign_keys(connection, name)),
        key=lambda foreign: [order[column] for column in foreign.columns],
    )
    return Table(name, columns, primary_key, tuple(foreign_keys))


def _read_foreign_keys(connection: sqlite3.Connection, name: str) -> list[ForeignKey]:
    rows = connection.execute(
        'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq',
        (name,),
    ).fetchall()
    keys = []
    for number in dict.fromkeys(row[0] for row in rows):
        parts = [row for row in rows if row[0] == number]
        references = tuple(part[3] for part in parts if part[3] is not None)
        keys.append(ForeignKey(tuple(part[2] for part in parts), parts[0][1], references))
    return keys


def _complete_keys(table: Table, tables: dict[str, Table]) -> Table:
    """Name the columns of `REFERENCES parent` without columns: they are the parent's key."""
    parents = {name.lower(): parent for name, parent in tables.items()}
    keys = []
    for key in table.foreign_keys:
        parent = parents.get(key.table.lower())
        references = key.references or (parent.primary_key if parent else ())
        keys.append(ForeignKey(key.columns, key.table, references))
    return Table(table.name, table.columns, table.primary_key, tuple(keys))


def quoted(name: str) -> str:
    """Write an identifier for SQLite: bare where that reads back as itself, else in quotes."""
    if _BARE_NAME.fullmatch(name) and name.lower() not in RESERVED:
        return name
    return in_quotes(name)


def in_quotes(name: str) -> str:
    """An identifier for a statement of ours, in any of the engines: always in quotes."""
    return '"' + name.replace('"', '""') + '"'


def type_name(kind: str) -> str:
    """Write a column's type for SQLite: bare where that reads back as itself, else in quotes."""
    words = re.split(r"\W+", kind.lower())
    if _BARE_TYPE.fullmatch(kind) and not RESERVED.intersection(words):
        return kind
    return in_quotes(kind)


def ddl(database: Database) -> str:
    """CREATE TABLE statements that load back into SQLite with the same columns and keys."""
    return "\n".join(_create_table(table) for table in database.tables)


def _create_table(table: Table) -> str:
    lines = ",\n  ".join(definition_lines(table))
    return f"CREATE TABLE {quoted(table.name)} (\n  {lines}\n);"


def definition_lines(table: Table, name: Write = quoted, type_of: Write = type_name) -> list[str]:
    """What stands between the parentheses of CREATE TABLE: one line a column, then keys of several columns.

    Args:
        table: what is defined.
        name: writes a name.
        type_of: writes a column's type.
    """
    lines = [_column_line(table, column, name, type_of) for column in table.columns]
    if len(table.primary_key) > 1:
        lines.append(f"PRIMARY KEY ({_names(table.primary_key, name)})")
    return lines + [
        f"FOREIGN KEY ({_names(key.columns, name)}) {_references(key, name)}"
        for key in table.foreign_keys
        if len(key.columns) > 1
    ]


def _column_line(table: Table, column: Column, name: Write, type_of: Write) -> str:
    words = [name(column.name)]
    if column.type:
        words.append(type_of(column.type))
    if column.not_null:
        words.append("NOT NULL")
    if table.primary_key == (column.name,):
        words.append("PRIMARY KEY")
    words += [_references(key, name) for key in table.foreign_keys if key.columns == (column.name,)]
    return " ".join(words)


def _references(key: ForeignKey, name: Write) -> str:
    columns = f" ({_names(key.references, name)})" if key.references else ""
    return f"REFERENCES {name(key.table)}{columns}"


def _names(names: tuple[str, ...], name: Write) -> str:
    return ", ".join(map(name, names))
