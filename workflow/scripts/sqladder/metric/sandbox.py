"""Execute one query on one database file, so that nothing it says can do harm.

Connections are read-only and immutable; an authorizer lets statements read and nothing else.
What a query may cost is bounded by SQLite's own limits and, independently of the machine's
speed, by a budget of virtual-machine steps. What those cannot see (a single slow step, memory
of this process) is bounded by the worker process around this module: see worker.py.
"""

import hashlib
import marshal
import re
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqladder.metric.limits import Limits
from sqladder.metric.read_only import read_only_uri
from sqladder.metric.reasons import Expected, Found, sentence

# A handler is called every so many steps; the budget is counted in whole calls.
STEPS_PER_CALL = 4_000
# Up to so many steps they are counted one by one.
_STEPS_COUNTED = 100_000
# Most results are small: a short first fetch finds their end without another call.
_FIRST_ROWS, _MORE_ROWS = 16, 1024
_MESSAGE_CHARS = 300
# What sqlite3 raises for a statement, whatever the reason.
_SQLITE_FAILS = (sqlite3.Error, sqlite3.Warning, MemoryError, ValueError, OverflowError)
_ALLOWED = frozenset(
    (
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
    )
)
# Pragmas, and the tables pragma_..., that only tell something; those of the second set only without an argument.
_TELLING_PRAGMAS = frozenset(
    (
        "table_info",
        "table_xinfo",
        "table_list",
        "index_list",
        "index_info",
        "index_xinfo",
        "foreign_key_list",
        "foreign_key_check",
        "database_list",
        "collation_list",
        "function_list",
        "module_list",
        "pragma_list",
        "compile_options",
    )
)
_TELLING_WITHOUT_ARGUMENT = frozenset(
    (
        "application_id",
        "data_version",
        "encoding",
        "freelist_count",
        "page_count",
        "page_size",
        "schema_version",
        "user_version",
    )
)
_FORBIDDEN_FUNCTIONS = frozenset(("load_extension", "fts3_tokenizer"))
# Their result may be another the next time: also where they are given an argument, since that may be 'now'.
_FLEETING_FUNCTIONS = frozenset(
    (
        "random",
        "randomblob",
        "date",
        "time",
        "datetime",
        "julianday",
        "unixepoch",
        "strftime",
        "timediff",
        "current_date",
        "current_time",
        "current_timestamp",
        "changes",
        "total_changes",
        "last_insert_rowid",
    )
)
# printf (alias format) gives NULL, not an error, for a text beyond the length limit, and a NULL would
# change the result unseen. Under SQLite's own limit it meets the heap limit first, and that is an error.
_PRINTF = re.compile("printf|format", re.IGNORECASE)
# SQLite's message for any statement that would change the table of all tables.
_TABLE_OF_TABLES_IS_SAFE = "sqlite_master may not be modified"
_SQLITE_MAX_LENGTH = 1_000_000_000


class QueryError(Exception):
    """A statement gave no result.

    Attributes:
        verdict: what this means for a prediction.
        reason: a code of `reasons.SENTENCES`.
        expected: the limit, or what gold has; None where there is no such thing.
        found: what was there instead, or the message of the database.
    """

    def __init__(
        self, verdict: str, reason: str, expected: Expected = None, found: Found = None
    ) -> None:
        super().__init__(sentence(reason, expected, found))
        self.verdict, self.reason, self.expected, self.found = verdict, reason, expected, found


Row = tuple[object, ...]


@dataclass(frozen=True)
class Result:
    """Rows of a query.

    Attributes:
        rows: the rows.
        names: names of the columns, also where there is no row.
        packed: the rows as bytes; equal bytes are the same rows in the same order, types included.
        complete: false if rows were left out.
    """

    rows: list[Row]
    names: tuple[str, ...]
    packed: list[bytes]
    complete: bool = True

    @property
    def columns(self) -> int:
        """Number of columns."""
        return len(self.names)


