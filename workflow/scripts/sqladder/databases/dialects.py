"""Whether a text failed only because it is written in another engine's dialect.

Three things have to hold: the text has something that the engine which rejected it does not have and another one has
(dialect_marks.py); sqlglot reads the text in that other dialect; and what is left, once what no SQLite has stands for
some value, is a query that SQLite compiles against the tables, so that no name and no clause is wrong besides. Nothing
is executed, and no answer is ever translated: this sorts failures.
"""

import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.generators.sqlite import SQLiteGenerator

from sqladder.databases.dialect_marks import NAMES, Dialects, Mark, functions, marks
from sqladder.databases.query_form import is_well_formed
from sqladder.databases.schema import in_quotes

LONGEST = 4_000
"""Characters of a text that is looked at; degenerate answers are longer."""

Tables = Mapping[str, Collection[str]]
"""Table -> names of its columns."""

_ANY = "sqladder_any"
_AGGREGATES = (exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Count)
_UNCHANGED = (exp.Connector, exp.Case, exp.Exists)
_DROPPED = {
    exp.Select: ("hint", "locks", "qualify", "operation_modifiers"),
    exp.Table: ("db", "catalog", "hints", "sample"),
    exp.Between: ("symmetric",),
    exp.Group: ("rollup", "cube", "grouping_sets", "totals"),
    exp.Distinct: ("on",),
    exp.Join: ("hint",),
}
_AFTER = ("order", "limit", "offset")
_UNIT = (exp.Var, exp.DataType, exp.Identifier)
_TAKES_BACKTICKS = {"sqlite", "mysql", "bigquery"}
_BACKTICKS = re.compile(r'`([^`"]+)`')
# SQLite has this function, so that it is the call that is wrong.
_WRONG_CALL = re.compile(r"wrong number of arguments to function (?!count\b)", re.IGNORECASE)
# An engine names the text in double quotes that it took for a column.
_NOT_A_COLUMN = re.compile(r'column "([^"]+)"')


def dialect_fault(sql: str, message: str, tables: Tables, own: str = "sqlite") -> str:
    """What made a text fail where nothing but its dialect is wrong, with who writes so; "" if there is more to it.

    Args:
        sql: the text.
        message: what the engine said of it.
        tables: of the database.
        own: the dialect of the engine that rejected it.
    """
    if len(sql) > LONGEST or _WRONG_CALL.search(message):
        return ""
    found = list(marks(sql, message, own, _sqlite_functions() if own == "sqlite" else frozenset()))
    found += _quoted_texts(sql, message, tables, own)
    if not found:
        return ""
    readers = [name for name in _likely(found) if name != own and _fits(sql, name, tables)]
    if not readers:
        return ""
    shown = ", ".join(dict.fromkeys(mark.shown for mark in found))
    *others, last = (NAMES[name] for name in readers[:3])
    return f"{shown}, as in {', '.join(others)}{' or ' if others else ''}{last}"


def _quoted_texts(sql: str, message: str, tables: Tables, own: str) -> Iterator[Mark]:
    """Texts in double quotes, which SQLite and MySQL take where no column has that name."""
    named = _NOT_A_COLUMN.search(message)
    columns = {column.lower() for columns in tables.values() for column in columns}
    if own in ("sqlite", "mysql") or not named or named[1].lower() in columns:
        return
    if f'"{named[1].lower()}"' in sql.lower():
        yield Mark("a text in double quotes", frozenset(("sqlite", "mysql")))


def _likely(found: list[Mark]) -> list[str]:
    """The dialects that have all marks, or else, in a mixed text, any of them."""
    every: Dialects = frozenset.intersection(*(mark.dialects for mark in found))
    some: Dialects = frozenset.union(*(mark.dialects for mark in found))
    return [name for name in NAMES if name in (every or some)]


