"""What the question generator knows of a database: fields, their roles and values, and links."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqladder.databases.schema import Column, Table, read_schema
from sqladder.demo.databases import read_rows
from sqladder.demo.english import is_plural, plural

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Field:
    """A column that questions may name.

    Attributes:
        role: number, time (dates and years), category (text whose values repeat) or label.
        values: the distinct values that are not NULL, sorted.
        nullable: whether the column holds NULL.
    """

    table: str
    name: str
    role: str
    values: tuple[Any, ...]
    nullable: bool

    @property
    def full_name(self) -> str:
        """The column with its table, as joins need it."""
        return f"{self.table}.{self.name}"

    @property
    def is_text(self) -> bool:
        """Whether the values stand in quotes and are asked for by name."""
        return self.role in ("category", "label")

    @property
    def kind(self) -> str:
        """Which wording of py fits: things, number or time."""
        if self.role == "time":
            return "time"
        return "things" if is_plural(self.name) else "number"

    @property
    def noun(self) -> str:
        """The column in a sentence: "price", but "number of pages"."""
        counts = self.role == "number" and self.kind == "things"
        return f"number of {self.name}" if counts else self.name

    @property
    def nouns(self) -> str:
        """The column's values in a sentence: "prices", but "numbers of pages"."""
        return (
            self.noun.replace("number of", "numbers of")
            if self.noun != self.name
            else plural(self.name)
        )


@dataclass(frozen=True)
class Link:
    """A foreign key: `child`.`column` refers to `parent`.`key`."""

    child: str
    column: str
    parent: str
    key: str

    @property
    def join(self) -> str:
        """The FROM clause that joins both tables."""
        return f"{self.child} JOIN {self.parent} ON {self.child}.{self.column} = {self.parent}.{self.key}"


@dataclass(frozen=True)
class Facts:
    """The fields of each table and the links between tables."""

    db_id: str
    fields: dict[str, tuple[Field, ...]]
    links: tuple[Link, ...]


def read_facts(path: Path) -> Facts:
    """Read what questions can be asked about a database file; keys are not asked for."""
    schema, rows = read_schema(path), read_rows(path)
    links = tuple(
        Link(table.name, key.columns[0], key.table, key.references[0])
        for table in schema.tables
        for key in table.foreign_keys
    )
    fields = {table.name: _fields(table, rows[table.name]) for table in schema.tables}
    return Facts(path.stem, fields, links)


def _fields(table: Table, rows: list[tuple]) -> tuple[Field, ...]:
    keys = {*table.primary_key, *(name for key in table.foreign_keys for name in key.columns)}
    fields = []
    for position, column in enumerate(table.columns):
        if column.name not in keys:
            values = [row[position] for row in rows if row[position] is not None]
            distinct = tuple(sorted(set(values)))
            role = _role(column, distinct, len(values))
            fields.append(Field(table.name, column.name, role, distinct, len(values) < len(rows)))
    return tuple(fields)


def _role(column: Column, distinct: tuple[Any, ...], count: int) -> str:
    if column.name == "year" or all(_DATE.fullmatch(str(value)) for value in distinct):
        return "time"
    if not any(isinstance(value, str) for value in distinct):
        return "number"
    return "category" if len(distinct) <= count / 2 else "label"
