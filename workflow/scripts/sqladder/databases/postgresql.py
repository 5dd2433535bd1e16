"""PostgreSQL behind the interface of all engines: the schema `public` of a server's database.

Three things keep a query from doing harm: it is declared as a cursor, which takes nothing but a query and, sent as a
prepared statement, only one; its transaction is read-only and always rolled back; and a role with superuser rights,
which could read and write the server's files through functions, is not accepted.
"""

import threading
from collections.abc import Iterator

import psycopg
from psycopg import sql as composed

from sqladder.databases.conversion import Answer, Row, sqlite_row
from sqladder.databases.schema import Database, Table, table_of_catalog
from sqladder.databases.urls import check_url, without_password
from sqladder.errors import InputError
from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import QueryError

_CHUNK = 1024
_CONNECT_SECONDS = 10

_COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
    FROM pg_attribute a
    WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""
_KEYS = """
    SELECT CASE c.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'FOREIGN KEY' END,
        ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY k(n, place)
              JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY place),
        f.relname::text,
        ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY k(n, place)
              JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY place)
    FROM pg_constraint c LEFT JOIN pg_class f ON f.oid = c.confrelid
    WHERE c.conrelid = %s AND c.contype IN ('p', 'f') AND c.conparentid = 0
    ORDER BY c.conname
"""
# Partitions are parts of their table.
_TABLES = """
    SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    ORDER BY c.oid
"""


class PostgresqlEngine:
    """A database of a PostgreSQL server, by URL; the password comes from PGPASSWORD or ~/.pgpass."""

    def __init__(self, url: str, limits: Limits) -> None:
        check_url(url)
        self._limits = limits
        try:
            self._connection = psycopg.connect(
                url,
                autocommit=True,
                connect_timeout=_CONNECT_SECONDS,
                options=f"-c statement_timeout={round(limits.timeout * 1000)}",
            )
        except psycopg.Error as error:
            raise InputError(f"{without_password(url)} cannot be opened: {error}") from error
        self._connection.read_only = True
        self._refuse_superuser()

    def _refuse_superuser(self) -> None:
        [(name, is_superuser)] = self._connection.execute(
            "SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchall()
        if is_superuser:
            self.close()
            raise InputError(
                f"the PostgreSQL role {name!r} is a superuser, whose queries could read the server's files; "
                "connect with a role that may only read this database"
            )

    def schema(self) -> Database:
        """Read tables of the schema `public` with their keys."""
        tables = self._connection.execute(_TABLES).fetchall()
        return Database(tuple(self._table(key, name) for key, name in tables))

    def _table(self, key: int, name: str) -> Table:
        columns = self._connection.execute(_COLUMNS, (key,)).fetchall()
        keys = self._connection.execute(_KEYS, (key,)).fetchall()
        return table_of_catalog(name, columns, keys)

    def execute(self, sql: str) -> Answer:
        """Run one query in a read-only transaction, which is rolled back; the server ends it after the time limit."""
        statement = "DECLARE sqladder NO SCROLL CURSOR FOR " + sql.strip().rstrip(";")
        # The server's own limit counts each fetch anew.
        timer = threading.Timer(self._limits.timeout, self._connection.cancel_safe)
        timer.start()
        try:
            with self._connection.transaction(force_rollback=True):
                # As bytes and without parameters, so that a % in the text stays one.
                self._connection.execute(statement.encode(), prepare=True)
                return self._fetch()
        except psycopg.errors.QueryCanceled as error:
            raise QueryError("timeout", "seconds", self._limits.timeout) from error
        except (psycopg.Error, UnicodeEncodeError) as error:
            raise QueryError("sql_error", "error", found=str(error).splitlines()[0]) from error
        finally:
            timer.cancel()

    def _fetch(self) -> Answer:
        rows: list[Row] = []
        while True:
            cursor = self._connection.execute(f"FETCH {_CHUNK} FROM sqladder")
            chunk = cursor.fetchall()
            rows += map(sqlite_row, chunk)
            if len(rows) > self._limits.max_rows:
                raise QueryError("refused", "result_rows", self._limits.max_rows)
            if len(chunk) < _CHUNK:
                return Answer(rows, len(cursor.description or ()))

    def rows(self, table: str) -> Iterator[Row]:
        """Read a table."""
        with self._connection.transaction(), self._connection.cursor("sqladder_rows") as cursor:
            cursor.execute(
                composed.SQL("SELECT * FROM {}").format(composed.Identifier("public", table))
            )
            yield from map(sqlite_row, cursor)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
