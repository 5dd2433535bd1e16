"""Other rows for the same schema, so that a query which is right only by accident is caught.

A variation keeps types, keys and NOT NULL, takes each value from the column's own values or from
their neighbours, and breaks what happens to hold in the original: that names are unique, that
columns go together, that every parent has a child, that no number is on the boundary of a filter.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqladder.schema import Column, Database, ForeignKey, Table

Rows = dict[str, list[tuple]]


@dataclass(frozen=True)
class Style:
    """How a variation differs from the original.

    Attributes:
        size: number of rows as a factor of the original's.
        nulls: share of NULLs in columns that allow them.
        pool: share of a column's distinct values in use; a small one makes ties and duplicates.
        shift: share of values moved off the original ones by a small step.
        parents: share of a table's rows that are referred to; the others have no children.
    """

    size: float
    nulls: float
    pool: float
    shift: float
    parents: float


STYLES = (
    Style(size=1.0, nulls=0.1, pool=1.0, shift=0.3, parents=0.6),
    Style(size=6.0, nulls=0.05, pool=1.0, shift=0.1, parents=0.9),
    Style(size=2.5, nulls=0.4, pool=0.8, shift=0.1, parents=0.4),
    Style(size=4.0, nulls=0.1, pool=0.8, shift=0.0, parents=0.8),
    Style(size=0.3, nulls=0.2, pool=0.0, shift=0.0, parents=1.0),
)


def vary(schema: Database, rows: Rows, style: Style, rng: random.Random) -> Rows:
    """Make new rows for every table, parents before children, keys consistent."""
    varied: Rows = {}
    for table in _parents_first(schema):
        varied[table.name] = _vary_table(schema, table, rows[table.name], varied, style, rng)
    return varied


def _parents_first(schema: Database) -> list[Table]:
    ordered: list[Table] = []
    waiting = list(schema.tables)
    while waiting:
        done = {table.name for table in ordered}
        ready = [t for t in waiting if all(key.table in done for key in t.foreign_keys)]
        ordered += ready
        waiting = [table for table in waiting if table not in ready]
    return ordered


def _vary_table(
    schema: Database,
    table: Table,
    rows: list[tuple],
    varied: Rows,
    style: Style,
    rng: random.Random,
) -> list[tuple]:
    count = max(1, round(len(rows) * style.size))
    columns = []
    for position, column in enumerate(table.columns):
        values = [row[position] for row in rows]
        key = next((key for key in table.foreign_keys if key.columns == (column.name,)), None)
        if (column.name,) == (table.primary_key):
            columns.append(rng.sample(range(1, 3 * count + 1), count))
        elif key:
            columns.append(_references(schema, key, varied, count, style, rng))
        else:
            columns.append(_vary_values(column, values, count, style, rng))
    return list(zip(*columns, strict=True))


def _references(
    schema: Database, key: ForeignKey, varied: Rows, count: int, style: Style, rng: random.Random
) -> list[Any]:
    parent = next(table for table in schema.tables if table.name == key.table)
    position = [column.name for column in parent.columns].index(key.references[0])
    targets = [row[position] for row in varied[key.table]]
    used = rng.sample(targets, max(1, round(len(targets) * style.parents)))
    return [rng.choice(used) for _ in range(count)]


def _vary_values(
    column: Column, values: list[Any], count: int, style: Style, rng: random.Random
) -> list[Any]:
    known = sorted({value for value in values if value is not None})
    pool = rng.sample(known, max(1, round(len(known) * style.pool)))
    drawn = []
    for _ in range(count):
        value = rng.choice(pool)
        if not column.not_null and rng.random() < style.nulls:
            value = None
        elif rng.random() < style.shift:
            value = _neighbour(value, rng)
        drawn.append(value)
    return drawn


def _neighbour(value: Any, rng: random.Random) -> Any:
    """A value next to the given one: it fails `=` and `>=` but stays plausible."""
    if isinstance(value, int):
        return value + rng.choice((-1, 1))
    if isinstance(value, float):
        return value + rng.choice((-0.5, 0.5))
    try:
        day = date.fromisoformat(value) + timedelta(days=rng.choice((-1, 1)))
        return day.isoformat()
    except ValueError:
        return rng.choice((f"New {value}", f"{value} II"))
