"""Name what went wrong in each failure: from its verdict, the engine's message, and both queries.

A query can be wrong in several ways. Its kind is the first that applies, in the order of `KINDS`
within what is known: what SQLite complained about, or else how the query differs from gold.
"""

import logging
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import sqlglot
from sqlglot import exp

from sqladder.databases.dialects import Tables, dialect_fault
from sqladder.databases.schema import Database
from sqladder.files import Row
from sqladder.metric.reasons import sentence

KINDS = {
    "no_sql": "no SQL",
    "dialect": "another engine's dialect",
    "syntax": "syntax",
    "unknown_table": "unknown table",
    "unknown_column": "unknown column",
    "wrong_table": "right column of the wrong table",
    "timeout": "timeout",
    "columns": "extra or missing columns",
    "missing_join": "missing join",
    "wrong_aggregate": "wrong aggregate",
    "wrong_value": "wrong filter value",
    "wrong_filter": "wrong filter condition",
    "wrong_order": "wrong order or limit",
    "extra_join": "extra join",
    "gold_dialect": "gold in another engine's dialect",
    "gold_error": "gold query fails",
    "other": "other",
}
"""Kinds of failure with the names that the report prints, in the order of tables and charts."""

_DECIDING = ("verdict", "reason", "expected", "found")
"""What of a verdict decides its kind."""

PARSED = 4_000
"""Characters of a query that is still compared by its parts; degenerate answers are longer."""

# As SQLite, PostgreSQL, DuckDB, and MySQL or MariaDB say it.
_SYNTAX = re.compile(
    r"syntax error|incomplete input|unrecognized token|unterminated quoted|error in your SQL syntax"
)
_NO_TABLE = re.compile(
    r"no such table: (\S+)|relation \"([^\"]+)\" does not exist|Table with name (\S+) does not exist"
    r"|Table '([^']+)' doesn't exist"
)
_NO_COLUMN = re.compile(
    r"no such column: (.+)|column \"?([^\" ]+)\"? does not exist|[Cc]olumn \"([^\"]+)\" not found"
    r"|Unknown column '([^']+)'|does not have a column named \"([^\"]+)\""
)
_AGGREGATE = re.compile(
    r"misuse of aggregate.*|aggregate functions? .*not allowed.*|.*cannot contain aggregates.*"
    r"|Invalid use of group function"
)

# What sqlglot cannot read of a hostile query is no news.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

Columns = Mapping[str, frozenset[str]]
"""Column name in lower case -> the tables of one database that have it."""


class Failure(NamedTuple):
    """What went wrong: a key of `KINDS`, and the thing that shows it, "" where there is none."""

    kind: str
    reason: str


@dataclass(frozen=True)
class Shape:
    """The parts of a query that are compared, names in lower case and without their aliases."""

    tables: frozenset[str]
    aggregates: Counter[str]
    filters: Counter[Hashable]
    values: Counter[str]
    order: tuple[Hashable, ...]
    selected: tuple[str, ...]


def columns_of(database: Database) -> Columns:
    """Index a schema's columns by their names."""
    found: dict[str, set[str]] = {}
    for table in database.tables:
        for column in table.columns:
            found.setdefault(column.name.lower(), set()).add(table.name)
    return {name: frozenset(tables) for name, tables in found.items()}


def tables_of(columns: Columns) -> Tables:
    """The tables of an index of columns."""
    found: dict[str, list[str]] = {}
    for name, tables in columns.items():
        for table in tables:
            found.setdefault(table, []).append(name)
    return found


def sort_failures(
    questions: Sequence[Row],
    verdicts: Sequence[Row],
    predictions: Sequence[Row],
    columns: Mapping[str, Columns],
    known: dict[Hashable, Failure] | None = None,
    dialect: str = "sqlite",
) -> Iterator[Row]:
    """The failures of one variant as rows: id, kind, reason.

    Args:
        questions: id, db_id and gold sql, in the order of the result.
        verdicts: of each question verdict, reason, expected and found.
        predictions: of each question sql.
        columns: db_id -> columns of that database.
        known: what is sorted already, of this and other variants; it grows.
        dialect: of the engine that judged.
    """
    known = {} if known is None else known
    for place, (question, verdict) in enumerate(zip(questions, verdicts, strict=True)):
        if verdict["verdict"] != "correct":
            answer = predictions[place]["sql"]
            key = (question["id"], answer, *map(verdict.get, _DECIDING))
            if key not in known:
                own = columns[question["db_id"]]
                known[key] = classify(verdict, question["sql"], answer, own, dialect)
            yield {"id": question["id"], **known[key]._asdict()}


def classify(
    verdict: Row, gold: str, answer: str, columns: Columns, dialect: str = "sqlite"
) -> Failure:
    """Name what went wrong in one failure."""
    kind, reason = verdict["verdict"], verdict["reason"]
    if reason == "error" and kind in ("sql_error", "gold_error"):
        text = gold if kind == "gold_error" else answer
        if fault := dialect_fault(text, verdict["found"], tables_of(columns), dialect):
            return Failure("gold_dialect" if kind == "gold_error" else "dialect", fault)
    if kind in ("no_sql", "timeout", "gold_error"):
        return Failure(kind, "")
    if reason == "error":
        return _error(verdict["found"], columns)
    if reason == "statements":
        return Failure("syntax", "")
    if kind == "wrong_result" and reason != "columns":
        return _wrong_result(gold, answer, columns, dialect)
    told = sentence(reason, verdict["expected"], verdict["found"])
    return Failure("columns" if reason == "columns" else "other", told)


