"""Groups that tie where a gold query's LIMIT cuts, told apart by further rows.

`GROUP BY airport ORDER BY count(*) LIMIT 1` hangs on the order of rows as long as several airports have the fewest.
Rows that are left out make more of those; a further row for all but one settles it, and what gold asks for stays.
"""

import random
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from sqladder.databases.schema import in_quotes
from sqladder.suites.catalog import Catalog, StoredTable
from sqladder.suites.golds import constant, in_64_bits, parsed, tables_of
from sqladder.suites.values import another


def untie(content: sqlite3.Connection, sql: str, catalog: Catalog, rng: random.Random) -> bool:
    """Add a row like one of theirs to some of the groups that tie, so that as many as are shown stand apart.

    Args:
        content: with rows.
        sql: a gold query whose result hangs on their order.
        catalog: of the original.
        rng: decides which group stays as it is.

    Returns:
        Whether a row was added; False of a query that does not sort groups by their size.
    """
    tree = parsed(sql)
    query = _grouped(tree, catalog) if isinstance(tree, exp.Select) else None
    if query is None:
        return False
    # What the query's text says otherwise than it is read here, SQLite refuses.
    with suppress(sqlite3.Error):
        sizes = content.execute(query.sizes).fetchall()
        found = (_tied(sizes, cut, query) for cut in query.cuts)
        tied, kept = next(filter(None, found), ([], 0))
        rng.shuffle(tied)
        raised = tied[:kept] if query.is_descending else tied[kept:]
        members: dict[Any, int] = {}
        for *group, row in content.execute(query.members):
            members.setdefault(tuple(group), row)
        # Each is tried; `any` alone would end at the first.
        added = [
            _add_like(content, query.table, members[group], rng)
            for group in raised
            if members.get(group) is not None
        ]
        return any(added)
    return False


@dataclass(frozen=True)
class _Grouped:
    """A query that shows some of its groups by their size.

    Attributes:
        table: whose rows make groups larger.
        sizes: SELECT of each group with its size.
        members: SELECT of each group with the row number of each of the table's rows in it.
        cuts: numbers of groups before the first that is shown and up to the last.
        is_descending: whether the largest come first.
    """

    table: StoredTable
    sizes: str
    members: str
    cuts: tuple[int, int]
    is_descending: bool


def _grouped(select: exp.Select, catalog: Catalog) -> _Grouped | None:
    group, order, limit = (select.args.get(key) for key in ("group", "order", "limit"))
    if not group or not order or not limit or len(order.expressions) != 1:
        return None
    size, cut = _size(select, order.expressions[0].this), constant(limit.expression)
    offset = select.args.get("offset")
    skipped = constant(offset.expression) if offset else 0
    held = [(alias, catalog.table(name)) for alias, name in tables_of(select)]
    known = [(alias, own) for alias, own in held if own]
    if size is None or not isinstance(cut, int) or not isinstance(skipped, int) or not known:
        return None
    children = [pair for pair in known if pair[1].table.foreign_keys]
    alias, table = (children or known)[0]
    keys = group.expressions
    plain = _without(select, "order", "limit", "offset", "distinct")
    sizes = plain.select(*keys, size, append=False)
    number = exp.column("rowid", table=alias, quoted=True)
    members = _without(plain, "group", "having").select(*keys, number, append=False)
    is_descending = bool(order.expressions[0].args.get("desc"))
    cuts = (skipped, skipped + cut)
    return _Grouped(table, sizes.sql("sqlite"), members.sql("sqlite"), cuts, is_descending)


def _size(select: exp.Select, term: Any) -> exp.Count | None:
    """The number of rows by which a query sorts, under its name or written out."""
    named = {own.alias.lower(): own.this for own in select.expressions if own.alias}
    own = named.get(term.name.lower()) if isinstance(term, exp.Column) and not term.table else term
    return own if isinstance(own, exp.Count) else None


def _without(select: exp.Select, *parts: str) -> exp.Select:
    copy = select.copy()
    for part in parts:
        copy.set(part, None)
    return copy


def _tied(
    sizes: Sequence[Sequence[Any]], cut: int, query: _Grouped
) -> tuple[list[Any], int] | None:
    """The groups of one size that a cut parts, and how many of them come before it; None where it parts none."""
    ordered = sorted(sizes, key=lambda row: row[-1], reverse=query.is_descending)
    if not 0 < cut < len(ordered) or ordered[cut - 1][-1] != ordered[cut][-1]:
        return None
    size = ordered[cut][-1]
    kept = sum(row[-1] == size for row in ordered[:cut])
    return [tuple(row[:-1]) for row in ordered if row[-1] == size], kept


def _add_like(
    content: sqlite3.Connection, own: StoredTable, number: int, rng: random.Random
) -> bool:
    """Add a copy of a row under a key of its own; False where a constraint refuses it."""
    columns = [column.name for column in own.columns]
    name, listed = in_quotes(own.name), ", ".join(map(in_quotes, columns))
    found = content.execute(f"SELECT {listed} FROM {name} WHERE rowid = ?", (number,)).fetchone()
    row = dict(zip(columns, found, strict=True))
    refers = {column for key in own.table.foreign_keys for column in key.columns}
    for key in own.unique:
        # Of several the last is mostly a number within the others.
        changed = next((column for column in reversed(key) if column not in refers), key[-1])
        row[changed] = _fresh(content, own, changed, row[changed], rng)
    places = ", ".join("?" * len(columns))
    with suppress(sqlite3.Error):
        content.execute(f"INSERT INTO {name} ({listed}) VALUES ({places})", [*row.values()])
        return True
    return False


def _fresh(
    content: sqlite3.Connection, own: StoredTable, column: str, value: Any, rng: random.Random
) -> Any:
    """A value that no row has; NULL, which is in no key, stays."""
    if isinstance(value, int):
        largest = f"SELECT max({in_quotes(column)}) FROM {in_quotes(own.name)}"
        (found,) = content.execute(largest).fetchone()
        return in_64_bits((found if isinstance(found, int) else value) + 1)
    return None if value is None else another(value, own.values[column], rng)
