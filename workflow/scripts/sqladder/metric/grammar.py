"""The SQL subset of the Spider data set: tokens, grammar and tree.

Hardness and exact set match are defined on the tree that Spider's own small parser builds, with
its simplifications: one set operator a level, no outer joins, a condition's right side is one
value. This parser accepts what that one accepts, and builds the same tree.

Without a schema every name is taken as it stands, which is enough for hardness; with one, names
become `__table.column__` and an unknown name is an error.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Union

from sqladder.metric.showing import brief

CLAUSES = ("select", "from", "where", "group", "order", "limit", "intersect", "union", "except")
SET_OPERATORS = ("intersect", "union", "except")
AGGREGATES = ("none", "max", "min", "count", "sum", "avg")
COMPARISONS = ("not", "between", "=", ">", "<", ">=", "<=", "!=", "in", "like", "is", "exists")
_ARITHMETIC = ("none", "-", "+", "*", "/")
_JOIN_WORDS = ("join", "on", "as")
# Words that the grammar does not know and that therefore are no names where no schema tells.
_NOT_NAMES = frozenset(
    re.findall(
        r"\w+",
        "all asc between by case cast cross desc distinct else end exists full having in inner is "
        "left like natural not null offset outer over recursive right then using values when with",
    )
) | {*CLAUSES, *_JOIN_WORDS}

_LITERAL_MARK = "\ue000"
# NLTK's Treebank rules, as far as they touch SQL. A comma before a digit does not split.
_APART = re.compile(r"([;@#$%&?!*()\[\]{}<>`]|--|\.{2,}|[:,](?=\D|$))")
_NAME = re.compile(r"[^\W\d][\w$]*|\d+\w*[^\W\d]\w*")
Schema = dict[str, list[str]]


class GrammarError(ValueError):
    """The text is outside the grammar, or names what the schema does not hold."""


class ColumnRef(NamedTuple):
    """A column with its aggregate, a position in AGGREGATES."""

    aggregate: int
    name: str
    distinct: bool | None


class Value(NamedTuple):
    """One column, or two joined by an arithmetic operator."""

    operator: int
    left: ColumnRef
    right: ColumnRef | None


class Condition(NamedTuple):
    """`first` and `second` are a nested query, text, a number, a column or None."""

    negated: bool
    comparison: int
    value: Value
    first: Union["Query", str, float, ColumnRef, None]
    second: Union["Query", str, float, ColumnRef, None]


@dataclass
class Query:
    """Tree of one SELECT.

    Condition lists hold conditions and, between them, `and` or `or`. `direction` is empty exactly
    if there is no ORDER BY.
    """

    distinct: bool | None = False
    select: list[tuple[int, Value]] = field(default_factory=list)
    tables: list[Union[str, "Query"]] = field(default_factory=list)
    on: list[Condition | str] = field(default_factory=list)
    where: list[Condition | str] = field(default_factory=list)
    group: list[ColumnRef] = field(default_factory=list)
    having: list[Condition | str] = field(default_factory=list)
    direction: str = ""
    order: list[Value] = field(default_factory=list)
    limit: bool = False
    combined: dict[str, "Query"] = field(default_factory=dict)


def conditions_of(clause: list[Condition | str]) -> list[Condition]:
    """The conditions of a clause without what connects them."""
    return [part for part in clause if isinstance(part, Condition)]


def official_tokens(sql: str) -> list[str]:
    """Cut a query into the words of the grammar, lower-cased but for literals.

    Blanks separate words, brackets and most punctuation stand alone, `=` sticks to its
    neighbours. Single quotes are read as double ones.

    Raises:
        GrammarError: the number of quotes is odd.
    """
    parts = sql.replace("'", '"').split('"')
    if len(parts) % 2 == 0:
        raise GrammarError("odd number of quotes")
    literals = [f'"{part}"' for part in parts[1::2]]
    marked = parts[0] + "".join(
        f"{_LITERAL_MARK}{number}{_LITERAL_MARK}{part}" for number, part in enumerate(parts[2::2])
    )
    marks = {
        f"{_LITERAL_MARK}{number}{_LITERAL_MARK}": text for number, text in enumerate(literals)
    }
    found = [marks.get(word, word) for word in _APART.sub(r" \1 ", marked).lower().split()]
    return _join_comparisons(found)


def _join_comparisons(found: list[str]) -> list[str]:
    joined: list[str] = []
    for word in found:
        if word == "=" and joined and joined[-1] in ("!", ">", "<"):
            joined[-1] += "="
        else:
            joined.append(word)
    return joined


def parse(sql: str, schema: Schema | None = None) -> Query:
    """Parse a query.

    Args:
        sql: the text.
        schema: lower-case columns of each lower-case table; None takes names as they stand.

    Raises:
        GrammarError: the query is outside the grammar or does not fit the schema.
    """
    try:
        tokens = official_tokens(sql)
        return _Parser(tokens, schema, _aliases(tokens, schema)).query(0)[1]
    except (LookupError, RecursionError) as error:
        raise GrammarError(f"{type(error).__name__}: {error}") from error


def _aliases(tokens: list[str], schema: Schema | None) -> dict[str, str]:
    """What each alias stands for, over the whole text, sub-queries included."""
    aliases = {tokens[i + 1]: tokens[i - 1] for i, token in enumerate(tokens) if token == "as"}
    for table in schema or ():
        _require(table not in aliases, f"alias {table} is also a table")
        aliases[table] = table
    return aliases


class _Parser:
    """Recursive descent; every method takes a position and returns the next one and its node."""

    def __init__(self, tokens: list[str], schema: Schema | None, aliases: dict[str, str]) -> None:
        self.tokens, self.schema, self.aliases = tokens, schema, aliases

    def query(self, at: int) -> tuple[int, Query]:
        """`[(] SELECT .. FROM .. [WHERE ..] .. [)] [set operator query]`."""
        query, start = Query(), at
        block = self.tokens[at] == "("
        at += block
        # FROM first: it says which tables the other clauses' columns may belong to.
        after_from, query.tables, query.on, tables = self.from_clause(start)
        query.distinct, query.select = self.select_clause(at, tables)
        at, query.where = self.conditions_after("where", after_from, tables)
        at, query.group = self.group_clause(at, tables)
        at, query.having = self.conditions_after("having", at, tables)
        at, query.direction, query.order = self.order_clause(at, tables)
        if self.peek(at) == "limit":
            query.limit, at = True, at + 2
            # Raises IndexError if the number is missing.
            self.tokens[at - 1]
        at = self.skip_semicolons(at)
        if block:
            at = self.expect(at, ")")
        at = self.skip_semicolons(at)
        operator = self.peek(at)
        if operator in SET_OPERATORS:
            at, query.combined[operator] = self.query(at + 1)
        return at, query

    def peek(self, at: int) -> str | None:
        """The token at a position, None past the end."""
        return self.tokens[at] if at < len(self.tokens) else None

    def expect(self, at: int, wanted: str) -> int:
        """Step over a token that must be there."""
        _require(self.tokens[at] == wanted, f"{wanted!r} expected, not {brief(self.tokens[at])}")
        return at + 1

    def skip_semicolons(self, at: int) -> int:
        """Step over any number of semicolons."""
        while self.peek(at) == ";":
            at += 1
        return at

    def ends_clause(self, at: int) -> bool:
        """Whether the token at a position begins another clause or closes this query."""
        token = self.peek(at)
        return token is not None and (token in CLAUSES or token in (")", ";"))

    def from_clause(
        self, start: int
    ) -> tuple[int, list[str | Query], list[Condition | str], list[str]]:
        """Tables, join conditions with `and` between joins, and names of the tables."""
        at = start
        while self.tokens[at] != "from":
            at += 1
        at += 1
        units: list[str | Query] = []
        conditions: list[Condition | str] = []
        tables: list[str] = []
        while at < len(self.tokens):
            block = self.tokens[at] == "("
            at += block
            if self.tokens[at] == "select":
                at, nested = self.query(at)
                units.append(nested)
            else:
                at += self.tokens[at] == "join"
                at, unit, name = self.table(at)
                tables.append(name)
                units.append(unit)
            if self.peek(at) == "on":
                at, found = self.conditions(at + 1, tables)
                conditions += ["and", *found] if conditions else found
            if block:
                at = self.expect(at, ")")
            if self.ends_clause(at):
                break
        return at, units, conditions, tables

    def table(self, at: int) -> tuple[int, str, str]:
        """A table name with or without alias: its identifier and its name."""
        name = self.table_named(self.tokens[at])
        if self.schema is not None and name not in self.schema:
            raise GrammarError(f"no table {name}")
        return at + (3 if self.peek(at + 1) == "as" else 1), f"__{name}__", name

    def table_named(self, token: str) -> str:
        """The table that a name or alias stands for."""
        if self.schema is not None or token in self.aliases:
            return self.aliases[token]
        _require(_is_name(token), f"{brief(token)} is no table name")
        return token

    def column(self, at: int, tables: Sequence[str]) -> tuple[int, str]:
        """Identifier of a column: `*`, `table.column`, or a column of one of `tables`."""
        token = self.tokens[at]
        if token == "*":
            return at + 1, "__all__"
        if "." in token:
            table, _, name = token.partition(".")
            _require("." not in name, f"{brief(token)} has two dots")
            return at + 1, self.identifier(self.table_named(table), name)
        if self.schema is None:
            _require(_is_name(token), f"{brief(token)} is no column name")
            return at + 1, token
        for table in tables:
            if token in self.schema[self.aliases[table]]:
                return at + 1, self.identifier(self.aliases[table], token)
        raise GrammarError(f"no column {token}")

    def identifier(self, table: str, name: str) -> str:
        """`__table.column__`, checked where there is a schema."""
        if self.schema is not None and name not in self.schema[table]:
            raise GrammarError(f"no column {table}.{name}")
        return f"__{table}.{name}__"

    def column_unit(self, at: int, tables: Sequence[str]) -> tuple[int, ColumnRef]:
        """`[(] column [)]` or `aggregate ( [distinct] column )`."""
        block = self.tokens[at] == "("
        at += block
        # An aggregate in parentheses leaves the closing one to the caller, as Spider's parser does.
        if self.tokens[at] in AGGREGATES:
            aggregate = AGGREGATES.index(self.tokens[at])
            at = self.expect(at + 1, "(")
            distinct = self.tokens[at] == "distinct"
            at, name = self.column(at + distinct, tables)
            return self.expect(at, ")"), ColumnRef(aggregate, name, distinct)
        distinct = self.tokens[at] == "distinct"
        at, name = self.column(at + distinct, tables)
        if block:
            at = self.expect(at, ")")
        return at, ColumnRef(0, name, distinct)

    def value_unit(self, at: int, tables: Sequence[str]) -> tuple[int, Value]:
        """`[(] column [operator column] [)]`."""
        block = self.tokens[at] == "("
        at, left = self.column_unit(at + block, tables)
        operator, right = 0, None
        if self.peek(at) in _ARITHMETIC:
            operator = _ARITHMETIC.index(self.tokens[at])
            at, right = self.column_unit(at + 1, tables)
        if block:
            at = self.expect(at, ")")
        return at, Value(operator, left, right)

    def literal(
        self, at: int, tables: Sequence[str]
    ) -> tuple[int, Query | str | float | ColumnRef]:
        """Right side of a comparison: nested query, quoted text, number or column."""
        start, block = at, self.tokens[at] == "("
        at += block
        token = self.tokens[at]
        value: Query | str | float | ColumnRef
        if token == "select":
            at, value = self.query(at)
        elif '"' in token:
            at, value = at + 1, token
        else:
            try:
                at, value = at + 1, float(token)
            except ValueError:
                at, value = self.column_value(start, at, tables)
        return (self.expect(at, ")") if block else at), value

    def column_value(self, start: int, at: int, tables: Sequence[str]) -> tuple[int, ColumnRef]:
        """A column on the right side; whatever follows it up to the next clause is skipped."""
        # `or` is no stop: what follows one after a column is lost, in Spider's parser too.
        end = at
        stops = (",", ")", "and", *CLAUSES, *_JOIN_WORDS)
        while end < len(self.tokens) and self.tokens[end] not in stops:
            end += 1
        inner = _Parser(self.tokens[start:end], self.schema, self.aliases)
        return end, inner.column_unit(0, tables)[1]

    def conditions(self, at: int, tables: Sequence[str]) -> tuple[int, list[Condition | str]]:
        """Conditions with their connectors, up to the next clause."""
        found: list[Condition | str] = []
        while at < len(self.tokens):
            at, condition = self.condition(at, tables)
            found.append(condition)
            if self.ends_clause(at) or self.peek(at) in _JOIN_WORDS:
                break
            if at < len(self.tokens):
                _require(
                    self.tokens[at] in ("and", "or"), f"{brief(self.tokens[at])} after a condition"
                )
                found.append(self.tokens[at])
                at += 1
        return at, found

    def condition(self, at: int, tables: Sequence[str]) -> tuple[int, Condition]:
        """`value [not] comparison literal [and literal]`."""
        at, value = self.value_unit(at, tables)
        negated = self.tokens[at] == "not"
        at += negated
        token = self.tokens[at]
        _require(token in COMPARISONS, f"{brief(token)} is no comparison")
        at, first = self.literal(at + 1, tables)
        second = None
        if token == "between":
            at, second = self.literal(self.expect(at, "and"), tables)
        return at, Condition(negated, COMPARISONS.index(token), value, first, second)

    def conditions_after(
        self, keyword: str, at: int, tables: Sequence[str]
    ) -> tuple[int, list[Condition | str]]:
        """The conditions of a WHERE or HAVING clause, none if it is not there."""
        return self.conditions(at + 1, tables) if self.peek(at) == keyword else (at, [])

    def select_clause(self, at: int, tables: Sequence[str]) -> tuple[bool, list[tuple[int, Value]]]:
        """Whether it is DISTINCT, and its values with the position of their outer aggregate."""
        at = self.expect(at, "select")
        distinct = self.peek(at) == "distinct"
        at += distinct
        selected = []
        while at < len(self.tokens) and self.tokens[at] not in CLAUSES:
            aggregate = 0
            if self.tokens[at] in AGGREGATES:
                aggregate, at = AGGREGATES.index(self.tokens[at]), at + 1
            at, value = self.value_unit(at, tables)
            selected.append((aggregate, value))
            at += self.peek(at) == ","
        return distinct, selected

    def group_clause(self, at: int, tables: Sequence[str]) -> tuple[int, list[ColumnRef]]:
        """Columns of GROUP BY."""
        columns: list[ColumnRef] = []
        if self.peek(at) != "group":
            return at, columns
        at = self.expect(at + 1, "by")
        while at < len(self.tokens) and not self.ends_clause(at):
            at, column = self.column_unit(at, tables)
            columns.append(column)
            if self.peek(at) != ",":
                break
            at += 1
        return at, columns

    def order_clause(self, at: int, tables: Sequence[str]) -> tuple[int, str, list[Value]]:
        """Last direction that is written and the values of ORDER BY."""
        values: list[Value] = []
        if self.peek(at) != "order":
            return at, "", values
        direction, at = "asc", self.expect(at + 1, "by")
        while at < len(self.tokens) and not self.ends_clause(at):
            at, value = self.value_unit(at, tables)
            values.append(value)
            if self.peek(at) in ("asc", "desc"):
                direction, at = self.tokens[at], at + 1
            if self.peek(at) != ",":
                break
            at += 1
        return at, direction, values


def _is_name(token: str) -> bool:
    return bool(_NAME.fullmatch(token)) and token not in _NOT_NAMES


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise GrammarError(message)
