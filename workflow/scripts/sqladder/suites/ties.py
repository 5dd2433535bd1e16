"""Rows that a query sorts alike: which of them it takes where it cuts, and their order, is a matter of chance."""

import itertools
from dataclasses import dataclass

from sqlglot import exp

from sqladder.metric.sandbox import QueryError, Row, Sandbox


@dataclass(frozen=True)
class TieQuery:
    """What finds ties in a sorted query that cuts.

    Attributes:
        sql: its rows up to one more than it takes; first what they are sorted by, then what they show.
        keys: number of columns that they are sorted by.
        taken: number of rows after which it cuts; None where it takes all.
    """

    sql: str
    keys: int
    taken: int | None


@dataclass(frozen=True)
class Tie:
    """Two rows that are sorted alike, one behind the other.

    Attributes:
        keys: what both are sorted by.
        last: the values of the first of them, the last that a query takes.
        next: those of the other.
        taken: the number of rows that the query takes; None where it takes all.
    """

    keys: Row
    last: Row
    next: Row
    taken: int | None


def tie_queries(tree: exp.Query) -> tuple[TieQuery, ...]:
    """What finds ties where a query, or a query inside it, cuts."""
    found = []
    for select in tree.find_all(exp.Select):
        limit = select.args.get("limit")
        if select.args.get("order") and limit and isinstance(limit.expression, exp.Literal):
            taken = int(limit.expression.name)
            found.append(_tie_query(select, taken))
    return tuple(found)


def order_query(tree: exp.Query) -> TieQuery | None:
    """What finds rows of a sorted query that are sorted alike, whether it cuts or not; None where it does not sort."""
    if not isinstance(tree, exp.Select) or not tree.args.get("order") or tree.args.get("limit"):
        return None
    return _tie_query(tree, None)


def _tie_query(select: exp.Select, taken: int | None) -> TieQuery:
    shown = select.copy()
    keys = [term.this.copy() for term in select.args["order"].expressions]
    # An alias of the output is no name inside it.
    aliases = {item.alias.lower(): item.unalias() for item in select.expressions if item.alias}
    keys = [
        aliases.get(key.name.lower(), key).copy() if isinstance(key, exp.Column) else key
        for key in keys
    ]
    shown.set("expressions", [*keys, *(item.copy() for item in select.expressions)])
    shown.set("distinct", None)
    if taken is not None:
        shown.set("limit", exp.Limit(expression=exp.convert(taken + 1)))
    return TieQuery(shown.sql("sqlite"), len(keys), taken)


def tie_of(query: TieQuery, content: Sandbox) -> Tie | None:
    """The tie that a query cuts on a content, None where it cuts none.

    Also where both rows show the same: how many such rows there are is what a right answer may give. Of a query that
    does not cut, the first two rows beside each other that are sorted alike and do not show the same.
    """
    try:
        rows = content.execute(query.sql).rows
    except QueryError:
        # A query inside another one may need that.
        return None
    pairs = list(itertools.pairwise(rows))
    places = range(len(pairs)) if query.taken is None else [query.taken - 1]
    for place in places:
        if not 0 <= place < len(pairs):
            continue
        here, there = ((row[: query.keys], row[query.keys :]) for row in pairs[place])
        if here[0] == there[0] and (query.taken is not None or here[1] != there[1]):
            return Tie(here[0], here[1], there[1], query.taken)
    return None
