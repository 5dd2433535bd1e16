"""Question types about one table. Each function drafts one question of the type it is named for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqladder.demo import english
from sqladder.demo.draw import Condition, Draw, NothingFitsError
from sqladder.demo.english import plural
from sqladder.demo.facts import Field


@dataclass(frozen=True)
class Draft:
    """One query and several ways to ask for it.

    Attributes:
        questions: paraphrases, all with the same meaning.
        sql: the gold query.
        values: the database values that the question names, () if none.
    """

    questions: tuple[str, ...]
    sql: str
    values: tuple[Any, ...] = ()


Type = Callable[[Draw], Draft]


def asked_of_all(noun: str, table: str) -> tuple[str, ...]:
    """Ways to ask for something of every row."""
    return (
        f"What is the {noun} of each {table}?",
        f"List the {noun} of all {plural(table)}.",
        f"Show the {noun} of every {table}.",
    )


def asked_of_some(noun: str, table: str, words: str) -> tuple[str, ...]:
    """Ways to ask for something of the rows that fulfil a condition."""
    return (
        f"What is the {noun} of each {table} with {words}?",
        f"List the {noun} of all {plural(table)} with {words}.",
        f"Show the {noun} of every {table} with {words}.",
    )


def listing(draw: Draw) -> Draft:
    field = draw.field(draw.table())
    return Draft(asked_of_all(field.noun, field.table), f"SELECT {field.name} FROM {field.table}")


def listing_two(draw: Draw) -> Draft:
    table = draw.table()
    first = draw.shown(table)
    second = draw.field(table, but=[first])
    noun = f"{first.noun} and the {second.noun}"
    return Draft(asked_of_all(noun, table), f"SELECT {first.name}, {second.name} FROM {table}")


def distinct(draw: Draw) -> Draft:
    table = draw.table()
    field = draw.field(table, "category")
    return Draft(
        (
            f"List the different {plural(field.name)} of all {plural(table)}.",
            f"What are the different {plural(field.name)} of the {plural(table)}?",
            f"Show every different {field.name} of the {plural(table)}.",
        ),
        f"SELECT DISTINCT {field.name} FROM {table}",
    )


def _filtered(shown: Field, condition: Condition) -> Draft:
    return Draft(
        asked_of_some(shown.noun, shown.table, condition.words),
        f"SELECT {shown.name} FROM {shown.table} WHERE {condition.sql}",
        condition.values,
    )


def filter_text(draw: Draw) -> Draft:
    field = draw.field(draw.table(), draw.one(("category", "category", "label")))
    return _filtered(draw.shown(field.table, [field]), draw.text_filter(field))


def filter_number(draw: Draw) -> Draft:
    field = draw.field(draw.table(), "number", "time")
    return _filtered(draw.shown(field.table, [field]), draw.number_filter(field))


def filter_between(draw: Draw) -> Draft:
    field = draw.field(draw.table(), "number", "number", "time")
    return _filtered(draw.shown(field.table, [field]), draw.range_filter(field))


def filter_like(draw: Draw) -> Draft:
    field = draw.field(draw.table(), "category", "label")
    return _filtered(draw.shown(field.table, [field]), draw.like_filter(field))


def _two_conditions(draw: Draw, table: str) -> tuple[Condition, Condition]:
    first = draw.text_filter(draw.field(table, "category", "label"))
    return first, draw.number_filter(draw.field(table, "number", "time"), "><")


def filter_and(draw: Draw) -> Draft:
    table = draw.table()
    first, second = _two_conditions(draw, table)
    shown = draw.shown(table, [first.field, second.field])
    return Draft(
        asked_of_some(shown.noun, table, f"{first.words} and {second.words}"),
        f"SELECT {shown.name} FROM {table} WHERE {first.sql} AND {second.sql}",
        first.values + second.values,
    )


def filter_or(draw: Draw) -> Draft:
    table = draw.table()
    first, second = _two_conditions(draw, table)
    shown = draw.shown(table, [first.field, second.field])
    return Draft(
        asked_of_some(shown.noun, table, f"{first.words} or {second.words}"),
        f"SELECT {shown.name} FROM {table} WHERE {first.sql} OR {second.sql}",
        first.values + second.values,
    )


def count(draw: Draw) -> Draft:
    table = draw.table()
    return Draft(
        (
            f"How many {plural(table)} are there?",
            f"Count all {plural(table)}.",
            f"What is the number of all {plural(table)}?",
        ),
        f"SELECT COUNT(*) FROM {table}",
    )


def count_filter(draw: Draw) -> Draft:
    table = draw.table()
    condition = draw.filter(table)
    return Draft(
        (
            f"How many {plural(table)} have {condition.words}?",
            f"Count the {plural(table)} with {condition.words}.",
            f"What is the number of {plural(table)} with {condition.words}?",
        ),
        f"SELECT COUNT(*) FROM {table} WHERE {condition.sql}",
        condition.values,
    )


def count_known(draw: Draw) -> Draft:
    table = draw.table()
    field = draw.one(field for field in draw.facts.fields[table] if field.nullable)
    return Draft(
        (
            f"How many {plural(table)} have a known {field.noun}?",
            f"Count the {plural(table)} with a known {field.noun}.",
            f"For how many {plural(table)} is the {field.noun} known?",
        ),
        f"SELECT COUNT({field.name}) FROM {table}",
    )


def count_distinct(draw: Draw) -> Draft:
    table = draw.table()
    field = draw.field(table)
    nouns = field.noun if field.noun != field.name else field.name
    return Draft(
        (
            f"How many different values of the {nouns} do the {plural(table)} have?",
            f"Count the different values of the {nouns} of all {plural(table)}.",
        ),
        f"SELECT COUNT(DISTINCT {field.name}) FROM {table}",
    )


def _aggregated(draw: Draw, table: str) -> tuple[str, str]:
    """An aggregate of some field: its words and its SQL."""
    field = draw.field(table, "number", "number", "time")
    words = english.AGGREGATES_OF_TIME if field.role == "time" else english.AGGREGATES
    name = draw.one(words)
    return f"{words[name]} {field.noun}", f"{name}({field.name})"


def aggregate(draw: Draw) -> Draft:
    table = draw.table()
    words, sql = _aggregated(draw, table)
    return Draft(
        (
            f"What is the {words} of all {plural(table)}?",
            f"Find the {words} of all {plural(table)}.",
            f"Give the {words} of the {plural(table)}.",
        ),
        f"SELECT {sql} FROM {table}",
    )


def aggregate_filter(draw: Draw) -> Draft:
    table = draw.table()
    words, sql = _aggregated(draw, table)
    condition = draw.filter(table)
    return Draft(
        (
            f"What is the {words} of all {plural(table)} with {condition.words}?",
            f"Find the {words} of all {plural(table)} with {condition.words}.",
            f"Give the {words} of the {plural(table)} with {condition.words}.",
        ),
        f"SELECT {sql} FROM {table} WHERE {condition.sql}",
        condition.values,
    )


ORDERS = {"ASC": "in ascending order of {}", "DESC": "in descending order of {}"}


def sort(draw: Draw) -> Draft:
    table = draw.table()
    shown = draw.shown(table)
    by = draw.field(table, but=[shown])
    way = draw.one(ORDERS)
    order = ORDERS[way].format(by.noun)
    return Draft(
        (
            f"List the {shown.noun} of all {plural(table)} {order}.",
            f"Show the {shown.noun} of every {table} {order}.",
            f"Give the {shown.noun} of the {plural(table)} {order}.",
        ),
        f"SELECT {shown.name} FROM {table} ORDER BY {by.name} {way}",
    )


def filter_sort(draw: Draw) -> Draft:
    table = draw.table()
    condition = draw.filter(table)
    shown = draw.shown(table, [condition.field])
    by = draw.field(table, but=[shown, condition.field])
    way = draw.one(ORDERS)
    order = ORDERS[way].format(by.noun)
    return Draft(
        (
            f"List the {shown.noun} of all {plural(table)} with {condition.words} {order}.",
            f"Show the {shown.noun} of every {table} with {condition.words} {order}.",
        ),
        f"SELECT {shown.name} FROM {table} WHERE {condition.sql} ORDER BY {by.name} {way}",
        condition.values,
    )


def filter_and_sort(draw: Draw) -> Draft:
    table = draw.table()
    first, second = _two_conditions(draw, table)
    shown = draw.shown(table, [first.field])
    other = draw.field(table, but=[shown, first.field])
    by = draw.field(table, "number", "time", but=[first.field])
    way = draw.one(ORDERS)
    words = f"with {first.words} and {second.words} {ORDERS[way].format(by.noun)}"
    return Draft(
        (
            f"List the {shown.noun} and the {other.noun} of all {plural(table)} {words}.",
            f"Show the {shown.noun} and the {other.noun} of every {table} {words}.",
        ),
        f"SELECT {shown.name}, {other.name} FROM {table}"
        f" WHERE {first.sql} AND {second.sql} ORDER BY {by.name} {way}",
        first.values + second.values,
    )


def superlative(draw: Draw, table: str) -> tuple[str, str]:
    """A superlative of some field: its words and the ORDER BY that finds it.

    The lowest is asked only of columns without NULL, which SQLite would sort first.
    """
    field = draw.field(table, "number", "time")
    way = draw.one(("DESC",) if field.nullable else ("DESC", "DESC", "ASC"))
    words = english.SUPERLATIVES[field.kind][way].format(noun=field.name)
    return words, f"ORDER BY {field.name} {way}"


def top(draw: Draw) -> Draft:
    table = draw.table()
    shown = draw.shown(table)
    words, order = superlative(draw, table)
    if f"BY {shown.name} " in order:
        raise NothingFitsError(shown.name)
    few = draw.one((1, 1, 2, 3, 5))
    rows = table if few == 1 else f"{few} {plural(table)}"
    return Draft(
        (
            f"What is the {shown.noun} of the {rows} with {words}?",
            f"Show the {shown.noun} of the {rows} with {words}.",
            f"Give the {shown.noun} of the {rows} with {words}.",
        ),
        f"SELECT {shown.name} FROM {table} {order} LIMIT {few}",
    )


def filter_top(draw: Draw) -> Draft:
    table = draw.table()
    condition = draw.filter(table)
    shown = draw.shown(table, [condition.field])
    words, order = superlative(draw, table)
    if f"BY {shown.name} " in order:
        raise NothingFitsError(shown.name)
    rows = plural(table)
    return Draft(
        (
            f"Of all {rows} with {condition.words}, what is the {shown.noun} of the one with {words}?",
            f"Of all {rows} with {condition.words}, show the {shown.noun} of the one with {words}.",
        ),
        f"SELECT {shown.name} FROM {table} WHERE {condition.sql} {order} LIMIT 1",
        condition.values,
    )


def group_count(draw: Draw) -> Draft:
    table = draw.table()
    field = draw.field(table, "category")
    return Draft(
        (
            f"How many {plural(table)} are there for each {field.name}?",
            f"For each {field.name}, count the {plural(table)}.",
            f"Show each {field.name} and the number of {plural(table)}.",
        ),
        f"SELECT {field.name}, COUNT(*) FROM {table} GROUP BY {field.name}",
    )


def group_aggregate(draw: Draw) -> Draft:
    table = draw.table()
    field = draw.field(table, "category")
    words, sql = _aggregated(draw, table)
    return Draft(
        (
            f"What is the {words} of the {plural(table)} for each {field.name}?",
            f"For each {field.name}, find the {words} of the {plural(table)}.",
            f"Show each {field.name} and the {words} of the {plural(table)}.",
        ),
        f"SELECT {field.name}, {sql} FROM {table} GROUP BY {field.name}",
    )


def having(draw: Draw) -> Draft:
    table = draw.table()
    field = draw.field(table, "category")
    few = draw.one(range(1, 7))
    words, operator = draw.one((("more than", ">"), ("at least", ">="), ("fewer than", "<")))
    return Draft(
        (
            f"Which {plural(field.name)} have {words} {few} {plural(table)}?",
            f"List each {field.name} with {words} {few} {plural(table)}.",
        ),
        f"SELECT {field.name} FROM {table} GROUP BY {field.name} HAVING COUNT(*) {operator} {few}",
    )


def group_top(draw: Draw) -> Draft:
    table = draw.table()
    field = draw.field(table, "category")
    words, way = draw.one((("most", "DESC"), ("fewest", "ASC")))
    return Draft(
        (
            f"Which {field.name} has the {words} {plural(table)}?",
            f"Find the {field.name} with the {words} {plural(table)}.",
        ),
        f"SELECT {field.name} FROM {table} GROUP BY {field.name} ORDER BY COUNT(*) {way} LIMIT 1",
    )
