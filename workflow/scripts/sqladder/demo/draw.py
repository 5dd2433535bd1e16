"""Random choices for one question: tables, fields, conditions, links."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqladder.demo import english
from sqladder.demo.fields import Facts, Field, Link

Item = TypeVar("Item")


class NothingFitsError(LookupError):
    """A question type asks for something that the database does not have."""


@dataclass(frozen=True)
class DrawnCondition:
    """A filter on one field.

    Attributes:
        field: the field it is on.
        words: how it reads after "with" or "has".
        test: the SQL that follows the column.
        values: the values of the database that it names, as the question shows them.
    """

    field: Field
    words: str
    test: str
    values: tuple[str, ...]

    @property
    def sql(self) -> str:
        """The condition where only one table is in question."""
        return f"{self.field.name} {self.test}"

    @property
    def full_sql(self) -> str:
        """The condition with the column's table, as joins need it."""
        return f"{self.field.full_name} {self.test}"


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
        fields = [field for field in self.facts.fields[table] if field not in tuple(but)]
        return self.one(field for field in fields if not roles or field.role in roles)

    def shown(self, table: str, but: Iterable[Field] = ()) -> Field:
        """A field to show: mostly the table's label, if it has one."""
        but = tuple(but)
        labels = [field for field in self.facts.fields[table] if field.role == "label"]
        labels = [field for field in labels if field not in but]
        return labels[0] if labels and self.rng.random() < 0.6 else self.field(table, but=but)

    def text_filter(self, field: Field) -> DrawnCondition:
        """The field has one of its values."""
        value = self.one(value for value in field.values if _fits_a_question(value))
        return DrawnCondition(field, f'the {field.name} "{value}"', f"= {_quoted(value)}", (value,))

    def number_filter(self, field: Field, operators: str = "><=") -> DrawnCondition:
        """The field is above, below or equal to one of its values."""
        operator = self.one(operators)
        # The outermost values would make a filter that all rows pass, or none.
        value = self.one(field.values if operator == "=" else field.values[1:-1])
        noun = field.name[:-1] if field.kind == "things" and value == 1 else field.name
        words = english.COMPARISONS[field.kind][operator].format(
            _shown(value), noun=noun, a=english.article(noun)
        )
        return DrawnCondition(field, words, f"{operator} {_quoted(value)}", (_shown(value),))

    def range_filter(self, field: Field) -> DrawnCondition:
        """The field lies between two of its values."""
        if len(field.values) < 3:
            raise NothingFitsError(self.facts.db_id)
        low, high = sorted(self.rng.sample(field.values, 2))
        shown = (_shown(low), _shown(high))
        words = english.RANGES[field.kind].format(
            *shown, noun=field.name, a=english.article(field.name)
        )
        return DrawnCondition(field, words, f"BETWEEN {_quoted(low)} AND {_quoted(high)}", shown)

    def like_filter(self, field: Field) -> DrawnCondition:
        """The text starts with a letter or contains a word."""
        value = self.one(value for value in field.values if _fits_a_question(value))
        if self.rng.random() < 0.5:
            part, words, pattern = value[0], "starting with", f"{value[0]}%"
        else:
            part = self.one(word for word in value.split() if word.isalpha())
            words, pattern = "containing", f"%{part}%"
        text = f'{english.article(field.name)} {field.name} {words} "{part}"'
        return DrawnCondition(field, text, f"LIKE {_quoted(pattern)}", (part,))

    def filter(self, table: str, but: Iterable[Field] = ()) -> DrawnCondition:
        """A condition on any field of a table that is good to filter by."""
        role = self.one(("category", "category", "number", "number", "time", "label"))
        field = self.field(table, role, but=but)
        return self.text_filter(field) if field.is_text else self.number_filter(field)

    def wide_filter(self, table: str, but: Iterable[Field] = ()) -> DrawnCondition:
        """A condition that many rows fulfil: no single name, no single number."""
        role = self.one(("category", "category", "number", "time"))
        field = self.field(table, role, but=but)
        return self.text_filter(field) if field.is_text else self.number_filter(field, "><")


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
