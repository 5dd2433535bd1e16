"""Execute every gold query once, before anything is built on it: which fail, give nothing, or are too slow?

Queries run in a process of their own, one database after the other, under the limits of the scoring. A query that the
process does not survive, or that outlasts every limit inside it, costs that process and its own row of the table, no
more.
"""

import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

from sqladder.databases.conversion import Answer
from sqladder.databases.engine import Engine, name_of, open_engine
from sqladder.databases.urls import is_url
from sqladder.errors import InputError
from sqladder.files import Row
from sqladder.metric import lexer
from sqladder.metric.allowances import column_places
from sqladder.metric.equality import TooHardError, results_equal
from sqladder.metric.limits import Limits
from sqladder.metric.normalise import Repairs, executable, order_matters, prepare_gold
from sqladder.metric.sandbox import QueryError
from sqladder.metric.suite import same_query
from sqladder.metric.worker import confine
from sqladder.native.ordering import order_matters as native_order
from sqladder.processes.guarded import Death, guarded

OK, EMPTY, SLOW, FAILING, DISPUTED = "ok", "empty", "slow", "failing", "disputed"
DIALECT = "dialect"
"""Of a failing query that is right in another engine's dialect; gold_dialects.py finds it."""
PROBLEMS = (FAILING, DIALECT, EMPTY, SLOW)
OFFICIAL: Repairs = frozenset()


@dataclass(frozen=True)
class Check:
    """What became of one gold query: a status, why, how many rows, seconds of execution, and why it is ambiguous."""

    status: str
    detail: str
    rows: int | None
    seconds: float
    ambiguous: str = ""


@dataclass(frozen=True)
class _Query:
    """A gold query, the query that somebody holds to be right instead or "", and the columns that it calls optional."""

    sql: str
    repair: str
    optional: tuple[str | int, ...]


@dataclass(frozen=True)
class _Scoring:
    """What one execution may cost, and which quirks of the official evaluator are repaired, or that none could be.

    Attributes:
        limits: what one execution may cost.
        mended: quirks that the scoring does not have.
        dialect: of the engine where the data live, if the scoring is there.
    """

    limits: Limits
    mended: Repairs
    dialect: str = ""

    def executed(self, sql: str) -> str:
        """The text that the scoring executes for a gold query."""
        if self.dialect:
            return sql
        return executable(prepare_gold(sql, repairs=self.mended), self.mended)

    def equal(
        self, expected: Answer, result: Answer, gold: str, *, number_keys: bool = False
    ) -> bool:
        """Whether two results are equal, as the scoring compares them."""
        order = (
            native_order(gold, self.dialect) if self.dialect else order_matters(gold, self.mended)
        )
        number_keys = number_keys or bool(self.dialect) or "number-keys" in self.mended
        try:
            return results_equal(expected.rows, result.rows, order, number_keys=number_keys)
        except TooHardError:
            return False


def check_golds(
    examples: Iterable[Row],
    databases: Mapping[str, Path | str],
    limits: Limits,
    originals: Mapping[str, str] | None = None,
    progress: Callable[[], object] = lambda: None,
    repairs: Mapping[str, str] | None = None,
    mended: Repairs = OFFICIAL,
    dialect: str = "",
) -> dict[str, Check]:
    """Execute the gold of every example.

    Args:
        examples: id, db_id, sql.
        databases: db_id -> its SQLite file, or with `dialect` the database of another engine.
        limits: what one execution may cost.
        originals: db_id -> the database of another engine that the SQLite file is a copy of, if it is one. The gold is
            executed there as well, and fails if the copy gives another result.
        progress: called after each query.
        repairs: id -> the query that somebody holds to be right; gold that gives another result on a file of the suite
            is disputed.
        mended: quirks of the official evaluator that the scoring does not have, from `normalise.REPAIRS`.
        dialect: of that other engine, where the scoring is there, of texts as they are written.

    Returns:
        id -> check.
    """
    groups: dict[str, list[Row]] = {}
    for row in examples:
        groups.setdefault(row["db_id"], []).append(row)
    checks, scoring = {}, _Scoring(limits, mended, dialect)
    for db_id, rows in groups.items():
        original = (originals or {}).get(db_id, "")
        queries = [query for row in rows for query in _queries_of(row, repairs or {})]
        found = _check_database(str(databases[db_id]), original, queries, scoring)
        for row in rows:
            first, *others = (next(found) for _ in (row["sql"], *row.get("alternatives", ())))
            checks[row["id"]] = _with_alternatives(first, others)
            progress()
    return checks


def _queries_of(row: Row, repairs: Mapping[str, str]) -> Iterator[_Query]:
    """An example's gold query with its repair, and the other queries that are right too."""
    optional = tuple(row.get("optional", ()))
    yield _Query(row["sql"], repairs.get(row["id"], ""), optional)
    yield from (_Query(sql, "", optional) for sql in row.get("alternatives", ()))


def _with_alternatives(check: Check, others: Sequence[Check]) -> Check:
    """The check of a gold query, or of the first of its alternatives that can never be what an answer equals."""
    if check.status not in (FAILING, SLOW):
        for number, other in enumerate(others, start=1):
            if other.status in (FAILING, SLOW):
                return replace(other, detail=f"alternative {number}: {other.detail}")
    return check


