"""PostgreSQL behind the interface of all engines: the schema `public` of a server's database.

Three things keep a query from doing harm: it is declared as a cursor, which takes nothing but a query and, sent as a
prepared statement, only one; its transaction is read-only and always rolled back; and a role with superuser rights,
which could read and write the server's files through functions, is not accepted.
"""

import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import psycopg
from psycopg import sql as composed

from sqladder.databases.conversion import Answer, Row, collect, sqlite_row
from sqladder.databases.native_contents import TableRows
from sqladder.databases.postgresql_contents import load
from sqladder.databases.postgresql_role import WAY_OUT, powers
from sqladder.databases.postgresql_values import keep_every_value
from sqladder.databases.query_text import MESSAGE_CHARS, check_text
from sqladder.databases.schema import Database, Table, table_of_catalog
from sqladder.databases.shown import Shown, Spelling, names_of
from sqladder.databases.urls import check_url, without_password
from sqladder.errors import InputError
from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import QueryError

DIALECT = "postgres"
_CHUNK = 1024
_NO_MEMORY = re.compile("out of memory|cannot allocate memory")
_REFUSED = (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.InsufficientPrivilege)
_CONNECT_SECONDS = 10

# What acts on other sessions, reaches other servers, writes what no rollback undoes, or runs a text as a query; in
# literals too, where such a text could hold them. With U& a name can be written so that it is not seen.
_ACTING = re.compile(
    r"""(?<!\w)(?: pg_(?:terminate|cancel)_backend | pg_(?:try_)?advisory_\w+ | pg_logical_emit_message | pg_notify
    | dblink(?:_\w+)? | lo_(?:creat|create|unlink|import|export|from_bytea|put|get|open|lseek\w*|truncate\w*) | loread
    | lowrite | query_to_xml\w* | cursor_to_xml\w* | ts_stat | ts_rewrite
    )(?!\w) | (?<!\w)u&" """,
    re.VERBOSE | re.IGNORECASE,
)

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
_OTHER_TABLES = """
    SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('public', 'information_schema') AND n.nspname !~ '^pg_'
    AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    ORDER BY c.oid
"""
_VIEWS = """
    SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('v', 'm')
    ORDER BY c.oid
"""


