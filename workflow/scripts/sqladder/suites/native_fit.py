"""Suites for answers that are judged in another engine than SQLite: contents that it takes, and golds that they fit.

Contents are drawn and chosen in SQLite, for which gold is written in its dialect. That decides which contents there
are, never a verdict: on each content gold and answers are executed by their own engine, as they are written. Gold is
judged on a content where both SQLite and the engine say that its result is no matter of chance, and else on the
original alone.
"""

import sqlite3
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from sqladder.databases.engine import DIALECTS, kind_of
from sqladder.databases.native_contents import open_content, read_content, reads_original
from sqladder.databases.schema import in_quotes
from sqladder.metric.equality import TooHardError, results_equal
from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import QueryError
from sqladder.metric.suite import query_key
from sqladder.native.ordering import order_matters
from sqladder.suites.catalog import read_catalog
from sqladder.suites.contents import drop_orphans
from sqladder.suites.judging import chance_golds, see
from sqladder.suites.making import MadeSuite

_LIMITS = Limits(timeout=10, max_rows=100_000)


def in_sqlite(sql: str, dialect: str) -> str | None:
    """A gold query in SQLite's dialect; None for what cannot be written in it."""
    try:
        tree = parse_one(sql, read=dialect)
        return tree.sql("sqlite") if isinstance(tree, exp.Query) else None
    except (SqlglotError, RecursionError, ValueError):
        return None


def fit(
    suite: MadeSuite, original: Path, written: Mapping[str, str], source: str, pool: Executor
) -> tuple[MadeSuite, dict[str, list[int]]]:
    """Leave out rows that the engine refuses, and find on which contents each gold query can be judged.

    Args:
        suite: the suite; its files are written anew.
        original: the SQLite copy.
        written: gold as it is written -> the same in SQLite's dialect.
        source: the database of the other engine; it is only read.
        pool: processes that execute gold and neighbours in SQLite.

    Returns:
        The suite with what its contents show now, and gold as it is written -> positions of the contents on which it is
        judged; gold that is judged on none is left out.

    Raises:
        InputError: the engine cannot hold a content.
    """
    everything = [list(range(len(gold.neighbours))) for gold in suite.golds]
    by_chance = pool.submit(chance_golds, original, suite.golds, range(len(suite.golds))).result()
    settled = {*range(len(suite.golds))} - {*by_chance, *suite.original.failed}
    places = {query_key(gold.sql) or gold.sql: at for at, gold in enumerate(suite.golds)}
    judged_on: dict[str, list[int]] = {}
    seen = []
    for number, path in enumerate(suite.files):
        _refill(path, original, source)
        shown = pool.submit(see, path, suite.golds, everything).result()
        shown.chance = pool.submit(chance_golds, path, suite.golds, sorted(settled)).result()
        seen.append(shown)
        usable = settled - {*shown.failed, *shown.chance}
        asked = [
            sql
            for sql, text in written.items()
            if places[query_key(text) or text] in usable and not reads_original(sql, source)
        ]
        for sql in _settled_natively(asked, path, source):
            judged_on.setdefault(sql, []).append(number)
    return replace(suite, seen=tuple(seen)), judged_on


def _refill(path: Path, original: Path, source: str) -> None:
    """Give a content the rows that the engine takes, as it stores them."""
    tables = read_content(path)
    with closing(open_content(source, tables, _LIMITS)) as engine:
        stored = {table.name: list(engine.rows(table.name)) for table in tables}
    catalog = read_catalog(original)
    with closing(sqlite3.connect(path, isolation_level=None)) as content:
        content.execute("BEGIN")
        for table in tables:
            name, places = in_quotes(table.name), ", ".join("?" * len(table.columns))
            content.execute(f"DELETE FROM {name}")
            content.executemany(f"INSERT INTO {name} VALUES ({places})", stored[table.name])
        drop_orphans(content, catalog)
        content.execute("COMMIT")


def _settled_natively(golds: list[str], path: Path, source: str) -> list[str]:
    """Those of the gold queries that succeed on a content, with the same result when its rows are stored backwards."""
    dialect, found = DIALECTS[kind_of(source)], []
    with (
        closing(open_content(source, read_content(path), _LIMITS)) as forwards,
        closing(open_content(source, read_content(path, backwards=True), _LIMITS)) as backwards,
    ):
        for sql in golds:
            try:
                here, there = forwards.execute(sql), backwards.execute(sql)
                ordered = order_matters(sql, dialect)
                if results_equal(here.rows, there.rows, ordered, number_keys=True):
                    found.append(sql)
            except (QueryError, TooHardError):
                continue
    return found