def _check_database(
    copy: str, original: str, queries: Sequence[_Query], scoring: _Scoring
) -> Iterator[Check]:
    """Check queries of one database in order; a process that dies is replaced."""
    done = 0
    while done < len(queries):
        for check in _answers(copy, original, queries[done:], scoring):
            yield check
            done += 1


def _answers(
    copy: str, original: str, queries: Sequence[_Query], scoring: _Scoring
) -> Iterator[Check]:
    """Yield checks until the process ends; one that dies or hangs gives that query's check as the last."""
    # The original, and on its copy both the query as it is and the text that is scored.
    engines = 3 if original else 1
    arguments = (copy, original, queries, scoring)
    for answer in guarded(_serve, arguments, len(queries), engines * scoring.limits.timeout):
        if isinstance(answer, InputError):
            raise answer
        yield _cause_of_death(answer, scoring.limits) if isinstance(answer, Death) else answer


def _cause_of_death(death: Death, limits: Limits) -> Check:
    if death.status in (None, -signal.SIGALRM):
        return Check(SLOW, f"more than {limits.timeout:g} s", None, limits.timeout)
    return Check(FAILING, "ended the process that executed it", None, 0.0)


def _serve(
    answers: Connection,
    copy: str,
    original: str,
    queries: Sequence[_Query],
    scoring: _Scoring,
) -> None:
    """Run in the process: answer each query with a check."""
    try:
        engine = open_engine(original, scoring.limits) if original else None
        sandbox = open_engine(copy, scoring.limits)
        if scoring.dialect:
            sandbox.refuse_writers()
    except InputError as error:
        answers.send(error)
        return
    in_sqlite = not (original or scoring.dialect)
    if in_sqlite:
        # Other engines keep their limits themselves, with threads and memory that these would not leave them.
        confine(scoring.limits)
    suite = sorted(Path(copy).parent.glob("*.sqlite")) if in_sqlite else []
    others = [str(file) for file in suite if file != Path(copy)]
    for query in queries:
        sql, repair = query.sql, query.repair
        signal.setitimer(signal.ITIMER_REAL, scoring.limits.timeout if in_sqlite else 0)
        check = _check(query, sandbox, engine, scoring)
        if check.status == EMPTY and _gives_rows(sql, others, scoring):
            check = replace(check, status=OK, detail="no row on the original, but on another file")
        if repair and check.status in (OK, EMPTY):
            dispute = _dispute(sql, repair, [copy, *others], scoring)
            check = replace(check, status=DISPUTED, detail=dispute) if dispute else check
        answers.send(check)


def _gives_rows(sql: str, files: Iterable[str], scoring: _Scoring) -> bool:
    """Whether a query that is empty on the original tells right from wrong on another file of the suite."""
    for file in files:
        engine = open_engine(file, scoring.limits)
        try:
            if engine.execute(scoring.executed(sql)).rows:
                return True
        except QueryError:
            continue
        finally:
            engine.close()
    return False


def _dispute(sql: str, repair: str, files: Iterable[str], scoring: _Scoring) -> str:
    """The first file on which a repair gives another result than gold, as the scoring compares results; or ""."""
    gold = sql if scoring.dialect else prepare_gold(sql, repairs=scoring.mended)
    texts = [scoring.executed(sql), scoring.executed(repair)]
    if same_query(*texts):
        return ""
    for file in files:
        engine = open_engine(file, scoring.limits)
        try:
            expected, result = (engine.execute(text) for text in texts)
        except QueryError as error:
            return f"it or its repair fails on {_name(file)}: {error}"
        finally:
            engine.close()
        if not scoring.equal(expected, result, gold):
            return f"the listed repair gives another result on {_name(file)}"
    return ""


def _name(source: str) -> str:
    return name_of(source) if is_url(source) else Path(source).name


def _check(query: _Query, sandbox: Engine, original: Engine | None, scoring: _Scoring) -> Check:
    start, sql = time.perf_counter(), query.sql
    statement = _first_statement(sql)
    try:
        result = sandbox.execute(scoring.executed(sql))
        expected = original.execute(statement) if original else None
        copied = sandbox.execute(executable(statement, scoring.mended)) if original else None
    except QueryError as error:
        seconds = time.perf_counter() - start
        status = SLOW if error.verdict == "timeout" else FAILING
        return Check(status, str(error), None, round(seconds, 3))
    seconds = round(time.perf_counter() - start, 3)
    if expected and copied and not scoring.equal(expected, copied, statement, number_keys=True):
        detail = "the SQLite copy, on which predictions are scored, gives another result"
        return Check(FAILING, detail, len(expected.rows), seconds)
    if unknown := [own for own in query.optional if not column_places(own, result.names)]:
        names = ", ".join(result.names)
        detail = f"it has no column {unknown[0]!r}, which optional names; it has: {names}"
        return Check(FAILING, detail, len(result.rows), seconds)
    status = OK if result.rows else EMPTY
    return Check(status, "" if result.rows else "no row on any file", len(result.rows), seconds)


def _first_statement(sql: str) -> str:
    """A query without what the scoring does not read either: `;;`, comments and statements behind its end."""
    return "".join(token.text for token in lexer.first_statement(sql))