class Sandbox:
    """One database file, open for reading by queries that are not trusted.

    Attributes:
        path: the file.
        limits: what one execution may cost.
        steps_spent: virtual-machine steps of all executions so far, in whole handler calls.
        schema: digest of what a query is compiled by; None where that includes statistics of the content.
        lasting: whether the last query, executed or explained, gives the same result whenever it is executed on this
            file, the views that it reads included.

    Args:
        path: the file.
        limits: what one execution may cost.
        reverse_unordered: read rows backwards where a query asks for no order, which shows a result that hangs on it.
    """

    def __init__(self, path: Path, limits: Limits, reverse_unordered: bool = False) -> None:
        self.path, self.limits = path, limits
        self.steps_spent = 0
        self.lasting = True
        self._calls_left = 0
        self._denied = ""
        # Immutable: no lock and no journal, so that a read-only folder is enough and two runs do
        # not see each other. Statements are not cached, because each is executed once.
        self._connection = sqlite3.connect(
            read_only_uri(path), uri=True, isolation_level=None, cached_statements=0
        )
        if reverse_unordered:
            self._connection.execute("PRAGMA reverse_unordered_selects=ON")
        self._harden()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def execute(self, sql: str, max_rows: int | None = None) -> Result:
        """Run one query.

        Args:
            sql: the text, one statement.
            max_rows: stop after one row more than this; the result is then not complete.

        Raises:
            QueryError: the text is no query, is refused, costs too much, or SQLite reports an error.
        """
        self._calls_left = self.limits.max_vm_steps // STEPS_PER_CALL
        self._denied = ""
        self.lasting = True
        _check_text(sql, self.limits.max_sql_chars)
        length = _SQLITE_MAX_LENGTH if _formats(sql) else self.limits.max_bytes
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, length)
        try:
            return self._fetch(self._connection.execute(sql), max_rows)
        except _SQLITE_FAILS as error:
            if _is_undecodable(error):
                return self._execute_ignoring_bad_text(sql, max_rows)
            raise self._explain(error) from error

    def steps_of(self, sql: str) -> int:
        """Virtual-machine steps of a query, one at least: exact up to a hundred thousand, else within four hundredths.

        Raises:
            QueryError: as `execute` does.
        """
        before = self.steps_spent
        self.execute(sql)
        spent = self.steps_spent - before
        if spent > _STEPS_COUNTED:
            return spent
        counted = 0

        def count() -> int:
            nonlocal counted
            counted += 1
            return 0

        self._connection.set_progress_handler(count, 1)
        try:
            self.execute(sql)
        finally:
            self._connection.set_progress_handler(self._spend, STEPS_PER_CALL)
        return max(counted, 1)

    def explain(self, sql: str) -> list[Row]:
        """The program that SQLite compiles a query to, one row an instruction; nothing is executed.

        Raises:
            QueryError: SQLite does not compile it.
        """
        self._calls_left = self.limits.max_vm_steps // STEPS_PER_CALL
        self._denied = ""
        self.lasting = True
        try:
            return self._connection.execute(f"EXPLAIN {sql}").fetchall()
        except _SQLITE_FAILS as error:
            raise self._explain(error) from error

    def _execute_ignoring_bad_text(self, sql: str, max_rows: int | None) -> Result:
        # Stored text that is not UTF-8 loses its bad bytes, as in the official evaluator. The
        # plain way is tried first because a Python function for each value costs a fifth more.
        self._connection.text_factory = lambda raw: raw.decode(errors="ignore")
        try:
            return self._fetch(self._connection.execute(sql), max_rows)
        except _SQLITE_FAILS as error:
            raise self._explain(error) from error
        finally:
            self._connection.text_factory = str

    def _fetch(self, cursor: sqlite3.Cursor, max_rows: int | None) -> Result:
        # Statements that change nothing that the authorizer knows, such as REINDEX, come this far.
        if cursor.description is None:
            raise QueryError("no_sql", "no_query")
        wanted = self.limits.max_rows if max_rows is None else max_rows
        rows: list[Row] = []
        packed: list[bytes] = []
        space = self.limits.max_bytes
        for chunk in _chunks(cursor):
            rows += chunk
            if len(rows) > wanted:
                break
            # Version 2 of the format writes every value out, so equal bytes are equal values.
            packed.append(marshal.dumps(chunk, 2))
            space -= len(packed[-1])
            if space < 0:
                raise QueryError("refused", "result_bytes", self.limits.max_bytes)
        names = tuple(column[0] for column in cursor.description)
        cursor.close()
        if max_rows is None and len(rows) > wanted:
            raise QueryError("refused", "result_rows", wanted)
        return Result(rows, names, packed, complete=len(rows) <= wanted)

    def _harden(self) -> None:
        connection = self._connection
        for name, value in _sqlite_limits(self.limits):
            connection.setlimit(name, value)
        # SQLite's own default, set because a build may have another: without it, a generated column or an index over
        # json_extract makes the whole file unreadable. Functions with side effects are refused in either case.
        connection.execute("PRAGMA trusted_schema=ON")
        connection.execute("PRAGMA temp_store=MEMORY")
        # For all connections of the process. SQLite fails cleanly at its half; the other half is
        # for the rows in Python.
        connection.execute(f"PRAGMA hard_heap_limit={self.limits.memory_mb * 2**20 // 2}")
        self.schema = self._read_schema()
        # Last, because it would refuse the lines above.
        connection.set_authorizer(self._authorize)
        connection.set_progress_handler(self._spend, STEPS_PER_CALL)

    def _read_schema(self) -> bytes | None:
        try:
            schema = self._connection.execute(
                "SELECT type, name, tbl_name, sql FROM sqlite_master"
            ).fetchall()
        except sqlite3.Error:
            # No database: an error of each query on it.
            return None
        for kind, name, _, sql in schema:
            if kind == "table" and (sql or "").lower().startswith("create virtual"):
                self._connect_virtual_table(name)
        if any("sqlite_stat" in name for _, name, *_ in schema):
            return None
        return hashlib.blake2b(marshal.dumps(schema, 2)).digest()

    def _connect_virtual_table(self, name: str) -> None:
        # An R*Tree prepares its writing statements when it is first read, which nobody can tell from a query that
        # writes. What cannot be connected is an error of the query that reads it.
        quoted = name.replace('"', '""')
        with suppress(sqlite3.Error):
            self._connection.execute(f'SELECT 1 FROM "{quoted}" LIMIT 0')

    def _authorize(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if action not in _ALLOWED and not _only_tells(action, first, second):
            self._denied = _ACTION_NAMES.get(action, f"action {action}")
            return sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_FUNCTION:
            name = (second or "").lower()
            if name in _FORBIDDEN_FUNCTIONS:
                self._denied = f"function {second}"
                return sqlite3.SQLITE_DENY
            self.lasting = self.lasting and name not in _FLEETING_FUNCTIONS
        return sqlite3.SQLITE_OK

    def _spend(self) -> int:
        self._calls_left -= 1
        self.steps_spent += STEPS_PER_CALL
        return int(self._calls_left < 0)

    def _explain(self, error: Exception) -> QueryError:
        """Turn an exception of sqlite3 into the verdict it stands for."""
        if self._denied:
            return QueryError("refused", "not_allowed", found=self._denied)
        if _TABLE_OF_TABLES_IS_SAFE in str(error):
            return QueryError("refused", "not_allowed", found="update")
        if self._calls_left < 0:
            return QueryError("timeout", "steps", self.limits.max_vm_steps)
        if isinstance(error, MemoryError) or "out of memory" in str(error):
            return QueryError("refused", "memory", self.limits.memory_mb)
        if "too big" in str(error):
            return QueryError("refused", "value_bytes", self.limits.max_bytes)
        if "one statement at a time" in str(error):
            return QueryError("refused", "statements")
        # A message can quote the whole query.
        return QueryError("sql_error", "error", found=str(error)[:_MESSAGE_CHARS])


_ACTION_NAMES = {
    getattr(sqlite3, f"SQLITE_{name}"): name.lower().replace("_", " ")
    for name in re.findall(
        r"\w+",
        """CREATE_INDEX CREATE_TABLE CREATE_TEMP_INDEX CREATE_TEMP_TABLE CREATE_TEMP_TRIGGER
        CREATE_TEMP_VIEW CREATE_TRIGGER CREATE_VIEW CREATE_VTABLE INSERT UPDATE DELETE PRAGMA
        TRANSACTION SAVEPOINT ATTACH DETACH ALTER_TABLE REINDEX ANALYZE DROP_INDEX DROP_TABLE
        DROP_TEMP_INDEX DROP_TEMP_TABLE DROP_TEMP_TRIGGER DROP_TEMP_VIEW DROP_TRIGGER DROP_VIEW
        DROP_VTABLE""",
    )
}


def _only_tells(action: int, first: str | None, second: str | None) -> bool:
    """Whether an action that may change something does not."""
    if action == sqlite3.SQLITE_PRAGMA:
        name = (first or "").lower()
        return name in _TELLING_PRAGMAS or (name in _TELLING_WITHOUT_ARGUMENT and second is None)
    # What SQLite asks when json_each and the like are first read; real changes of that table are an error below.
    return action == sqlite3.SQLITE_UPDATE and first == "sqlite_master"


def _sqlite_limits(limits: Limits) -> Iterator[tuple[int, int]]:
    yield sqlite3.SQLITE_LIMIT_SQL_LENGTH, 4 * limits.max_sql_chars
    yield sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000
    # Nothing that reading needs.
    yield sqlite3.SQLITE_LIMIT_ATTACHED, 0
    yield sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1
    # Full-text search and R*Trees write their own statements with parameters; one in a query has no value.
    yield sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 2000
    yield sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0
    # SQLite's own defaults, set because a build may have others and verdicts should not differ.
    yield sqlite3.SQLITE_LIMIT_COLUMN, 2000
    yield sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 500
    yield sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 1000
    yield sqlite3.SQLITE_LIMIT_FUNCTION_ARG, 127
    yield sqlite3.SQLITE_LIMIT_VDBE_OP, 10_000_000


def _check_text(sql: str, max_sql_chars: int) -> None:
    if len(sql) > max_sql_chars:
        raise QueryError("refused", "characters", max_sql_chars, len(sql))
    if "\0" in sql:
        raise QueryError("refused", "nul")
    if not sql.isascii() and any("\ud800" <= character <= "\udfff" for character in sql):
        raise QueryError("refused", "surrogate")


@lru_cache(maxsize=2)
def _formats(sql: str) -> bool:
    """Whether a text may format; remembered, because a query is executed on one file after the other."""
    return _PRINTF.search(sql) is not None


def _chunks(cursor: sqlite3.Cursor) -> Iterator[list[Row]]:
    wanted = _FIRST_ROWS
    while chunk := cursor.fetchmany(wanted):
        yield chunk
        if len(chunk) < wanted:
            return
        wanted = _MORE_ROWS


def _is_undecodable(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "decode to UTF-8" in str(error)