class PostgresqlEngine:
    """A database of a PostgreSQL server, by URL, or a session with other rows under the names of its tables.

    The password comes from PGPASSWORD or ~/.pgpass.
    """

    def __init__(
        self, url: str, limits: Limits, content: Sequence[TableRows] | None = None
    ) -> None:
        check_url(url)
        self._url, self._limits, self._content = url, limits, content
        try:
            self._connection = self._connect()
        except psycopg.Error as error:
            raise InputError(f"{without_password(url)} cannot be opened: {error}") from error
        self._refuse_superuser()

    def _connect(self) -> psycopg.Connection[Row]:
        connection = psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            client_encoding="utf8",
            options=f"-c statement_timeout={round(self._limits.timeout * 1000)}",
        )
        keep_every_value(connection)
        if self._content is not None:
            load(connection, self._content)
        connection.read_only = True
        return connection

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

    def refuse_writers(self) -> None:
        """Refuse a role that may do more than read."""
        [(name,)] = self._connection.execute("SELECT current_user").fetchall()
        found = list(powers(self._connection))
        if found:
            self.close()
            raise InputError(
                f"the PostgreSQL role {name!r} may do more than read {without_password(self._url)}: "
                f"{'; '.join(found)}. Answers of a model are executed with it: {WAY_OUT}"
            )

    def name(self) -> str:
        """The engine's name."""
        return "PostgreSQL"

    def version(self) -> str:
        """The server's version."""
        [(version,)] = self._connection.execute("SHOW server_version").fetchall()
        return str(version)

    def schema(self) -> Database:
        """Read tables of the schema `public` with their keys."""
        tables = self._connection.execute(_TABLES).fetchall()
        others = self._connection.execute(_OTHER_TABLES).fetchall()
        return Database(
            tuple(self._table(key, name) for key, name in tables), tuple(name for (name,) in others)
        )

    def shown(self) -> Shown:
        """Read tables and views of the schema `public`; names stand as the server quotes them."""
        views = self._connection.execute(_VIEWS).fetchall()
        tables = [replace(self._table(key, name), is_view=True) for key, name in views]
        database = Database((*self.schema().tables, *tables))
        names = self._connection.execute(
            "SELECT name, quote_ident(name) FROM unnest(%s::text[]) name WHERE quote_ident(name) != name",
            (names_of(database),),
        ).fetchall()
        return Shown(database, Spelling(DIALECT, dict(names), self.name()))

    def _table(self, key: int, name: str) -> Table:
        columns = self._connection.execute(_COLUMNS, (key,)).fetchall()
        keys = self._connection.execute(_KEYS, (key,)).fetchall()
        return table_of_catalog(name, columns, keys)

    def execute(self, sql: str, max_rows: int | None = None) -> Answer:
        """Run one query in a read-only transaction, which is rolled back; the server ends it after the time limit."""
        check_text(sql, self._limits)
        if found := _ACTING.search(sql):
            raise QueryError("refused", "not_allowed", found=found[0])
        for is_last in (False, True):
            if self._connection.closed:
                self._reconnect()
            try:
                return self._run(sql, max_rows)
            except (psycopg.Error, UnicodeDecodeError) as error:
                # A restart of the server, or somebody who ended the session or the query, says nothing of this text.
                is_canceled = isinstance(error, psycopg.errors.QueryCanceled)
                if is_last or not (is_canceled or self._connection.closed):
                    raise self._explain(error) from error
        raise AssertionError("the last try returns or raises")

    def _run(self, sql: str, max_rows: int | None) -> Answer:
        statement = "DECLARE sqladder NO SCROLL CURSOR FOR " + sql.strip().rstrip(";")
        # The server's own limit counts each fetch anew.
        timer = threading.Timer(self._limits.timeout, self._connection.cancel_safe)
        timer.start()
        start = time.monotonic()
        try:
            with self._connection.transaction(force_rollback=True):
                # As bytes and without parameters, so that a % in the text stays one.
                self._connection.execute(statement.encode(), prepare=True)
                return self._fetch(max_rows, start)
        except psycopg.errors.QueryCanceled as error:
            if time.monotonic() - start < 0.9 * self._limits.timeout:
                raise
            raise QueryError("timeout", "seconds", self._limits.timeout) from error
        finally:
            timer.cancel()
            # One that is at it may not meet the next query.
            timer.join()

    def _explain(self, error: Exception) -> QueryError:
        if isinstance(error, _REFUSED):
            return QueryError("refused", "not_allowed", found=_told(error))
        # Of this process, which has no number for it, or of the server.
        is_ours = getattr(error, "sqlstate", "") is None and _NO_MEMORY.search(str(error))
        if is_ours or isinstance(error, psycopg.errors.OutOfMemory):
            return QueryError("refused", "memory", self._limits.memory_mb)
        # The protocol takes one statement, and of no other error of syntax the place is unknown.
        if isinstance(error, psycopg.errors.SyntaxError) and error.diag.statement_position is None:
            return QueryError("refused", "statements")
        return QueryError("sql_error", "error", found=_told(error))

    def _reconnect(self) -> None:
        try:
            self._connection = self._connect()
        except psycopg.Error as error:
            raise InputError(
                f"{without_password(self._url)} cannot be opened again: {error}"
            ) from error

    def _fetch(self, max_rows: int | None, start: float) -> Answer:
        cursor = self._connection.execute(f"FETCH {_CHUNK} FROM sqladder")
        names = [column.name for column in cursor.description or ()]
        return collect(self._chunks(cursor.fetchall()), names, self._limits, max_rows, start)

    def _chunks(self, chunk: list[Row]) -> Iterator[list[Row]]:
        yield chunk
        while len(chunk) == _CHUNK:
            chunk = self._connection.execute(f"FETCH {_CHUNK} FROM sqladder").fetchall()
            yield chunk

    def rows(self, table: str) -> Iterator[Row]:
        """Read a table."""
        with self._connection.transaction(), self._connection.cursor("sqladder_rows") as cursor:
            cursor.execute(
                composed.SQL("SELECT * FROM {}").format(composed.Identifier(self._schema(), table))
            )
            yield from map(sqlite_row, cursor)

    def _schema(self) -> str:
        return "public" if self._content is None else "pg_temp"

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _told(error: Exception) -> str:
    """What the server says, on one line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:MESSAGE_CHARS]
