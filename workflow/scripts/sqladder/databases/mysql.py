"""MySQL and MariaDB behind the interface of all engines: one database of a server.

Several things keep a query from doing harm: its text has to begin as a query, and the protocol takes one statement; its
transaction is read-only and rolled back; files of this machine are never sent; and where answers of a model are
executed, a role that may do more than read is not accepted.
"""

import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pymysql
from pymysql.constants import FIELD_TYPE
from pymysql.converters import decoders
from pymysql.cursors import SSCursor

from sqladder.databases.conversion import Answer, Row, collect, sqlite_row
from sqladder.databases.mysql_role import WAY_OUT, powers
from sqladder.databases.query_text import (
    MESSAGE_CHARS,
    bare,
    check_text,
    first_word,
)
from sqladder.databases.schema import Database, Table, table_of_catalog
from sqladder.databases.shown import Shown, Spelling, names_of
from sqladder.databases.urls import check_url, without_password
from sqladder.errors import InputError
from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import QueryError

DIALECT = "mysql"
_CHUNK = 1024
_CONNECT_SECONDS = 10
# What locks rows, waits for others, reads a file, or is a comment that the server executes.
_ACTING = re.compile(
    r"""\bfor\s+(?:share|update)\b | \block\s+in\s+share\s+mode\b | \b(?:get_lock | release_lock | release_all_locks
    | load_file | master_pos_wait | master_gtid_wait | source_pos_wait | wait_for_executed_gtid_set)\b | /\*M?!""",
    re.VERBOSE | re.IGNORECASE,
)
_QUERIES = frozenset(("select", "with", "values", "table"))
# Error numbers: MySQL's reference of server errors, and MariaDB's list of error codes.
_DENIED = frozenset((1044, 1045, 1142, 1143, 1227, 1290, 1792))
_ENDED, _INTERRUPTED = frozenset((1969, 3024)), 1317
_PLAIN = re.compile(r"[A-Za-z_][\w$]*", re.ASCII)
# Dates and times stay the text that the server sends, which is ISO's, and may be of a day that no calendar has.
_DECODERS = {
    kind: decode
    for kind, decode in decoders.items()
    if kind not in (FIELD_TYPE.DATE, FIELD_TYPE.TIME, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP)
}

_TABLES = """
    SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = %s
    ORDER BY create_time, table_name
"""
_COLUMNS = """
    SELECT column_name, column_type, is_nullable = 'NO' FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = %s ORDER BY ordinal_position
"""
_KEYS = """
    SELECT constraint_name, column_name, referenced_table_name, referenced_column_name
    FROM information_schema.key_column_usage
    WHERE table_schema = DATABASE() AND table_name = %s
    AND (constraint_name = 'PRIMARY' OR referenced_table_name IS NOT NULL)
    ORDER BY constraint_name, ordinal_position
"""


