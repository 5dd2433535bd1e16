"""Rows that a query sorts alike: which of them it takes where it cuts, and their order, is a matter of chance."""

import itertools
import math
from dataclasses import dataclass

from sqlglot import exp

from sqladder.metric.sandbox import QueryError, Row, Sandbox


@dataclass(frozen=True)
class TieQuery:
    """What finds ties in a sorted query.

    Attributes:
        sql: its rows up to one more than it takes; first what they are sorted by, then what they show.
        keys: number of columns that they are sorted by.
        cuts: numbers of rows after which it cuts; () where the order of all that it takes is looked at.
        skipped: number of rows that it leaves out at the start (OFFSET).
    """

    sql: str
    keys: int
    cuts: tuple[int, ...] = ()
    skipped: int = 0


@dataclass(frozen=True)
class Tie:
    """Two rows that are sorted alike, one behind the other.

    Attributes:
        keys: what both are sorted by.
        last: the values of the first of them.
        next: those of the other.
        cut: the number of rows up to the first of them, after which the query cuts; None where it takes both.
        enters: whether the query starts at the cut, so that the second one is taken; otherwise it ends there.
    """

    keys: Row
    last: Row
    next: Row
    cut: int | None = None
    enters: bool = False


def tie_queries(tree: exp.Query) -> tuple[TieQuery, ...]:
    """What finds ties where a query, or a query inside it, cuts."""
    found = (_cut_query(query) for query in tree.find_all(exp.Select, exp.SetOperation))
    return tuple(query for query in found if query)


def order_query(tree: exp.Query) -> TieQuery | None:
    """What finds rows of a sorted query that are sorted alike, of all that it takes; None where it does not sort."""
    shown = _with_keys(tree)
    return TieQuery(shown[0].sql("sqlite"), shown[1]) if shown else None


def _cut_query(query: exp.Query) -> TieQuery | None:
    taken, skipped = (_whole(query.args.get(name)) for name in ("limit", "offset"))
    shown = _with_keys(query)
    if not taken or skipped is None or not shown:
        return None
    tree, keys = shown
    last = skipped + taken
    tree.set("limit", exp.Limit(expression=exp.convert(last + 1)))
    tree.set("offset", None)
    return TieQuery(tree.sql("sqlite"), keys, (skipped, last) if skipped else (last,), skipped)


def _whole(clause: exp.Expression | None) -> int | None:
    """The number of a LIMIT or OFFSET, 0 where there is none; None where it is computed or no whole number.

    SQLite takes 1e1 and '2' as well.
    """
    if clause is None:
        return 0
    value = clause.args.get("expression")
    try:
        number = float(value.name) if isinstance(value, exp.Literal) else math.nan
    except ValueError:
        return None
    return int(number) if number.is_integer() and number >= 0 else None


def _with_keys(query: exp.Query) -> tuple[exp.Query, int] | None:
    """A sorted query that shows first what it sorts by, and how many columns that is; None where that is not known."""
    order = query.args.get("order")
    if not order:
        return None
    if isinstance(query, exp.SetOperation):
        return _compound_with_keys(query)
    if not isinstance(query, exp.Select):
        return None
    items = query.expressions
    # An alias of the output is no name inside it.
    aliases = {item.alias.lower(): item.unalias() for item in items if item.alias}
    keys = []
    for term in order.expressions:
        key = term.this
        if key.is_int:
            # The place of an output column; behind a star nobody knows which.
            place = int(key.name)
            if not 0 < place <= len(items) or any(item.is_star for item in items[:place]):
                return None
            key = items[place - 1].unalias()
        elif isinstance(key, exp.Column):
            key = aliases.get(key.name.lower(), key)
        keys.append(key)
    shown = query.copy()
    for term, key in zip(shown.args["order"].expressions, keys, strict=True):
        term.set("this", key.copy())
    shown.set("expressions", [copied.copy() for copied in (*keys, *items)])
    shown.set("distinct", None)
    return shown, len(keys)


def _compound_with_keys(query: exp.SetOperation) -> tuple[exp.Query, int] | None:
    """The same of queries under UNION, INTERSECT or EXCEPT, which sort by their output columns only."""
    inner = query.copy()
    for name in ("order", "limit", "offset"):
        inner.set(name, None)
    first: exp.Expression = inner
    while isinstance(first, exp.SetOperation):
        first = first.this
    if not isinstance(first, exp.Select) or any(item.is_star for item in first.expressions):
        return None
    items = first.expressions
    names = [f"output_{place}" for place in range(1, len(items) + 1)]
    places = {item.alias_or_name.lower(): at for at, item in enumerate(items)}
    terms = [term.copy() for term in query.args["order"].expressions]
    for term in terms:
        key = term.this
        at = int(key.name) - 1 if key.is_int else places.get(key.name.lower(), -1)
        if not (key.is_int or isinstance(key, exp.Column)) or not 0 <= at < len(items):
            return None
        term.set("this", exp.column(names[at]))
    first.set(
        "expressions",
        [exp.alias_(item.unalias(), name) for item, name in zip(items, names, strict=True)],
    )
    shown = exp.select(*(term.this for term in terms), *names).from_(inner.subquery("compound"))
    shown.set("order", exp.Order(expressions=terms))
    for name in ("limit", "offset"):
        shown.set(name, query.args.get(name) and query.args[name].copy())
    return shown, len(terms)


def tie_of(query: TieQuery, content: Sandbox) -> Tie | None:
    """The tie that a query cuts on a content, None where it cuts none.

    Also where both rows show the same: how many such rows there are is what a right answer may give. Of a query whose
    order is looked at, the first two rows beside each other that are sorted alike and do not show the same.
    """
    try:
        rows = content.execute(query.sql).rows
    except QueryError:
        # A query inside another one may need that.
        return None
    pairs = list(itertools.pairwise(rows))
    for place in (cut - 1 for cut in query.cuts) if query.cuts else range(len(pairs)):
        if place >= len(pairs):
            continue
        here, there = ((row[: query.keys], row[query.keys :]) for row in pairs[place])
        if here[0] == there[0] and (query.cuts or here[1] != there[1]):
            cut = place + 1 if query.cuts else None
            return Tie(here[0], here[1], there[1], cut, cut is not None and cut == query.skipped)
    return None
