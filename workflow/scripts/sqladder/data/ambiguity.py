"""Gold queries whose result hangs on the order of rows in the file: a right answer may give another one.

Each is executed as it is, with rows read backwards where it asks for no order (SQLite's `reverse_unordered_selects`),
and on a copy of the original whose rows are stored in another order. Where it, or a query inside it, sorts and cuts,
the rows on both sides of the cut are compared; where the order of its rows counts, each row with the next.
"""

import logging
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from sqladder.data.gold_execution import DISPUTED, OK, Check
from sqladder.databases.schema import in_quotes
from sqladder.files import Row
from sqladder.metric.database_files import suite_of
from sqladder.metric.equality import TooHardError, results_equal
from sqladder.metric.limits import Limits
from sqladder.metric.normalise import Repairs, executable, order_matters, prepare_gold
from sqladder.metric.sandbox import QueryError, Sandbox
from sqladder.metric.showing import VALUE, cut
from sqladder.suites.golds import parsed
from sqladder.suites.ties import Tie, TieQuery, order_query, tie_of, tie_queries

MOST_BYTES = 200_000_000
"""Larger databases are not copied with their rows in another order."""


@dataclass(frozen=True)
class _Gold:
    """A gold query as the scoring executes it, whether the order of its rows counts, and where it may have ties."""

    sql: str
    ordered: bool
    ties: tuple[TieQuery, ...]


def with_ambiguity(
    examples: Sequence[Row],
    databases: Mapping[str, Path],
    limits: Limits,
    mended: Repairs,
    checks: Mapping[str, Check],
) -> dict[str, Check]:
    """Checks of gold queries, those that hang on the order of rows with what shows it; see `ambiguous_golds`."""
    # What sqlglot cannot read has no ties that it could show.
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    asked = [row for row in examples if checks[row["id"]].status in (OK, DISPUTED)]
    with tqdm(total=len(asked), desc="ambiguous gold", unit="query", disable=None) as bar:
        found = ambiguous_golds(asked, databases, limits, mended, bar.update)
    return {key: replace(check, ambiguous=found.get(key, "")) for key, check in checks.items()}


def ambiguous_golds(
    examples: Iterable[Row],
    databases: Mapping[str, Path],
    limits: Limits,
    mended: Repairs,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, str]:
    """Why gold queries are ambiguous.

    Args:
        examples: id, db_id, sql, and alternatives where there are some; those whose gold is executed without error.
        databases: db_id -> its SQLite file; the other files beside it are its suite.
        limits: what one execution may cost.
        mended: quirks of the official evaluator that the scoring does not have.
        progress: called after each example.

    Returns:
        id -> what shows it, in words; without those that are not ambiguous.
    """
    groups: dict[str, list[Row]] = {}
    for row in examples:
        groups.setdefault(row["db_id"], []).append(row)
    found = {}
    for db_id, rows in groups.items():
        original = databases[db_id]
        with ExitStack() as stack:
            contents = _Contents(original, limits, stack)
            known: dict[str, str] = {}
            for row in rows:
                for number, sql in enumerate((row["sql"], *row.get("alternatives", ()))):
                    if sql not in known:
                        known[sql] = contents.ambiguity(_gold_of(sql, mended), mended)
                    if known[sql]:
                        found[row["id"]] = f"alternative {number}: " * bool(number) + known[sql]
                        break
                progress()
    return found


def _gold_of(sql: str, mended: Repairs) -> _Gold:
    prepared = prepare_gold(sql, repairs=mended)
    tree = parsed(sql)
    ties = tie_queries(tree) if tree else ()
    ordered = order_matters(prepared, mended)
    order = order_query(tree) if tree and ordered else None
    return _Gold(executable(prepared, mended), ordered, (*ties, *([order] if order else ())))


