"""Copy a database of another engine into a SQLite file, on which predictions are scored."""

import sqlite3
from contextlib import closing
from itertools import islice
from pathlib import Path

from sqladder.databases.engine import Engine
from sqladder.databases.schema import Table, ddl, quoted
from sqladder.errors import LOG, InputError
from sqladder.files import replacing

_CHUNK = 1024
_SHOWN = 8
_WAY_OUT = "copy or move them to DuckDB's schema main, or PostgreSQL's public"


def export_to_sqlite(engine: Engine, path: Path) -> dict[str, int]:
    """Write every table, with columns, keys and rows, to a new SQLite file; tables of other schemas are warned of.

    Returns:
        Table -> number of its rows.

    Raises:
        InputError: there is no table, or SQLite does not take the schema or a row; nothing is written then.
    """
    database = engine.schema()
    others = _first(database.left_out)
    if not database.tables:
        elsewhere = (
            f", but in other schemas, which are not read: {others}; {_WAY_OUT}" if others else ""
        )
        raise InputError(f"the database for {path} has no table{elsewhere}")
    if others:
        LOG.warning(
            "left out of %s, as other schemas are not read: %s. A question about them has gold that fails; %s",
            *(path.name, others, _WAY_OUT),
        )
    with replacing(path) as temporary, closing(sqlite3.connect(temporary)) as connection:
        try:
            connection.executescript(ddl(database))
            counts = {table.name: _copy(engine, table, connection) for table in database.tables}
            connection.commit()
        except (sqlite3.Error, OverflowError) as error:
            raise InputError(f"SQLite cannot hold what should go to {path}: {error}") from error
    return counts


def _first(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _copy(engine: Engine, table: Table, connection: sqlite3.Connection) -> int:
    places = ", ".join("?" * len(table.columns))
    statement = f"INSERT INTO {quoted(table.name)} VALUES ({places})"
    rows, count = engine.rows(table.name), 0
    while chunk := list(islice(rows, _CHUNK)):
        connection.executemany(statement, chunk)
        count += len(chunk)
    return count
