"""Other rows for the same schema, so that a query which is right only by accident is caught.

A variation keeps types, keys and NOT NULL, and takes each value from the column's own values or
from their neighbours. It breaks what merely happens to hold in the original: that names are unique,
that no row lies on the boundary of a filter, that there are no ties, that columns go together.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqladder.databases.schema import Column, Database, ForeignKey, Table
from sqladder.errors import InputError

Rows = dict[str, list[tuple]]


@dataclass(frozen=True)
class VariationStyle:
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
    # Like the original, with values moved off its boundaries and parents that have no children.
    VariationStyle(size=1.0, nulls=0.1, pool=1.0, shift=0.3, parents=0.6),
    # So large that nearly every boundary is hit and every name occurs several times.
    VariationStyle(size=6.0, nulls=0.05, pool=1.0, shift=0.1, parents=0.9),
    # Full of NULLs.
    VariationStyle(size=2.5, nulls=0.4, pool=0.8, shift=0.1, parents=0.4),
    # Some of the original's values do not occur at all.
    VariationStyle(size=4.0, nulls=0.1, pool=0.8, shift=0.0, parents=0.8),
    # Nearly empty, one value a column: all rows tie, and none is above the average.
    VariationStyle(size=0.3, nulls=0.2, pool=0.0, shift=0.0, parents=1.0),
)


def vary(schema: Database, rows: Rows, style: VariationStyle, rng: random.Random) -> Rows:
    """Make new rows for every table, parents before children, keys consistent.

    Raises:
        InputError: a table has no key of one column, or tables refer to each other in a circle.
    """
    varied: Rows = {}
    for table in _parents_first(schema):
        if len(table.primary_key) != 1:
            raise InputError(f"table {table.name} has the key {table.primary_key}, not one column")
        varied[table.name] = _vary_table(schema, table, rows[table.name], varied, style, rng)
    return varied


def _parents_first(schema: Database) -> list[Table]:
    ordered: list[Table] = []
    waiting = list(schema.tables)
    while waiting:
        done = {table.name for table in ordered}
        ready = [t for t in waiting if all(key.table in done for key in t.foreign_keys)]
        if not ready:
            names = ", ".join(table.name for table in waiting)
            raise InputError(f"no order of tables puts parents before children among: {names}")
        ordered += ready
        waiting = [table for table in waiting if table not in ready]
    return ordered


def _vary_table(
    schema: Database,
    table: Table,
    rows: list[tuple],
    varied: Rows,
    style: VariationStyle,
    rng: random.Random,
) -> list[tuple]:
    count = max(1, round(len(rows) * style.size))
    keys = {key.columns: key for key in table.foreign_keys}
    columns = []
    for position, column in enumerate(table.columns):
        if (column.name,) == table.primary_key:
            # Gaps and no order: a key is neither a row number nor a count.
            columns.append(rng.sample(range(1, 3 * count + 1), count))
        elif (column.name,) in keys:
            parents = _parent_keys(schema, keys[column.name,], varied)
            used = rng.sample(parents, max(1, round(len(parents) * style.parents)))
            columns.append(rng.choices(used, k=count))
        else:
            known = sorted({row[position] for row in rows if row[position] is not None})
            columns.append(_vary_values(column, known, count, style, rng))
    return list(zip(*columns, strict=True))


def _parent_keys(schema: Database, key: ForeignKey, varied: Rows) -> list[Any]:
    parent = next(table for table in schema.tables if table.name == key.table)
    position = [column.name for column in parent.columns].index(key.references[0])
    return [row[position] for row in varied[key.table]]


def _vary_values(
    column: Column, known: list[Any], count: int, style: VariationStyle, rng: random.Random
) -> list[Any]:
    pool = rng.sample(known, max(1, round(len(known) * style.pool)))
    drawn: list[Any] = []
    for value in rng.choices(pool, k=count):
        if not column.not_null and rng.random() < style.nulls:
            drawn.append(None)
        else:
            drawn.append(_neighbour(value, rng) if rng.random() < style.shift else value)
    return drawn


def _neighbour(value: Any, rng: random.Random) -> Any:
    """A value next to the given one: off by one step, or the text within a longer text."""
    if isinstance(value, int):
        return value + rng.choice((-1, 1))
    if isinstance(value, float):
        return value + rng.choice((-0.5, 0.5))
    try:
        return (date.fromisoformat(value) + timedelta(days=rng.choice((-1, 1)))).isoformat()
    except ValueError:
        return rng.choice((f"New {value}", f"{value} II"))
