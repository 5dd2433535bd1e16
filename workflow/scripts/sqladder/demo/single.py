"""Question types about one table: each function drafts one question of the type it is named for.

The docstrings show a question of each type. The wording is regular on purpose: whatever the query
needs is named in the question by the words of the schema or copied into it literally.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqladder.demo import english
from sqladder.demo.draw import Draw, DrawnCondition
from sqladder.demo.english import counted, plural
from sqladder.demo.fields import Field

ORDERS = {"ASC": "in ascending order of {}", "DESC": "in descending order of {}"}
# Numbers whose sum nobody would ask for.
NEVER_ADDED = frozenset(("age", "score", "speed"))


@dataclass(frozen=True)
class Draft:
    """One query and several ways to ask for it.

    Attributes:
        questions: paraphrases, all with the same meaning.
        sql: the gold query.
        values: the database values that the question names, as it shows them; () if none.
    """

    questions: tuple[str, ...]
    sql: str
    values: tuple[str, ...] = ()


Type = Callable[[Draw], Draft]


def asked_of_all(noun: str, table: str, rest: str = "") -> tuple[str, ...]:
    """Ways to ask for something of every row, or of those that `rest` describes."""
    return (
        f"What is the {noun} of each {table}{rest}?",
        f"List the {noun} of all {plural(table)}{rest}.",
        f"Show the {noun} of every {table}{rest}.",
    )


def asked_as_list(noun: str, table: str, rest: str) -> tuple[str, ...]:
    """Ways to ask for something of rows in an order."""
    return (
        f"List the {noun} of all {plural(table)} {rest}.",
        f"Show the {noun} of every {table} {rest}.",
        f"Give the {noun} of the {plural(table)} {rest}.",
    )


def asked_of_one(noun: str, rows: str) -> tuple[str, ...]:
    """Ways to ask for something of one row, or for one number."""
    return (
        f"What is the {noun} of {rows}?",
        f"Find the {noun} of {rows}.",
        f"Give the {noun} of {rows}.",
    )


def order_by(draw: Draw, field: Field) -> tuple[str, str]:
    """A direction for sorting by a field: its words, and the SQL after the column."""
    way = draw.one(ORDERS)
    return ORDERS[way].format(field.noun), way


def superlative(draw: Draw, table: str, but: tuple[Field, ...]) -> tuple[Field, str, str]:
    """A field, the words for its extreme value, and the direction that puts it first.

    The lowest is asked only of columns without NULL, which SQLite would sort before it.
    """
    field = draw.field(table, "number", "time", but=but)
    way = draw.one(("DESC",) if field.nullable else ("DESC", "DESC", "ASC"))
    return field, english.SUPERLATIVES[field.kind][way].format(noun=field.name), way


def listing(draw: Draw) -> Draft:
    """List the title of all books."""
    field = draw.field(draw.table())
    return Draft(asked_of_all(field.noun, field.table), f"SELECT {field.name} FROM {field.table}")


def listing_two(draw: Draw) -> Draft:
    """List the title and the genre of all books."""
    table = draw.table()
    first = draw.shown(table)
    second = draw.field(table, but=[first])
    noun = f"{first.noun} and the {second.noun}"
    return Draft(asked_of_all(noun, table), f"SELECT {first.name}, {second.name} FROM {table}")


def distinct(draw: Draw) -> Draft:
    """What are the different genres of the books?"""
    table = draw.table()
    field = draw.field(table, "category")
    return Draft(
        (
            f"What are the different {field.nouns} of the {plural(table)}?",
            f"List the different {field.nouns} of all {plural(table)}.",
            f"Show every different {field.noun} of the {plural(table)}.",
        ),
        f"SELECT DISTINCT {field.name} FROM {table}",
    )


def _filtered(shown: Field, condition: DrawnCondition) -> Draft:
    return Draft(
        asked_of_all(shown.noun, shown.table, f" with {condition.words}"),
        f"SELECT {shown.name} FROM {shown.table} WHERE {condition.sql}",
        condition.values,
    )


def filter_text(draw: Draw) -> Draft:
    """List the title of all books with the genre "poetry"."""
    field = draw.field(draw.table(), draw.one(("category", "category", "label")))
    return _filtered(draw.shown(field.table, [field]), draw.text_filter(field))


def filter_number(draw: Draw) -> Draft:
    """List the title of all books with more than 300 pages."""
    field = draw.field(draw.table(), "number", "time")
    return _filtered(draw.shown(field.table, [field]), draw.number_filter(field))


def filter_between(draw: Draw) -> Draft:
    """List the title of all books with between 100 and 300 pages."""
    field = draw.field(draw.table(), "number", "time")
    return _filtered(draw.shown(field.table, [field]), draw.range_filter(field))


def filter_like(draw: Draw) -> Draft:
    """List the year of all books with a title containing "River"."""
    field = draw.field(draw.table(), "category", "label")
    return _filtered(draw.shown(field.table, [field]), draw.like_filter(field))


def _two_filters(draw: Draw, connector: str) -> Draft:
    table = draw.table()
    first = draw.wide_filter(table)
    second = draw.wide_filter(table, [first.field])
    shown = draw.shown(table, [first.field, second.field])
    return Draft(
        asked_of_all(shown.noun, table, f" with {first.words} {connector} {second.words}"),
        f"SELECT {shown.name} FROM {table} WHERE {first.sql} {connector.upper()} {second.sql}",
        first.values + second.values,
    )


def filter_and(draw: Draw) -> Draft:
    """List the title of all books with the genre "poetry" and more than 300 pages."""
    return _two_filters(draw, "and")


def filter_or(draw: Draw) -> Draft:
    """List the title of all books with the genre "poetry" or more than 300 pages."""
    return _two_filters(draw, "or")


def count(draw: Draw) -> Draft:
    """How many books are there?"""
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
    """How many books have the genre "poetry"?"""
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
    """How many books have a known number of pages?"""
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
    """How many different genres do the books have?"""
    table = draw.table()
    field = draw.field(table)
    return Draft(
        (
            f"How many different {field.nouns} do the {plural(table)} have?",
            f"Count the different {field.nouns} of all {plural(table)}.",
            f"What is the number of different {field.nouns} of the {plural(table)}?",
        ),
        f"SELECT COUNT(DISTINCT {field.name}) FROM {table}",
    )


def _aggregated(draw: Draw, table: str, but: tuple[Field, ...] = ()) -> tuple[str, str]:
    """An aggregate of some field: its words and its SQL."""
    field = draw.field(table, "number", "number", "time", but=but)
    words = english.AGGREGATES_OF_TIME if field.role == "time" else english.AGGREGATES
    name = draw.one(name for name in words if name != "SUM" or field.name not in NEVER_ADDED)
    return f"{words[name]} {field.noun}", f"{name}({field.name})"


def aggregate(draw: Draw) -> Draft:
    """What is the average number of pages of all books?"""
    table = draw.table()
    words, sql = _aggregated(draw, table)
    return Draft(asked_of_one(words, f"all {plural(table)}"), f"SELECT {sql} FROM {table}")


def aggregate_filter(draw: Draw) -> Draft:
    """What is the average number of pages of all books with the genre "poetry"?"""
    table = draw.table()
    condition = draw.wide_filter(table)
    words, sql = _aggregated(draw, table, (condition.field,))
    return Draft(
        asked_of_one(words, f"all {plural(table)} with {condition.words}"),
        f"SELECT {sql} FROM {table} WHERE {condition.sql}",
        condition.values,
    )


def sort(draw: Draw) -> Draft:
    """List the title of all books in ascending order of year."""
    table = draw.table()
    shown = draw.shown(table)
    by = draw.field(table, but=[shown])
    words, way = order_by(draw, by)
    return Draft(
        asked_as_list(shown.noun, table, words),
        f"SELECT {shown.name} FROM {table} ORDER BY {by.name} {way}",
    )


def filter_sort(draw: Draw) -> Draft:
    """List the title of all books with more than 300 pages in ascending order of year."""
    table = draw.table()
    condition = draw.wide_filter(table)
    shown = draw.shown(table, [condition.field])
    by = draw.field(table, but=[shown, condition.field])
    words, way = order_by(draw, by)
    return Draft(
        asked_as_list(shown.noun, table, f"with {condition.words} {words}"),
        f"SELECT {shown.name} FROM {table} WHERE {condition.sql} ORDER BY {by.name} {way}",
        condition.values,
    )


def filter_and_sort(draw: Draw) -> Draft:
    """List the title and the year of all books with the genre "poetry" and ... in ... order."""
    table = draw.table()
    first = draw.wide_filter(table)
    second = draw.wide_filter(table, [first.field])
    shown = draw.shown(table, [first.field])
    other = draw.field(table, but=[shown, first.field])
    by = draw.field(table, but=[first.field, second.field])
    words, way = order_by(draw, by)
    return Draft(
        asked_as_list(
            f"{shown.noun} and the {other.noun}",
            table,
            f"with {first.words} and {second.words} {words}",
        ),
        f"SELECT {shown.name}, {other.name} FROM {table}"
        f" WHERE {first.sql} AND {second.sql} ORDER BY {by.name} {way}",
        first.values + second.values,
    )


def top(draw: Draw) -> Draft:
    """What is the title of the book with the most pages?"""
    table = draw.table()
    shown = draw.shown(table)
    field, words, way = superlative(draw, table, (shown,))
    few = draw.one((1, 1, 2, 3, 5))
    rows = table if few == 1 else counted(few, table)
    questions = asked_of_one(shown.noun, f"the {rows} with {words}")
    return Draft(
        questions if few == 1 else questions[1:],
        f"SELECT {shown.name} FROM {table} ORDER BY {field.name} {way} LIMIT {few}",
    )


def filter_top(draw: Draw) -> Draft:
    """Of all books with the genre "poetry", what is the title of the one with the most pages?"""
    table = draw.table()
    condition = draw.wide_filter(table)
    shown = draw.shown(table, [condition.field])
    field, words, way = superlative(draw, table, (shown, condition.field))
    return Draft(
        asked_among(f"{plural(table)} with {condition.words}", shown.noun, words),
        f"SELECT {shown.name} FROM {table} WHERE {condition.sql}"
        f" ORDER BY {field.name} {way} LIMIT 1",
        condition.values,
    )


def asked_among(rows: str, noun: str, words: str) -> tuple[str, ...]:
    """Ways to ask for something of the extreme row among some."""
    return (
        f"Of all {rows}, what is the {noun} of the one with {words}?",
        f"Of all {rows}, find the {noun} of the one with {words}.",
        f"Of all {rows}, give the {noun} of the one with {words}.",
    )


def group_count(draw: Draw) -> Draft:
    """How many books are there for each genre?"""
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
    """What is the average number of pages of the books for each genre?"""
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
    """Which genres have more than 3 books?"""
    table = draw.table()
    field = draw.field(table, "category")
    words, operator, lowest = draw.one(
        (("more than", ">", 1), ("at least", ">=", 2), ("fewer than", "<", 2))
    )
    few = draw.one(range(lowest, 8))
    return Draft(
        (
            f"Which {field.nouns} have {words} {counted(few, table)}?",
            f"List each {field.noun} with {words} {counted(few, table)}.",
            f"Show every {field.noun} that has {words} {counted(few, table)}.",
        ),
        f"SELECT {field.name} FROM {table} GROUP BY {field.name} HAVING COUNT(*) {operator} {few}",
    )


def group_top(draw: Draw) -> Draft:
    """Which genre has the most books?"""
    table = draw.table()
    field = draw.field(table, "category")
    words, way = draw.one((("most", "DESC"), ("fewest", "ASC")))
    return Draft(
        (
            f"Which {field.name} has the {words} {plural(table)}?",
            f"Find the {field.name} with the {words} {plural(table)}.",
            f"Give the {field.name} that has the {words} {plural(table)}.",
        ),
        f"SELECT {field.name} FROM {table} GROUP BY {field.name} ORDER BY COUNT(*) {way} LIMIT 1",
    )