class _Contents:
    """The files of a database's suite, open forwards and backwards, and the original with its rows in another order."""

    def __init__(self, original: Path, limits: Limits, stack: ExitStack) -> None:
        self._pairs = [
            tuple(
                stack.enter_context(closing(Sandbox(path, limits, reverse_unordered=backwards)))
                for backwards in (False, True)
            )
            for path in suite_of(original)
        ]
        self._shuffled: Sandbox | None = None
        if original.stat().st_size <= MOST_BYTES:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            copy = folder / original.name
            write_shuffled(original, copy)
            self._shuffled = stack.enter_context(closing(Sandbox(copy, limits)))

    def ambiguity(self, gold: _Gold, mended: Repairs) -> str:
        """What shows that a gold query is ambiguous, "" where nothing does."""
        for forwards, backwards in self._pairs:
            file = forwards.path.name
            for query in gold.ties:
                tie = tie_of(query, forwards)
                if tie and tie.last != tie.next:
                    return f"{file}: {_tie_in_words(tie)}"
            if _differ(gold, mended, forwards, backwards):
                if _differ(gold, mended, forwards, forwards):
                    return f"{file}: another result each time"
                return f"{file}: another result when rows are read backwards"
        if self._shuffled and _differ(gold, mended, self._pairs[0][0], self._shuffled):
            return (
                f"{self._shuffled.path.name}: another result when rows are stored in another order"
            )
        return ""


def _tie_in_words(tie: Tie) -> str:
    keys, last, following = map(_shown, (tie.keys, tie.last, tie.next))
    if tie.cut is None:
        return f"{last} and {following} are sorted alike by {keys}: either may be first"
    rows = "row" if tie.cut == 1 else f"{tie.cut} rows"
    sides = "not in, {} is" if tie.enters else "in, {} is not"
    return (
        f"the first {rows} of several sorted alike by {keys}: {last} is {sides.format(following)}"
    )


def _shown(row: Sequence[object]) -> str:
    values = ("NULL" if value is None else cut(str(value), VALUE) for value in row)
    return f"({', '.join(values)})"


def _differ(gold: _Gold, mended: Repairs, *contents: Sandbox) -> bool:
    try:
        one, other = (content.execute(gold.sql).rows for content in contents)
        return not results_equal(one, other, gold.ordered, "number-keys" in mended)
    except (QueryError, TooHardError):
        # Beyond the limits only there: nothing is known.
        return False


def write_shuffled(source: Path, target: Path, seed: int = 0) -> None:
    """Copy a SQLite database with the rows of each table stored in another order, where its key leaves that free.

    A table that is stored by its own key (INTEGER PRIMARY KEY, WITHOUT ROWID) has one order.
    """
    shutil.copyfile(source, target)
    rng = random.Random(seed)
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("BEGIN")
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {in_quotes(trigger)}")
        for table in _free_tables(connection):
            ids = [row for (row,) in connection.execute(f"SELECT rowid FROM {in_quotes(table)}")]
            places = list(range(len(ids)))
            rng.shuffle(places)
            # Behind all that are taken, so that no two rows ever have one.
            last = max(ids, default=0)
            places_of = {own: last + 1 + place for own, place in zip(ids, places, strict=True)}
            connection.create_function("shuffled", 1, places_of.__getitem__)
            connection.execute(f"UPDATE {in_quotes(table)} SET rowid = shuffled(rowid)")
        connection.execute("COMMIT")


def _free_tables(connection: sqlite3.Connection) -> Iterator[str]:
    """Tables whose rows are stored by a number that no column holds."""
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' "
        "AND sql NOT LIKE 'create virtual%'"
    ).fetchall()
    for (name,) in tables:
        columns = connection.execute(f"PRAGMA table_info({in_quotes(name)})").fetchall()
        own = [kind.upper() for _, _, kind, _, _, key in columns if key]
        if own == ["INTEGER"] or "rowid" in {column[1].lower() for column in columns}:
            continue
        try:
            connection.execute(f"SELECT rowid FROM {in_quotes(name)} LIMIT 0")
        except sqlite3.OperationalError:
            continue
        yield name