def _error(message: str, columns: Columns) -> Failure:
    """Sort by the engine's message."""
    if _SYNTAX.search(message):
        return Failure("syntax", "")
    if found := _NO_TABLE.search(message):
        return Failure("unknown_table", _first(found))
    if found := _NO_COLUMN.search(message):
        name = _first(found).strip()
        table, _, column = (part.strip('"`[]').lower() for part in name.rpartition("."))
        owners = columns.get(column)
        if owners is None:
            return Failure("unknown_column", name)
        if table in map(str.lower, owners):
            return Failure("missing_join", f"names {name} without reading that table")
        return Failure("wrong_table", f"{name}, a column of {', '.join(sorted(owners))}")
    if found := _AGGREGATE.search(message):
        return Failure("wrong_aggregate", found[0])
    return Failure("other", message)


def _first(found: re.Match[str]) -> str:
    """What the alternative that fits has found."""
    return next(filter(None, found.groups()))


def _wrong_result(gold: str, answer: str, columns: Columns, dialect: str) -> Failure:
    """Sort by the first part in which the query differs from gold."""
    wanted, given = shape(gold, columns, dialect), shape(answer, columns, dialect)
    if wanted is None or given is None:
        return Failure("other", "")
    if missing := sorted(wanted.tables - given.tables):
        return Failure("missing_join", f"does not read {', '.join(missing)}")
    if wanted.aggregates != given.aggregates:
        return Failure("wrong_aggregate", _instead(given.aggregates, wanted.aggregates))
    if wanted.filters == given.filters and wanted.values != given.values:
        return Failure("wrong_value", _instead(given.values, wanted.values))
    return _last_differences(wanted, given)


def _last_differences(wanted: Shape, given: Shape) -> Failure:
    if wanted.filters != given.filters:
        return Failure("wrong_filter", "")
    if wanted.selected != given.selected:
        return Failure("columns", _instead(Counter(given.selected), Counter(wanted.selected)))
    if wanted.order != given.order:
        return Failure("wrong_order", "")
    if extra := sorted(given.tables - wanted.tables):
        return Failure("extra_join", f"also reads {', '.join(extra)}")
    return Failure("other", "")


def _instead(given: Counter[str], wanted: Counter[str]) -> str:
    sides = (sorted((given - wanted).elements()), sorted((wanted - given).elements()))
    return " instead of ".join(", ".join(side) or "none" for side in sides)


def shape(sql: str, columns: Columns, dialect: str = "sqlite") -> Shape | None:
    """Take a query apart; None if it is too long or cannot be read."""
    return None if len(sql) > PARSED else _shape(sql, frozenset(columns), dialect)


@lru_cache(maxsize=20_000)
def _shape(sql: str, columns: frozenset[str], dialect: str) -> Shape | None:
    """Nobody changes a shape: gold and equal answers, which come once for each variant, share it."""
    try:
        tree = sqlglot.parse_one(sql, read=dialect)
        # One walk for all parts: it takes longer than to parse.
        nodes = list(tree.walk())
        clauses = [node for node in nodes if isinstance(node, exp.Where | exp.Having)]
        return Shape(
            tables=_tables(nodes),
            aggregates=Counter(_aggregate(node) for node in nodes if isinstance(node, exp.AggFunc)),
            filters=Counter(_filters(clauses, columns)),
            values=Counter(_values(clauses, columns)),
            order=tuple(_order(nodes)),
            selected=tuple(sorted(_selected(tree))),
        )
    except (sqlglot.errors.SqlglotError, RecursionError):
        return None


def _tables(nodes: Sequence[exp.Expr]) -> frozenset[str]:
    named = {node.alias.lower() for node in nodes if isinstance(node, exp.CTE)}
    return frozenset(node.name.lower() for node in nodes if isinstance(node, exp.Table)) - named


def _aggregate(node: exp.AggFunc) -> str:
    distinct = " distinct" if isinstance(node.this, exp.Distinct) else ""
    return f"{node.key}{distinct}"


def _is_text(node: exp.Expr, columns: frozenset[str]) -> bool:
    """SQLite reads "Joe" as a text where no column has that name, and much gold relies on it."""
    if isinstance(node, exp.Literal):
        return True
    quoted = isinstance(node, exp.Column) and not node.table and node.this.args.get("quoted")
    return bool(quoted) and node.name.lower() not in columns


def _filters(clauses: Iterable[exp.Expr], columns: frozenset[str]) -> Iterator[Hashable]:
    for clause in clauses:
        for predicate in clause.find_all(exp.Predicate):
            names = (c for c in predicate.find_all(exp.Column) if not _is_text(c, columns))
            yield predicate.key, tuple(sorted(column.name.lower() for column in names))


def _values(clauses: Iterable[exp.Expr], columns: frozenset[str]) -> Iterator[str]:
    for clause in clauses:
        for node in clause.find_all(exp.Literal, exp.Column):
            if _is_text(node, columns):
                yield node.name


def _selected(tree: exp.Expr) -> Iterator[str]:
    for node in getattr(tree, "selects", ()):
        yield from (column.name.lower() for column in node.find_all(exp.Column, exp.Star))


def _order(nodes: Sequence[exp.Expr]) -> Iterator[Hashable]:
    for ordered in nodes:
        if isinstance(ordered, exp.Ordered):
            names = sorted(column.name.lower() for column in ordered.find_all(exp.Column))
            yield "order", tuple(names), bool(ordered.args.get("desc"))
    for limit in nodes:
        if isinstance(limit, exp.Limit):
            yield "limit", limit.expression.sql()
