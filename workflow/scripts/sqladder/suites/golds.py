"""What gold queries say about a database: constants of columns, columns that are joined, columns that are ranked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from sqladder.suites.catalog import Catalog

_COMPARISONS = (
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.Like,
    exp.ILike,
    exp.Glob,
    exp.Is,
)
Place = tuple[str, str]
"""Table and column, in lower case."""


@dataclass
class Wishes:
    """What contents must hold so that gold can be told from its neighbours.

    Attributes:
        constants: column in lower case -> values that gold compares it with.
        nulls: columns in lower case that gold compares with NULL.
        joined: pairs of columns that gold joins.
        ranked: columns in lower case by which gold sorts before it cuts.
        read: names of columns, in lower case, that gold does more with than show, count or group by them.
    """

    constants: dict[str, list[Any]] = field(default_factory=dict)
    nulls: set[str] = field(default_factory=set)
    joined: set[tuple[Place, Place]] = field(default_factory=set)
    ranked: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)

    def add_constant(self, column: str, value: Any) -> None:
        """Note a value that a column is compared with."""
        known = self.constants.setdefault(column, [])
        if value not in known:
            known.append(value)


def parsed(sql: str) -> exp.Query | None:
    """The tree of a query; None for what sqlglot does not read as one."""
    try:
        tree = parse_one(sql, read="sqlite")
    except (SqlglotError, RecursionError):
        return None
    return tree if isinstance(tree, exp.Query) else None


def wishes_of(trees: Iterable[exp.Query], catalog: Catalog) -> Wishes:
    """What the gold queries of a database ask of its contents."""
    wishes = Wishes()
    for tree in trees:
        wishes.read |= _names_read(tree)
        for node in tree.find_all(*_COMPARISONS, exp.Between, exp.In):
            _note_comparison(node, catalog, wishes)
        for order in tree.find_all(exp.Order):
            if order.parent and order.parent.args.get("limit"):
                wishes.ranked |= {
                    column.name.lower()
                    for term in order.expressions
                    if not term.find(exp.AggFunc)
                    for column in term.find_all(exp.Column)
                }
    _hand_on_constants(catalog, wishes)
    return wishes


def _names_read(tree: exp.Query) -> set[str]:
    """Names of columns that a query does more with than count, group by, or show them at the outermost."""
    return {column.name.lower() for column in tree.find_all(exp.Column) if not _is_shown(column)}


def _is_shown(column: exp.Column) -> bool:
    node: Any = column.parent
    while isinstance(node, exp.Alias | exp.Distinct):
        node = node.parent
    is_outermost = isinstance(node, exp.Select) and node.parent is None
    return is_outermost or isinstance(node, exp.Count | exp.Group)


def _hand_on_constants(catalog: Catalog, wishes: Wishes) -> None:
    """Give the constants of a column to those that its values come from: the other ends of its joins and keys."""
    pairs = {(here[1], there[1]) for here, there in wishes.joined}
    for own in catalog.tables:
        for key in own.table.foreign_keys:
            pairs |= {
                (here.lower(), there.lower())
                for here, there in zip(key.columns, key.references, strict=False)
            }
    for here, there in sorted(pairs):
        for source, target in ((here, there), (there, here)):
            for value in list(wishes.constants.get(source, [])):
                wishes.add_constant(target, value)


def _note_comparison(node: Any, catalog: Catalog, wishes: Wishes) -> None:
    left = node.this
    if isinstance(node, exp.Between):
        _note(left, node.args["low"], wishes)
        _note(left, node.args["high"], wishes)
    elif isinstance(node, exp.In):
        for value in node.expressions:
            _note(left, value, wishes)
        query = node.args.get("query")
        inner = query.this if isinstance(query, exp.Subquery) else query
        if isinstance(inner, exp.Select) and len(inner.expressions) == 1:
            _note_join(left, inner.expressions[0].unalias(), catalog, wishes)
    else:
        _note(left, node.expression, wishes)
        _note(node.expression, left, wishes)
        if isinstance(node, exp.EQ):
            _note_join(left, node.expression, catalog, wishes)


def _note(column: Any, value: Any, wishes: Wishes) -> None:
    if not isinstance(column, exp.Column):
        return
    name = column.name.lower()
    if isinstance(value, exp.Null):
        wishes.nulls.add(name)
        return
    found = constant(value)
    if found is not None:
        wishes.add_constant(name, found.strip("%") if isinstance(found, str) else found)


def in_64_bits(number: int) -> int:
    """The integer that SQLite can hold in 64 bits which is next to this one."""
    return max(-(2**63), min(number, 2**63 - 1))


def constant(node: Any) -> int | float | str | None:
    """The value of a literal, None of anything else; a name in double quotes may be a text to SQLite."""
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        value = constant(node.this)
        return -value if isinstance(value, int | float) else None
    if isinstance(node, exp.Column) and node.this.args.get("quoted") and not node.table:
        return node.name
    if not isinstance(node, exp.Literal):
        return None
    if node.is_string:
        return str(node.this)
    try:
        return in_64_bits(int(node.this))
    except ValueError:
        pass
    try:
        return float(node.this)
    except ValueError:
        return None


def _note_join(left: Any, right: Any, catalog: Catalog, wishes: Wishes) -> None:
    here, there = place_of(left, catalog), place_of(right, catalog)
    if here and there and here != there:
        wishes.joined.add((here, there))


def place_of(column: Any, catalog: Catalog) -> Place | None:
    """Table and column that a column of a query is of; None where the query does not say it plainly."""
    if not isinstance(column, exp.Column):
        return None
    select = column.find_ancestor(exp.Select)
    if select is None:
        return None
    sources = {alias.lower(): name for alias, name in tables_of(select)}
    if column.table:
        name = sources.get(column.table.lower())
        own = catalog.table(name) if name else None
        return (own.name.lower(), column.name.lower()) if own and own.holds(column.name) else None
    for name in sources.values():
        own = catalog.table(name)
        if own and own.holds(column.name):
            return own.name.lower(), column.name.lower()
    return None


def tables_of(select: exp.Select) -> Iterator[tuple[str, str]]:
    """Alias and name of each table that a SELECT itself reads."""
    start = select.args.get("from_") or select.args.get("from")
    sources = [start.this] if start else []
    sources += [join.this for join in select.args.get("joins") or []]
    for source in sources:
        if isinstance(source, exp.Table):
            yield source.alias_or_name, source.name