@cache
def _sqlite_functions() -> frozenset[str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        names = connection.execute("SELECT name FROM pragma_function_list").fetchall()
    return frozenset(name.lower() for (name,) in names)


class _PlainWriter(SQLiteGenerator):
    """Writes in double quotes only what the text had in them: there SQLite reads a name that is none as a text."""

    def __init__(self, given: str) -> None:
        super().__init__(unsupported_level=sqlglot.ErrorLevel.IGNORE)
        self._given = given.lower()

    def identifier_sql(self, expression: exp.Identifier) -> str:
        name = expression.name
        if not expression.quoted or f'"{name.lower()}"' in self._given or "`" in name:
            return super().identifier_sql(expression)
        return f"`{name}`"


def _fits(given: str, dialect: str, tables: Tables) -> bool:
    """Whether a text is a query in a dialect, and right but for what only that dialect has."""
    sql = given
    if dialect not in _TAKES_BACKTICKS:
        # A mixed text: SQLite takes them beside whatever else.
        sql = _BACKTICKS.sub(r'"\1"', sql)
    try:
        tree = sqlglot.parse_one(sql, read=dialect)
        if not isinstance(tree, exp.Query) or not is_well_formed(sql, tree, dialect):
            return False
        return _compiles(_PlainWriter(given).generate(_plain(tree)), tables)
    except (sqlglot.errors.SqlglotError, RecursionError, ValueError, TypeError, AttributeError):
        # What sqlglot's own code trips over on a degenerate text was not read either.
        return False


def _compiles(text: str, tables: Tables) -> bool:
    with closing(sqlite3.connect(":memory:")) as connection:
        for name, columns in tables.items():
            names = ", ".join(map(in_quotes, columns))
            connection.execute(f"CREATE TABLE {in_quotes(name)} ({names})")
        connection.create_function(_ANY, -1, lambda *values: None)
        try:
            connection.execute(f"EXPLAIN {text}")
        except (sqlite3.Error, sqlite3.Warning, UnicodeEncodeError):
            return False
        return True


def _plain(tree: exp.Expr) -> exp.Expr:
    """The tree with SQLite's own parts alone; whatever else yields a value is a function of its columns."""
    root = exp.Paren(this=tree)
    # From the leaves: a replaced node holds what its children became.
    for node in reversed(list(tree.walk())):
        _drop(node)
        new = _replaced(node)
        if new is not node:
            node.replace(new)
    plain = root.this
    while isinstance(plain, exp.Subquery) and isinstance(plain.this, exp.Query):
        plain = _unwrapped(plain)
    return plain


def _unwrapped(side: exp.Expr) -> exp.Expr:
    """A query in parentheses as SQLite takes it: without them, or with a SELECT before them."""
    if not isinstance(side, exp.Subquery):
        return side
    if isinstance(side.this, exp.Select) and not _is_cut(side) and not _is_cut(side.this):
        return side.this
    plain = exp.select("*").from_(side.this.subquery("inner_query"))
    for name in _AFTER:
        if side.args.get(name):
            plain.set(name, side.args[name])
    return plain


def _is_cut(query: exp.Expr) -> bool:
    return any(map(query.args.get, ("with_", *_AFTER)))


def _drop(node: exp.Expr) -> None:
    if isinstance(node, exp.Select) and (group := node.args.get("group")) and group.args.get("all"):
        node.set("group", None)
    for kind, names in _DROPPED.items():
        if isinstance(node, kind):
            for name in names:
                node.set(name, None)


def _replaced(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.SetOperation():
            for side in ("this", "expression"):
                node.set(side, _unwrapped(node.args[side]))
            if isinstance(node, exp.Except | exp.Intersect):
                node.set("distinct", True)
        case exp.Fetch() | exp.Limit():
            return exp.Limit(expression=exp.Literal.number(1))
        case exp.Interval():
            return exp.Literal.number(1)
        case exp.National() | exp.ByteString() | exp.RawString() | exp.UnicodeString():
            return exp.Literal.string("")
        case exp.AtTimeZone() | exp.Cast() | exp.Collate() | exp.WithinGroup() | exp.IgnoreNulls():
            return node.this
        case exp.Any() | exp.All():
            return node.this.subquery() if isinstance(node.this, exp.Select) else node.this
        case exp.Rollup() | exp.Cube() | exp.GroupingSets():
            return _any(node.expressions)
        case exp.ILike() | exp.SimilarTo():
            return exp.Like(this=node.this, expression=node.expression)
        case exp.Unnest():
            return _one_row(node)
        case exp.Table() if isinstance(node.this, exp.Func) or node.name.lower() == "dual":
            return _one_row(node)
        case exp.Lateral():
            return _uncorrelated(node)
        case exp.Column() if not node.table and node.name.lower() == "rownum":
            return exp.Literal.number(1)
        case exp.Count() if isinstance(node.this, exp.Distinct):
            node.this.set("expressions", [_any(node.this.expressions)])
            node.set("expressions", [])
        case exp.Tuple() if not isinstance(node.parent, exp.Values):
            whole = isinstance(node.parent, exp.In) and node.parent.args.get("query")
            return node if whole else _any(node.expressions)
        case exp.Ordered() if isinstance(node.this, exp.Var):
            return exp.Literal.number(1)
        case exp.Star():
            return exp.Star()
        case _:
            return _without_function(node)
    return node


def _one_row(node: exp.Expr) -> exp.Expr:
    """Rows of a function, whose columns are known by their aliases."""
    alias = node.alias or "rows_of"
    columns = [column.name for column in node.args["alias"].columns] if node.alias else []
    values = [exp.alias_(exp.Literal.number(1), name, quoted=True) for name in columns or [alias]]
    return exp.select(*values).subquery(alias)


def _uncorrelated(lateral: exp.Lateral) -> exp.Expr:
    """A query beside others in FROM, with a value where it reads a column of those before it."""
    query = lateral.this.unnest() if isinstance(lateral.this, exp.Subquery) else lateral.this
    if not isinstance(query, exp.Query):
        return _one_row(lateral)
    own = {table.alias_or_name for table in query.find_all(exp.Table)}
    for column in list(query.find_all(exp.Column)):
        if column.table and column.table not in own:
            column.replace(exp.Literal.number(1))
    return query.subquery(lateral.alias or None)


def _without_function(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Anonymous):
        name = node.name.lower()
        known = name in functions() or name in _sqlite_functions()
        return _any(node.expressions) if known else node
    if isinstance(node, exp.If) and isinstance(node.parent, exp.Case):
        return node
    if isinstance(node, exp.AggFunc) or isinstance(node.parent, exp.Window):
        if isinstance(node, _AGGREGATES) or not isinstance(node, exp.Func):
            return node
        return exp.Max(this=_any(list(node.iter_expressions())))
    if isinstance(node, exp.Func | exp.Bracket | exp.Array | exp.NullSafeEQ | exp.RegexpLike):
        return node if isinstance(node, _UNCHANGED) else _any(list(node.iter_expressions()))
    if isinstance(node, exp.Xor):
        return exp.Or(this=node.this, expression=node.expression)
    return node


def _any(values: list[exp.Expr]) -> exp.Expr:
    """Some value, of these columns."""
    given = [value for value in values if not isinstance(value, _UNIT)]
    return exp.Anonymous(this=_ANY, expressions=list(_values(given)))


def _values(given: list[exp.Expr]) -> Iterator[exp.Expr]:
    for value in given:
        if isinstance(value, exp.Order | exp.Ordered | exp.Distinct):
            yield from _values(list(value.iter_expressions()))
        else:
            yield value.subquery() if isinstance(value, exp.Select) else value
