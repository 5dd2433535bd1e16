"""Which neighbours certainly mean the same as their gold query: no content tells them from it.

SQLite compiles both to one program, as they are or after changes that no content shows: DISTINCT goes where there is
one row, and in a query on one table the count of a column that is never NULL is that of the rows, as is the count of
its different values where it is a key.
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlglot import exp

from sqladder.metric.programs import program_of
from sqladder.metric.sandbox import Sandbox
from sqladder.suites.catalog import Catalog, StoredTable
from sqladder.suites.golds import parsed, tables_of
from sqladder.suites.judging import LIMITS, GoldCase


def same_as_gold(
    original: Path, catalog: Catalog, golds: Sequence[GoldCase]
) -> tuple[frozenset[int], ...]:
    """For each gold query the positions of the neighbours that mean the same; others may, which nobody knows.

    Args:
        original: the database file, by which SQLite compiles.
        catalog: its tables.
        golds: its gold queries.
    """
    found = []
    with closing(Sandbox(original, LIMITS)) as database:
        for gold in golds:
            own, *others = (
                program_of(database, _simplified(sql, catalog))
                for sql in (gold.sql, *(neighbour.sql for neighbour in gold.neighbours))
            )
            same = (number for number, other in enumerate(others) if other == own is not None)
            found.append(frozenset(same))
    return tuple(found)


def _simplified(sql: str, catalog: Catalog) -> str:
    """The query after the changes that no content shows; itself where it cannot be read."""
    tree = parsed(sql)
    if tree is None:
        return sql
    for select in tree.find_all(exp.Select):
        # An aggregate without GROUP BY gives one row.
        shown = [item.unalias() for item in select.expressions]
        if not select.args.get("group") and all(isinstance(own, exp.AggFunc) for own in shown):
            select.set("distinct", None)
        table = _only_table(select, catalog)
        if table:
            _simplify_counts(select, table)
    return tree.sql("sqlite")


def _only_table(select: exp.Select, catalog: Catalog) -> StoredTable | None:
    names = [name for _, name in tables_of(select)]
    is_only = len(names) == 1 and not select.args.get("joins")
    return catalog.table(names[0]) if is_only else None


def _simplify_counts(select: exp.Select, table: StoredTable) -> None:
    for count in list(select.find_all(exp.Count)):
        is_own = count.find_ancestor(exp.Select) is select
        column, is_distinct = count.this, isinstance(count.this, exp.Distinct)
        if is_distinct and len(count.this.expressions) == 1:
            column = count.this.expressions[0]
        if not is_own or not isinstance(column, exp.Column):
            continue
        name = column.name.lower()
        if _is_never_null(table, name) and (not is_distinct or name in table.single_keys):
            count.set("this", exp.Star())


def _is_never_null(table: StoredTable, name: str) -> bool:
    columns = {own.name.lower(): own for own in table.columns}
    if name not in columns:
        return False
    # Of all primary keys, this alone cannot be NULL in SQLite without NOT NULL.
    key = [own.lower() for own in table.table.primary_key]
    is_row_number = key == [name] and columns[name].type.upper() == "INTEGER"
    return columns[name].not_null or is_row_number
