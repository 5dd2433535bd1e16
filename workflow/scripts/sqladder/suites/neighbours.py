"""Queries beside a gold query, each wrong in one place, as a model gets a query wrong."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlglot import exp

from sqladder.suites.blanks import columns_with_null
from sqladder.suites.catalog import Catalog, StoredTable
from sqladder.suites.golds import Wishes, constant, parsed, tables_of

_PER_PLACE = 3
"""Other columns, constants or tables that are tried in one place."""

_OTHER_COMPARISONS: dict[type[Any], tuple[type[Any], ...]] = {
    exp.EQ: (exp.NEQ, exp.GTE, exp.LTE, exp.Like),
    exp.NEQ: (exp.EQ, exp.GT, exp.LT),
    exp.GT: (exp.GTE, exp.LT, exp.EQ),
    exp.GTE: (exp.GT, exp.LTE, exp.EQ),
    exp.LT: (exp.LTE, exp.GT, exp.EQ),
    exp.LTE: (exp.LT, exp.GTE, exp.EQ),
    exp.Like: (exp.EQ,),
}
_AGGREGATES = (exp.Min, exp.Max, exp.Sum, exp.Avg)
_SET_OPERATIONS = (exp.Union, exp.Intersect, exp.Except)


@dataclass(frozen=True)
class Neighbour:
    """One query beside gold.

    Attributes:
        kind: what is changed, in words.
        sql: the query.
        keeps_distinct: it differs in DISTINCT alone, which the metric deletes from both unless it is told otherwise.
    """

    kind: str
    sql: str
    keeps_distinct: bool = False


Edit = tuple[str, Callable[[Any], object]]
"""What is changed, and the change of the node in a copy of the tree."""


def neighbours_of(tree: exp.Query, catalog: Catalog, wishes: Wishes, most: int) -> list[Neighbour]:
    """The neighbours of a gold query, at most so many, each text once; kinds and places take turns.

    Args:
        tree: the gold query.
        catalog: tables and values of its database.
        wishes: what the gold queries of its database ask of contents.
        most: number of neighbours.
    """
    gold = tree.sql("sqlite")
    by_place = [_changed(tree, at, catalog, wishes) for at in range(len(list(tree.walk())))]
    found: dict[str, Neighbour] = {}
    while by_place and len(found) < most:
        waiting = []
        for place in by_place:
            made = next(place, None)
            if made is None:
                continue
            waiting.append(place)
            if made.sql != gold and len(found) < most:
                found.setdefault(made.sql, made)
        by_place = waiting
    return list(found.values())


def _changed(tree: exp.Query, at: int, catalog: Catalog, wishes: Wishes) -> Iterator[Neighbour]:
    node = next(islice(tree.walk(), at, None))
    for kind, edit in _edits(node, catalog, wishes):
        copied = tree.copy()
        # The outermost node has nothing to be put in its place.
        holder = exp.Subquery(this=copied)
        edit(next(islice(copied.walk(), at, None)))
        sql = holder.this.sql("sqlite")
        if parsed(sql):
            yield Neighbour(kind, sql, kind == "DISTINCT")


def _edits(node: Any, catalog: Catalog, wishes: Wishes) -> Iterator[Edit]:
    if type(node) in _OTHER_COMPARISONS:
        yield from _comparison_edits(node)
    if isinstance(node, exp.Between):
        yield "comparison", lambda own: own.replace(_exclusive(own))
    if isinstance(node, exp.Literal):
        yield from _constant_edits(node, wishes)
    elif isinstance(node, exp.Column):
        if constant(node) is not None:
            yield from _constant_edits(node, wishes)
        yield from _column_edits(node, catalog)
    if isinstance(node, exp.AggFunc):
        yield from _aggregate_edits(node, catalog, wishes)
    if isinstance(node, exp.Ordered):
        yield "direction", _turn
        yield "order", lambda own: _drop_term(own)
    if isinstance(node, exp.And):
        yield (
            "OR for AND",
            lambda own: own.replace(exp.Or(this=own.this, expression=own.expression)),
        )
    if isinstance(node, exp.Or):
        yield (
            "AND for OR",
            lambda own: own.replace(exp.And(this=own.this, expression=own.expression)),
        )
    if isinstance(node, exp.And | exp.Or):
        yield "condition left out", lambda own: own.replace(own.this)
        yield "condition left out", lambda own: own.replace(own.expression)
    if isinstance(node, exp.Not):
        yield "NOT", lambda own: own.replace(own.this)
    if isinstance(node, exp.In | exp.Exists) and not isinstance(node.parent, exp.Not):
        yield "NOT", lambda own: own.replace(exp.Not(this=own.copy()))
    if isinstance(node, exp.Where | exp.Having | exp.Group | exp.Order | exp.Limit):
        yield f"{node.key.upper()} left out", lambda own: own.pop()
    if isinstance(node, exp.Group) and len(node.expressions) > 1:
        for at in range(len(node.expressions)):
            yield "GROUP BY", _without_term(at)
    if isinstance(node, exp.Join):
        yield from _join_edits(node)
    if isinstance(node, exp.Select):
        yield from _select_edits(node, catalog)
    if isinstance(node, _SET_OPERATIONS):
        yield from _set_edits(node)


def _comparison_edits(node: Any) -> Iterator[Edit]:
    # What a join is on is changed as a join.
    if isinstance(node.parent, exp.Join):
        return
    for other in _OTHER_COMPARISONS[type(node)]:
        yield "comparison", _as(other)


def _exclusive(own: Any) -> Any:
    above = exp.GT(this=own.this.copy(), expression=own.args["low"])
    return exp.Paren(
        this=exp.And(
            this=above, expression=exp.LT(this=own.this.copy(), expression=own.args["high"])
        )
    )


def _constant_edits(node: Any, wishes: Wishes) -> Iterator[Edit]:
    value = constant(node)
    if isinstance(value, int | float):
        for step in (1, -1):
            if not (isinstance(node.parent, exp.Limit) and value + step < 1):
                yield "constant", _put(value + step)
        return
    if isinstance(node.parent, exp.Like):
        bare = str(value).strip("%")
        for other in (bare, f"{bare}%", f"%{bare}", f"%{bare}%", f"%{bare}_%"):
            if other != value:
                yield "constant", _put(other)
        return
    if str(value).swapcase() != value:
        yield "constant", _put(str(value).swapcase())
    compared = node.parent.find(exp.Column) if node.parent else None
    known = wishes.constants.get(compared.name.lower(), []) if compared is not None else []
    for other in [known_value for known_value in known if known_value != value][:_PER_PLACE]:
        yield "constant", _put(other)


def _put(value: Any) -> Callable[[Any], object]:
    return lambda own: own.replace(exp.convert(value))


def _column_edits(node: exp.Column, catalog: Catalog) -> Iterator[Edit]:
    select = node.find_ancestor(exp.Select)
    if select is None or isinstance(node.this, exp.Star):
        return
    sources = [(alias, catalog.table(name)) for alias, name in tables_of(select)]
    known = [(alias, own) for alias, own in sources if own]
    mine = next(
        (
            own
            for alias, own in known
            if own.holds(node.name) and node.table.lower() in ("", alias.lower())
        ),
        None,
    )
    kind = _affinity(mine, node.name) if mine else ""
    others = [
        (alias, column.name)
        for alias, own in known
        for column in own.columns
        if column.name.lower() != node.name.lower() and _affinity(own, column.name) == kind
    ]
    # The same name in another table of the query, such as the other end of a join.
    others = [
        (alias, node.name) for alias, own in known if own is not mine and own.holds(node.name)
    ] + others
    for alias, name in _spread(others, 2 * _PER_PLACE):
        qualifier = exp.to_identifier(alias) if len(known) > 1 else None
        made = exp.Column(this=exp.to_identifier(name), table=qualifier)
        yield "column", _replaced_by(made)


def _affinity(own: StoredTable, name: str) -> str:
    values = next(
        (held for column, held in own.values.items() if column.lower() == name.lower()), []
    )
    return "text" if any(isinstance(value, str) for value in values) else "number"


def _spread(found: list[Any], most: int) -> list[Any]:
    step = max(1, -(-len(found) // most))
    return found[::step]


def _aggregate_edits(node: Any, catalog: Catalog, wishes: Wishes) -> Iterator[Edit]:
    if isinstance(node, exp.Count):
        if isinstance(node.this, exp.Distinct):
            yield "DISTINCT", lambda own: own.set("this", own.this.expressions[0])
        elif isinstance(node.this, exp.Column):
            yield "DISTINCT", lambda own: own.set("this", exp.Distinct(expressions=[own.this]))
            yield "aggregate", _set_to("this", exp.Star())
        select = node.find_ancestor(exp.Select)
        columns = columns_with_null(select, catalog, wishes) if select else ([], [])
        for alias, name in (*columns[0], *_spread(columns[1], _PER_PLACE)):
            yield "aggregate", _set_to("this", exp.column(name, table=alias))
    if isinstance(node, _AGGREGATES):
        for other in _AGGREGATES:
            if not isinstance(node, other):
                yield "aggregate", _as(other)
        if not isinstance(node.find_ancestor(exp.Select, exp.Having), exp.Having):
            yield "aggregate left out", lambda own: own.replace(own.this)


def _as(other: type[Any], **more: Any) -> Callable[[Any], object]:
    """Another operator or function with the same operands."""

    def edit(own: Any) -> None:
        operands = {name: own.args[name] for name in ("this", "expression") if own.args.get(name)}
        own.replace(other(**operands, **more))

    return edit


def _replaced_by(made: Any) -> Callable[[Any], object]:
    return lambda own: own.replace(made.copy())


def _set_to(name: str, made: Any) -> Callable[[Any], object]:
    return lambda own: own.set(name, made.copy())


def _without_term(at: int) -> Callable[[Any], object]:
    return lambda own: own.expressions[at].pop()


def _turn(own: Any) -> None:
    descending = not own.args.get("desc")
    own.set("desc", descending)
    # As SQLite has it without further words, so that none are written.
    own.set("nulls_first", not descending)


def _drop_term(own: Any) -> None:
    order = own.parent
    if order is not None and len(order.expressions) > 1:
        own.pop()
    elif order is not None:
        order.pop()


def _join_edits(node: Any) -> Iterator[Edit]:
    yield "join", lambda own: own.set("side", None if own.side else "LEFT")
    if node.args.get("on"):
        # Gold's own constants must be met by chance no longer, so neither the condition nor the table is just dropped.
        yield "join condition left out", lambda own: own.set("on", None)
    alias = node.this.alias_or_name if isinstance(node.this, exp.Table) else ""
    select = node.find_ancestor(exp.Select)
    on = node.args.get("on")
    inside = set(map(id, on.find_all(exp.Column))) if on else set()
    used = [
        column
        for column in (select.find_all(exp.Column) if select else ())
        if column.table.lower() == alias.lower() and id(column) not in inside
    ]
    if alias and not used:
        yield "join left out", lambda own: own.pop()


def _select_edits(node: exp.Select, catalog: Catalog) -> Iterator[Edit]:
    if node.args.get("distinct"):
        yield "DISTINCT", lambda own: own.set("distinct", None)
    else:
        yield "DISTINCT", lambda own: own.set("distinct", exp.Distinct())
    sources = list(tables_of(node))
    if len(sources) == 1 and not node.args.get("joins"):
        yield from _added_joins(node, sources[0], catalog)
    for alias, name in sources:
        own = catalog.table(name)
        if own and not node.args.get("group") and node.find(exp.AggFunc) is None:
            for column in own.unique[0][:1] if own.unique else ():
                made = exp.column(column, table=alias)
                yield "GROUP BY", _set_to("group", exp.Group(expressions=[made]))


def _added_joins(node: exp.Select, source: tuple[str, str], catalog: Catalog) -> Iterator[Edit]:
    """A join with a table that refers to this one, or that this one refers to, which the question does not need."""
    alias, name = source
    for other in catalog.tables:
        for key in other.table.foreign_keys:
            if (
                key.table.lower() == name.lower()
                and other.name.lower() != name.lower()
                and key.references
            ):
                yield "join added", _added(alias, other.name, key.references[0], key.columns[0])
    own = catalog.table(name)
    for key in own.table.foreign_keys if own else ():
        if key.references and key.table.lower() != name.lower():
            yield "join added", _added(alias, key.table, key.columns[0], key.references[0])


def _added(alias: str, other: str, here: str, there: str) -> Callable[[Any], object]:
    def add(own: Any) -> None:
        for column in own.find_all(exp.Column):
            nearest = column.find_ancestor(exp.Select)
            if nearest is own and not column.table and constant(column) is None:
                column.set("table", exp.to_identifier(alias))
        on = exp.EQ(this=exp.column(here, table=alias), expression=exp.column(there, table=other))
        own.append("joins", exp.Join(this=exp.to_table(other), on=on))

    return add


def _set_edits(node: Any) -> Iterator[Edit]:
    for other in _SET_OPERATIONS:
        if not isinstance(node, other):
            yield "set operation", _as(other, distinct=True)
    if isinstance(node, exp.Union):
        yield "set operation", lambda own: own.set("distinct", not own.args.get("distinct"))
    yield "one side alone", lambda own: own.replace(own.this)
    yield "one side alone", lambda own: own.replace(own.expression)
    left, right = node.this, node.expression
    if isinstance(left, exp.Select) and isinstance(right, exp.Select) and right.args.get("where"):
        joiner = exp.Or if isinstance(node, exp.Union) else exp.And
        yield "one query for two", lambda own: own.replace(_merged(own, joiner))


def _merged(own: Any, joiner: type[exp.Connector]) -> Any:
    """Both conditions in one SELECT, which is right only if rows are what the operation compares."""
    select = own.this
    condition: Any = own.expression.args["where"].this
    if isinstance(own, exp.Except):
        condition = exp.Not(this=exp.Paren(this=condition))
    where = select.args.get("where")
    if where:
        condition = joiner(this=exp.Paren(this=where.this), expression=exp.Paren(this=condition))
    select.set("where", exp.Where(this=condition))
    return select
