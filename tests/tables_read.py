"""Which tables a statement reads, by SQLite's own account: what schema linking is measured against."""

import sqlite3
from pathlib import Path

from sqladder.databases.schema import open_read_only


def tables_read(path: Path, sql: str) -> set[str]:
    """Name the tables that a statement reads, in lower case, as SQLite says on compiling it.

    The statement is not run.

    Raises:
        sqlite3.Error: the statement does not compile on this database.
    """
    tables: set[str] = set()

    def note(action: int, table: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ and table:
            tables.add(table.lower())
        return sqlite3.SQLITE_OK

    with open_read_only(path) as connection:
        connection.set_authorizer(note)
        connection.execute(f"EXPLAIN {sql}")
    return tables - {"sqlite_master", "sqlite_schema"}