class MysqlEngine:
    """A database of a MySQL or MariaDB server, by URL; the password comes from MYSQL_PWD or ~/.my.cnf."""

    def __init__(self, url: str, limits: Limits) -> None:
        check_url(url)
        self._url, self._limits = url, limits
        try:
            self._connection = self._connect()
        except (pymysql.Error, OSError, ValueError) as error:
            raise InputError(f"{without_password(url)} cannot be opened: {_told(error)}") from error

    def _connect(self) -> "pymysql.Connection[Any]":
        parts, options = urlsplit(self._url), dict(parse_qsl(urlsplit(self._url).query))
        own_file = Path("~/.my.cnf").expanduser()
        connection = pymysql.connect(
            host=parts.hostname,
            port=parts.port or 0,
            user=unquote(parts.username or "") or None,
            password=os.environ.get("MYSQL_PWD", ""),
            database=unquote(parts.path.lstrip("/")) or None,
            unix_socket=options.get("unix_socket"),
            ssl_ca=options.get("ssl_ca"),
            read_default_file=str(own_file) if own_file.is_file() else None,
            charset="utf8mb4",
            conv=_DECODERS,
            connect_timeout=_CONNECT_SECONDS,
            autocommit=True,
            local_infile=False,
        )
        limit = (
            "max_statement_time = {:.3f}"
            if _is_mariadb(connection)
            else "max_execution_time = {:.0f}"
        )
        # After ours, which can tell what was ended from what came to an end: some functions just return then.
        seconds = self._limits.timeout + 1
        with connection.cursor() as cursor:
            cursor.execute(
                "SET SESSION "
                + limit.format(seconds if _is_mariadb(connection) else 1000 * seconds)
            )
        return connection

    def _read(self, query: str, *values: str) -> list[Row]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, values or None)
            return list(cursor.fetchall())

    def refuse_writers(self) -> None:
        """Refuse a role that may do more than read."""
        found = list(powers(self._read))
        if found:
            [(name,)] = self._read("SELECT current_user()")
            self.close()
            raise InputError(
                f"the user {name!r} may do more than read {without_password(self._url)}: {'; '.join(found)}. "
                f"Answers of a model are executed with it: {WAY_OUT}"
            )

    def name(self) -> str:
        """Which of both servers it is."""
        return "MariaDB" if _is_mariadb(self._connection) else "MySQL"

    def version(self) -> str:
        """The server's version."""
        [(version,)] = self._read("SELECT version()")
        return str(version)

    def schema(self) -> Database:
        """Read the database's tables with their keys."""
        tables = self._read(_TABLES, "BASE TABLE")
        return Database(tuple(self._table(name) for (name,) in tables))

    def shown(self) -> Shown:
        """Read tables and views; names that the server would not take for names stand in backticks."""
        views = [
            replace(self._table(name), is_view=True) for (name,) in self._read(_TABLES, "VIEW")
        ]
        database = Database((*self.schema().tables, *views))
        names = {
            name: f"`{name.replace('`', '``')}`"
            for name in names_of(database)
            if not self._is_plain(name)
        }
        return Shown(database, Spelling(DIALECT, names, self.name()))

    def _is_plain(self, name: str) -> bool:
        if not _PLAIN.fullmatch(name):
            return False
        try:
            self._read(f"SELECT 1 AS {name}")
        except pymysql.Error:
            return False
        return True

    def _table(self, name: str) -> Table:
        keys: dict[str, tuple[str, list[str], str, list[str]]] = {}
        for constraint, column, table, reference in self._read(_KEYS, name):
            kind = "PRIMARY KEY" if table is None else "FOREIGN KEY"
            key = keys.setdefault(constraint, (kind, [], table, []))
            key[1].append(column)
            key[3].append(reference)
        columns = [
            (own, kind, bool(required)) for own, kind, required in self._read(_COLUMNS, name)
        ]
        return table_of_catalog(name, columns, keys.values())

    def execute(self, sql: str, max_rows: int | None = None) -> Answer:
        """Run one query in a read-only transaction, which is rolled back; it is ended after the time limit."""
        check_text(sql, self._limits)
        if first_word(sql) not in _QUERIES:
            raise QueryError("no_sql", "no_query")
        text = bare(sql, DIALECT)
        if ";" in text.strip(" \t\r\n;"):
            raise QueryError("refused", "statements")
        if found := _ACTING.search(text):
            raise QueryError("refused", "not_allowed", found=found[0])
        # Variables, locks and the last number of a session are nothing that one query may leave to the next.
        connection = self._connect_again()
        late, start = threading.Event(), time.monotonic()
        timer = threading.Timer(self._limits.timeout, self._kill, [connection.thread_id(), late])
        timer.start()
        cursor, is_read = SSCursor(connection), False
        try:
            answer = self._fetch(cursor, sql, max_rows, start)
            is_read = answer.complete
        except pymysql.Error as error:
            is_read = True
            is_late = late.is_set() or time.monotonic() - start > 0.9 * self._limits.timeout
            raise self._explain(error, is_late) from error
        except UnicodeDecodeError as error:
            raise QueryError("sql_error", "error", found=_told(error)) from error
        finally:
            timer.cancel()
            timer.join()
            if not is_read:
                self._kill(connection.thread_id(), threading.Event())
            # It reads up to the error that the server sends now.
            with suppress(pymysql.Error):
                cursor.close()
            with suppress(pymysql.Error):
                connection.close()
        # Some functions return when they are interrupted, as if nothing had been.
        if late.is_set():
            raise QueryError("timeout", "seconds", self._limits.timeout)
        return answer

    def _fetch(self, cursor: SSCursor, sql: str, max_rows: int | None, start: float) -> Answer:
        cursor.execute("START TRANSACTION READ ONLY")
        cursor.execute(sql)
        if cursor.description is None:
            raise QueryError("no_sql", "no_query")
        names = [column[0] for column in cursor.description]
        return collect(_chunks(cursor), names, self._limits, max_rows, start)

    def _kill(self, thread: int, late: threading.Event) -> None:
        late.set()
        # It may have ended by itself meanwhile.
        with suppress(pymysql.Error, OSError), self._connect() as other, other.cursor() as cursor:
            cursor.execute(f"KILL QUERY {thread:d}")

    def _explain(self, error: pymysql.Error, late: bool) -> QueryError:
        number = error.args[0] if error.args else None
        if number in _ENDED or (late and number == _INTERRUPTED):
            return QueryError("timeout", "seconds", self._limits.timeout)
        if number in _DENIED:
            return QueryError("refused", "not_allowed", found=_told(error))
        return QueryError("sql_error", "error", found=_told(error))

    def _connect_again(self) -> "pymysql.Connection[Any]":
        try:
            return self._connect()
        except (pymysql.Error, OSError) as error:
            raise InputError(
                f"{without_password(self._url)} cannot be opened again: {_told(error)}"
            ) from error

    def rows(self, table: str) -> Iterator[Row]:
        """Read a table."""
        with SSCursor(self._connection) as cursor:
            cursor.execute(f"SELECT * FROM `{table.replace('`', '``')}`")
            for chunk in _chunks(cursor):
                yield from map(sqlite_row, chunk)

    def close(self) -> None:
        """Close the connection."""
        if self._connection.open:
            self._connection.close()


def _is_mariadb(connection: "pymysql.Connection[Any]") -> bool:
    return "mariadb" in str(connection.get_server_info()).lower()


def _chunks(cursor: SSCursor) -> Iterator[list[Row]]:
    while chunk := cursor.fetchmany(_CHUNK):
        yield list(chunk)


def _told(error: Exception) -> str:
    """What the server says, on one line, without the error's number."""
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    return (text.splitlines() or [type(error).__name__])[0][:MESSAGE_CHARS]
