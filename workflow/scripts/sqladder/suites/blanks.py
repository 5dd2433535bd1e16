"""NULL where a column allows it: counts of a column are told from counts of rows by it.

Where the original has no NULL, right answers agree without one. So it gets some only where gold shows, counts or groups
by a column, or does not read it: as the least value, in what is not equal and under NOT IN, right answers would differ.
"""

from sqlglot import exp

from sqladder.suites.catalog import Catalog, StoredTable
from sqladder.suites.golds import Wishes, tables_of

Named = tuple[str, str]
"""Alias and column."""


def may_be_blank(own: StoredTable, column: str, wishes: Wishes) -> bool:
    """Whether a column may hold NULL though the original has none there: no key, no reference, not read by gold."""
    return column in own.free and column.lower() not in wishes.read


def columns_with_null(
    select: exp.Select, catalog: Catalog, wishes: Wishes
) -> tuple[list[Named], list[Named]]:
    """Columns of a SELECT's tables: those with NULL, or nothing, in the original, then others that may be blank."""
    known, blank = [], []
    for alias, name in tables_of(select):
        own = catalog.table(name)
        for column in (held.name for held in own.columns) if own else ():
            if own and (column in own.has_null or not own.values[column]):
                known.append((alias, column))
            elif own and may_be_blank(own, column, wishes):
                blank.append((alias, column))
    return known, blank
