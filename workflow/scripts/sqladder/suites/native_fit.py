"""Suites for answers that are judged in another engine than SQLite: contents that it takes, and golds that they fit.

Contents are drawn and chosen in SQLite, for which gold is written in its dialect. That decides which contents there
are, never a verdict: on each content gold and answers are executed by their own engine, as they are written. Gold is
judged on a content where both SQLite and the engine say that its result is no matter of chance, and else on the
original alone.
"""

import re
import sqlite3
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from sqladder.databases.engine import DIALECTS, kind_of, open_engine
from sqladder.databases.native_contents import TableRows, open_content, read_content, reads_original
from sqladder.databases.schema import in_quotes
from sqladder.metric.equality import TooHardError, results_equal
from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import QueryError
from sqladder.metric.suite import query_key
from sqladder.native.ordering import order_matters
from sqladder.suites.catalog import Catalog, read_catalog
from sqladder.suites.contents import drop_orphans
from sqladder.suites.judging import chance_golds, see
from sqladder.suites.making import MadeSuite

_LIMITS = Limits(timeout=10, max_rows=100_000)
# Types of whose values the engine takes nearly all that are drawn; others are lists, enumerations, JSON and the like.
_FREE = re.compile(
    r"(?:\w*int(?:eger)?\d*|numeric|decimal|real|double|float\d*|varchar|char|character|text|date|time|timestamp|"
    r"bool|boolean|bytea|blob|uuid)\b",
    re.IGNORECASE,
)


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
    bound = _bound_columns(source)
    for number, path in enumerate(suite.files):
        _refill(path, original, source, bound)
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


def _bound_columns(source: str) -> dict[str, set[str]]:
    """Table -> its columns of types that take few values."""
    with closing(open_engine(source, _LIMITS)) as engine:
        return {
            table.name: {
                own.name for own in table.columns if "[" in own.type or not _FREE.match(own.type)
            }
            for table in engine.schema().tables
        }


def _within(table: TableRows, bound: set[str], catalog: Catalog) -> TableRows:
    """A table with values that the original has, in columns whose types take few others."""
    stored = catalog.table(table.name)
    known = [
        stored.values.get(name, []) if stored and name in bound else None for name in table.columns
    ]
    rows = [
        tuple(_one_of(value, own) for value, own in zip(row, known, strict=True))
        for row in table.rows
    ]
    return replace(table, rows=rows)


def _one_of(value: Any, known: list[Any] | None) -> Any:
    if known is None or value is None or value in known:
        return value
    # The same for the same value, so that what was equal stays so.
    return known[crc32(repr(value).encode()) % len(known)] if known else None


def _refill(path: Path, original: Path, source: str, bound: Mapping[str, set[str]]) -> None:
    """Give a content the rows that the engine takes, as it stores them."""
    catalog = read_catalog(original)
    tables = [_within(table, bound.get(table.name, set()), catalog) for table in read_content(path)]
    with closing(open_content(source, tables, _LIMITS)) as engine:
        stored = {table.name: list(engine.rows(table.name)) for table in tables}
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
