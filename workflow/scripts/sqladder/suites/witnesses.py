"""Rows on which a gold query's conditions hold all at once: drawn one by one, they meet on a row too seldom.

A query such as `SELECT count(*) FROM flight JOIN airport ... WHERE city = 'Ulm' AND airline = 3` gives 0 on contents
whose columns are drawn apart, and every wrong count of nothing is then right. So some rows are changed to agree.
"""

import random
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from sqladder.databases.schema import in_quotes
from sqladder.suites.catalog import Catalog, StoredTable, is_single
from sqladder.suites.golds import constant, in_64_bits, tables_of

Spot = tuple[str, str]
"""Alias and column, in lower case."""

_MET_BY = {
    exp.EQ: lambda value: value,
    exp.GTE: lambda value: value,
    exp.LTE: lambda value: value,
    exp.Like: lambda value: value.strip("%") if isinstance(value, str) else value,
    exp.GT: lambda value: _beside(value, 1),
    exp.LT: lambda value: _beside(value, -1),
}
"""What meets a comparison with a constant."""


def _beside(value: Any, step: int) -> Any:
    if isinstance(value, int):
        return in_64_bits(value + step)
    return value + step if isinstance(value, float) else value


@dataclass(frozen=True)
class Pattern:
    """What the rows of one SELECT's tables have in common.

    Attributes:
        tables: alias in lower case -> name of the table.
        equal: columns that have one value.
        values: columns with the values that meet their conditions.
    """

    tables: dict[str, str]
    equal: tuple[tuple[Spot, Spot], ...]
    values: dict[Spot, Any]


def patterns_of(trees: Iterable[exp.Query], catalog: Catalog) -> list[Pattern]:
    """The patterns of all SELECTs in some queries that have a condition with a constant; each once."""
    found = [_pattern(select, catalog) for tree in trees for select in tree.find_all(exp.Select)]
    different = {repr(pattern): pattern for pattern in found if pattern and pattern.values}
    return list(different.values())


def _pattern(select: exp.Select, catalog: Catalog) -> Pattern | None:
    tables = {alias.lower(): name for alias, name in tables_of(select) if catalog.table(name)}
    if not tables:
        return None
    equal, values = [], {}
    for condition in _conditions(select):
        left, right = (
            _spot(side, tables, catalog) for side in (condition.this, condition.expression)
        )
        value = constant(condition.expression)
        if left and value is not None:
            values[left] = _MET_BY[type(condition)](value)
        elif left and right and isinstance(condition, exp.EQ):
            equal.append((left, right))
    return Pattern(tables, tuple(equal), values)


def _conditions(select: exp.Select) -> Iterator[Any]:
    """The comparisons that all hold on a row that the SELECT reads."""
    where = select.args.get("where")
    parts = [where.this] if where else []
    parts += [join.args["on"] for join in select.args.get("joins") or [] if join.args.get("on")]
    for part in parts:
        for condition in part.flatten() if isinstance(part, exp.And) else [part]:
            inner = condition.unnest()
            if type(inner) in _MET_BY:
                yield inner


def _spot(node: Any, tables: dict[str, str], catalog: Catalog) -> Spot | None:
    if not isinstance(node, exp.Column):
        return None
    column = node.name.lower()
    for alias, name in tables.items():
        own = catalog.table(name)
        if own and own.holds(column) and node.table.lower() in ("", alias):
            return alias, column
    return None


def add_witnesses(
    content: sqlite3.Connection,
    patterns: Sequence[Pattern],
    catalog: Catalog,
    share: float,
    rng: random.Random,
) -> None:
    """Change rows of a content so that some patterns are met; what a constraint refuses stays as it was.

    Args:
        content: with rows.
        patterns: of its gold queries.
        catalog: of the original.
        share: of the patterns that are tried.
        rng: decides which, and on which rows.
    """
    for pattern in patterns:
        if rng.random() < share:
            for _ in range(rng.choice((1, 1, 2, 5))):
                _meet(content, pattern, catalog, rng)


def _meet(
    content: sqlite3.Connection, pattern: Pattern, catalog: Catalog, rng: random.Random
) -> None:
    """Have one row of each table agree with a pattern."""
    values = _spread(pattern)
    # Tables stand parents first, so that what others refer to is chosen before them.
    order = {own.name.lower(): place for place, own in enumerate(catalog.tables)}
    for alias in sorted(pattern.tables, key=lambda alias: order[pattern.tables[alias].lower()]):
        own = catalog.table(pattern.tables[alias])
        if own is None:
            continue
        wanted = {column: value for (of, column), value in values.items() if of == alias}
        _have_parents(content, own, wanted, catalog, rng)
        row = _changed_row(content, own, wanted, rng)
        if row is None:
            return
        for (of, column), other in _pairs(pattern):
            if of == alias and other not in values and column in row:
                values[other] = row[column]


def _have_parents(
    content: sqlite3.Connection,
    own: StoredTable,
    wanted: Mapping[str, Any],
    catalog: Catalog,
    rng: random.Random,
) -> None:
    """Have the rows that the wanted values refer to."""
    for key in own.table.foreign_keys:
        parent = catalog.table(key.table)
        if is_single(key) and parent:
            value = wanted.get(key.columns[0].lower())
            if value is not None:
                _changed_row(content, parent, {key.references[0].lower(): value}, rng)


def _pairs(pattern: Pattern) -> Iterator[tuple[Spot, Spot]]:
    for left, right in pattern.equal:
        yield left, right
        yield right, left


def _spread(pattern: Pattern) -> dict[Spot, Any]:
    """The values with those of columns that are equal to theirs."""
    values, before = dict(pattern.values), -1
    while before != len(values):
        before = len(values)
        for here, there in _pairs(pattern):
            if here in values:
                values.setdefault(there, values[here])
    return values


def _changed_row(
    content: sqlite3.Connection, own: StoredTable, wanted: dict[str, Any], rng: random.Random
) -> dict[str, Any] | None:
    """A row that has the wanted values, by a change where none has; None where there can be none."""
    name, columns = in_quotes(own.name), [column.name.lower() for column in own.columns]
    fixed = {column: value for column, value in wanted.items() if column in own.single_keys}
    where = " AND ".join(f"{in_quotes(column)} = ?" for column in fixed) or "1"
    listed = ", ".join(map(in_quotes, columns))
    rows = content.execute(
        f"SELECT {listed} FROM {name} WHERE {where}", list(fixed.values())
    ).fetchall()
    if not rows:
        rows = content.execute(f"SELECT {listed} FROM {name}").fetchall()
        if not rows:
            return None
        # Beside a row that others refer to, not in its place.
        row = {**dict(zip(columns, rng.choice(rows), strict=True)), **wanted}
        with suppress(sqlite3.Error):
            places = ", ".join("?" * len(columns))
            content.execute(f"INSERT INTO {name} ({listed}) VALUES ({places})", [*row.values()])
            return row
        fixed = {}
    row = rng.choice(rows)
    changes = {column: value for column, value in wanted.items() if column not in fixed}
    if changes:
        sets = ", ".join(f"{in_quotes(column)} = ?" for column in changes)
        same = " AND ".join(f"{in_quotes(column)} IS ?" for column in columns)
        with suppress(sqlite3.Error):
            content.execute(f"UPDATE {name} SET {sets} WHERE {same}", [*changes.values(), *row])
    return {**dict(zip(columns, row, strict=True)), **changes}
