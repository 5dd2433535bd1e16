"""Random choices for one question: tables, fields, conditions, links."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqladder.demo import english
from sqladder.demo.facts import Facts, Field, Link

Item = TypeVar("Item")


class NothingFitsError(LookupError):
    """A question type asks for something that the database does not have."""


@dataclass(frozen=True)
class Condition:
    """A filter on one field.

    Attributes:
        field: the field it is on.
        words: how it reads after "with" or "has".
        test: the SQL that follows the column.
        values: the values of the database that it names.
    """

    field: Field
    words: str
    test: str
    values: tuple[Any, ...]

    @property
    def sql(self) -> str:
        """The condition where only one table is in question."""
        return f"{self.field.name} {self.test}"

    @property
    def qualified(self) -> str:
        """The condition with the column's table, as joins need it."""
        return f"{self.field.table}.{self.field.name} {self.test}"


class Draw:
    """Random choices over one database; each method raises NothingFitsError if there is none.

    Attributes:
        facts: the database.
        rng: source of all choices.
    """

    def __init__(self, facts: Facts, rng: random.Random) -> None:
        self.facts = facts
        self.rng = rng

    def one(self, items: Iterable[Item]) -> Item:
        """Any one of the items."""
        choices = list(items)
        if not choices:
            raise NothingFitsError(self.facts.db_id)
        return self.rng.choice(choices)

    def table(self) -> str:
        """Any table."""
        return self.one(self.facts.fields)

    def link(self) -> Link:
        """Any foreign key."""
        return self.one(self.facts.links)

    def field(self, table: str, *roles: str, but: Iterable[Field] = ()) -> Field:
        """Any field of a table, of one of the roles if some are given."""
        taken = {field.name for field in but}
        return self.one(
            field
            for field in self.facts.fields[table]
            if (not roles or field.role in roles) and field.name not in taken
        )

    def shown(self, table: str, but: Iterable[Field] = ()) -> Field:
        """A field to show: mostly the table's label, if it has one."""
        if self.rng.random() < 0.6:
            try:
                return self.field(table, "label", but=but)
            except NothingFitsError:
                pass
        return self.field(table, but=but)

    def text_filter(self, field: Field) -> Condition:
        """The field has one of its values."""
        value = self.one(value for value in field.values if _fits_a_question(value))
        return Condition(field, f'the {field.name} "{value}"', f"= {_quoted(value)}", (value,))

    def number_filter(self, field: Field, operators: str = "><=") -> Condition:
        """The field is above, below or equal to one of its values."""
        operator = self.one(operators)
        if field.role == "time" and not isinstance(field.values[0], int):
            operator = self.one("><")
        inner = field.values[1:-1] if operator != "=" else field.values
        value = self.one(inner)
        words = english.COMPARISONS[field.kind][operator].format(
            _shown(value), noun=field.name, a=english.article(field.name)
        )
        return Condition(field, words, f"{operator} {_quoted(value)}", (value,))

    def range_filter(self, field: Field) -> Condition:
        """The field lies between two of its values."""
        if len(field.values) < 3:
            raise NothingFitsError(self.facts.db_id)
        low, high = sorted(self.rng.sample(field.values, 2))
        words = english.RANGES[field.kind].format(
            _shown(low), _shown(high), noun=field.name, a=english.article(field.name)
        )
        return Condition(field, words, f"BETWEEN {_quoted(low)} AND {_quoted(high)}", (low, high))

    def like_filter(self, field: Field) -> Condition:
        """The text starts with a letter or contains a word."""
        value = self.one(value for value in field.values if _fits_a_question(value))
        word = self.one(value.split())
        part, words, pattern = self.one(
            (
                (value[0], "starting with", "{}%"),
                (word, "containing", "%{}%"),
            )
        )
        text = f'{english.article(field.name)} {field.name} {words} "{part}"'
        return Condition(field, text, f"LIKE {_quoted(pattern.format(part))}", (part,))

    def filter(self, table: str, but: Iterable[Field] = ()) -> Condition:
        """A condition on any field of a table that is good to filter by."""
        roles = self.one(
            (("category",), ("category",), ("number",), ("number", "time"), ("label",))
        )
        field = self.field(table, *roles, but=but)
        if field.role in ("category", "label"):
            return self.text_filter(field)
        return self.number_filter(field)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else english.number(value)


def _quoted(value: Any) -> str:
    """A value as an SQL literal."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return english.number(value)


def _fits_a_question(value: str) -> bool:
    """Double quotes would end the value early, in the question and in Spider's tokeniser."""
    return '"' not in value
