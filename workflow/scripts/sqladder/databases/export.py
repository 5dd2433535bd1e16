"""Copy a database of another engine into a SQLite file, on which predictions are scored."""

import sqlite3
from contextlib import closing
from itertools import islice
from pathlib import Path

from sqladder.databases.engine import Engine
from sqladder.databases.schema import Table, ddl, quoted
from sqladder.errors import InputError
from sqladder.files import replacing

_CHUNK = 1024


def export_to_sqlite(engine: Engine, path: Path) -> dict[str, int]:
    """Write every table, with columns, keys and rows, to a new SQLite file.

    Returns:
        Table -> number of its rows.

    Raises:
        InputError: there is no table, or SQLite does not take the schema or a row; nothing is written then.
    """
    database = engine.schema()
    if not database.tables:
        raise InputError(f"the database for {path} has no table")
    with replacing(path) as temporary, closing(sqlite3.connect(temporary)) as connection:
        try:
            connection.executescript(ddl(database))
            counts = {table.name: _copy(engine, table, connection) for table in database.tables}
            connection.commit()
        except (sqlite3.Error, OverflowError) as error:
            raise InputError(f"SQLite cannot hold what should go to {path}: {error}") from error
    return counts


def _copy(engine: Engine, table: Table, connection: sqlite3.Connection) -> int:
    places = ", ".join("?" * len(table.columns))
    statement = f"INSERT INTO {quoted(table.name)} VALUES ({places})"
    rows, count = engine.rows(table.name), 0
    while chunk := list(islice(rows, _CHUNK)):
        connection.executemany(statement, chunk)
        count += len(chunk)
    return count
