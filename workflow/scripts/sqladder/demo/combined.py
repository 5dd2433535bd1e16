"""Question types with joins, nested queries and set operations; see single.py for the form."""

from sqladder.demo import english
from sqladder.demo.draw import Draw, DrawnCondition, NothingFitsError
from sqladder.demo.english import counted, plural
from sqladder.demo.fields import Field
from sqladder.demo.single import (
    Draft,
    asked_among,
    asked_as_list,
    asked_of_all,
    asked_of_one,
    order_by,
    superlative,
)


def join_list(draw: Draw) -> Draft:
    """List the title of each book and the name of the author."""
    link = draw.link()
    first, second = draw.shown(link.child), draw.shown(link.parent)
    other = f"the {second.noun} of the {link.parent}"
    return Draft(
        (
            f"List the {first.noun} of each {link.child} and {other}.",
            f"Show the {first.noun} of every {link.child} and {other}.",
            f"For every {link.child}, give the {first.noun} and {other}.",
        ),
        f"SELECT {first.full_name}, {second.full_name} FROM {link.join}",
    )


def join_filter(draw: Draw) -> Draft:
    """List the title of all books whose author has the country "Japan"."""
    link = draw.link()
    shown, condition = draw.shown(link.child), draw.filter(link.parent)
    return Draft(
        asked_of_all(shown.noun, link.child, f" whose {link.parent} has {condition.words}"),
        f"SELECT {shown.full_name} FROM {link.join} WHERE {condition.full_sql}",
        condition.values,
    )


def join_show(draw: Draw) -> Draft:
    """What is the name of the author of each book with the genre "poetry"?"""
    link = draw.link()
    shown, condition = draw.shown(link.parent), draw.filter(link.child)
    return Draft(
        asked_of_all(f"{shown.noun} of the {link.parent}", link.child, f" with {condition.words}"),
        f"SELECT {shown.full_name} FROM {link.join} WHERE {condition.full_sql}",
        condition.values,
    )


def join_group(draw: Draw) -> Draft:
    """For each author with books, show the name and the number of books."""
    link = draw.link()
    shown = draw.field(link.parent)
    rows = plural(link.child)
    return Draft(
        (
            f"For each {link.parent} with {rows}, show the {shown.noun} and the number of {rows}.",
            f"For each {link.parent} with {rows}, give the {shown.noun} and count the {rows}.",
            f"List the {shown.noun} and the number of {rows} of each {link.parent} with {rows}.",
        ),
        f"SELECT {shown.full_name}, COUNT(*) FROM {link.join} GROUP BY {link.parent}.{link.key}",
    )


def join_having(draw: Draw) -> Draft:
    """List the name of all authors with at least 2 books."""
    link = draw.link()
    shown = draw.field(link.parent)
    words, operator, lowest = draw.one((("more than", ">", 1), ("at least", ">=", 2)))
    few = draw.one(range(lowest, 7))
    return Draft(
        asked_of_all(shown.noun, link.parent, f" with {words} {counted(few, link.child)}"),
        f"SELECT {shown.full_name} FROM {link.join} GROUP BY {link.parent}.{link.key}"
        f" HAVING COUNT(*) {operator} {few}",
    )


def join_sort(draw: Draw) -> Draft:
    """List the title of all books whose author has the country "Japan" in ... order of year."""
    link = draw.link()
    shown, condition = draw.shown(link.child), draw.wide_filter(link.parent)
    by = draw.field(link.child, but=[shown])
    words, way = order_by(draw, by)
    return Draft(
        asked_as_list(shown.noun, link.child, f"whose {link.parent} has {condition.words} {words}"),
        f"SELECT {shown.full_name} FROM {link.join} WHERE {condition.full_sql}"
        f" ORDER BY {by.full_name} {way}",
        condition.values,
    )


def join_top(draw: Draw) -> Draft:
    """Of all books whose author has ..., what is the title of the one with the most pages?"""
    link = draw.link()
    shown, condition = draw.shown(link.child), draw.wide_filter(link.parent)
    field, words, way = superlative(draw, link.child, (shown,))
    rows = f"{plural(link.child)} whose {link.parent} has {condition.words}"
    return Draft(
        asked_among(rows, shown.noun, words),
        f"SELECT {shown.full_name} FROM {link.join} WHERE {condition.full_sql}"
        f" ORDER BY {field.full_name} {way} LIMIT 1",
        condition.values,
    )


def join_group_top(draw: Draw) -> Draft:
    """What is the name of the author with the most books?"""
    link = draw.link()
    shown = draw.field(link.parent)
    words, way = draw.one((("most", "DESC"), ("fewest", "ASC")))
    few = draw.one((1, 1, 2, 3))
    rows = link.parent if few == 1 else counted(few, link.parent)
    questions = asked_of_one(shown.noun, f"the {rows} with the {words} {plural(link.child)}")
    return Draft(
        questions if few == 1 else questions[1:],
        f"SELECT {shown.full_name} FROM {link.join} GROUP BY {link.parent}.{link.key}"
        f" ORDER BY COUNT(*) {way} LIMIT {few}",
    )


def not_in(draw: Draw) -> Draft:
    """List the name of all authors without any book."""
    link = draw.link()
    shown = draw.field(link.parent)
    return Draft(
        asked_of_all(shown.noun, link.parent, f" without any {link.child}"),
        f"SELECT {shown.name} FROM {link.parent}"
        f" WHERE {link.key} NOT IN (SELECT {link.column} FROM {link.child})",
    )


def _with_child(draw: Draw) -> tuple[Field, str, str, DrawnCondition]:
    """Rows that have a child of some kind: a field to show, words, WHERE, the child's condition."""
    link = draw.link()
    condition = draw.wide_filter(link.child)
    words = f"with {english.article(link.child)} {link.child} that has {condition.words}"
    where = f"{link.key} IN (SELECT {link.column} FROM {link.child} WHERE {condition.sql})"
    return draw.shown(link.parent), words, where, condition


def in_filter(draw: Draw) -> Draft:
    """List the name of all authors with a book that has the genre "poetry"."""
    shown, words, where, condition = _with_child(draw)
    return Draft(
        asked_of_all(shown.noun, shown.table, f" {words}"),
        f"SELECT {shown.name} FROM {shown.table} WHERE {where}",
        condition.values,
    )


def in_sort(draw: Draw) -> Draft:
    """List the name of all authors with a book that has the genre "poetry" in ... order of ..."""
    shown, words, where, condition = _with_child(draw)
    by = draw.field(shown.table, but=[shown])
    order, way = order_by(draw, by)
    return Draft(
        asked_as_list(shown.noun, shown.table, f"{words} {order}"),
        f"SELECT {shown.name} FROM {shown.table} WHERE {where} ORDER BY {by.name} {way}",
        condition.values,
    )


def _average(draw: Draw, table: str) -> tuple[Field, str, str]:
    """A number compared with its average: the field, the words, the WHERE."""
    field = draw.field(table, "number")
    operator = draw.one("><")
    words = english.AVERAGES[field.kind][operator].format(
        noun=field.name, a=english.article(field.name)
    )
    return field, words, f"{field.name} {operator} (SELECT AVG({field.name}) FROM {table})"


def above_average(draw: Draw) -> Draft:
    """List the title of all books with more pages than the average."""
    table = draw.table()
    field, words, where = _average(draw, table)
    shown = draw.field(table, but=[field])
    return Draft(
        asked_of_all(shown.noun, table, f" with {words}"),
        f"SELECT {shown.name} FROM {table} WHERE {where}",
    )


def above_average_and(draw: Draw) -> Draft:
    """List the title of all books with the genre "poetry" and more pages than the average."""
    table = draw.table()
    field, words, where = _average(draw, table)
    condition = draw.wide_filter(table, [field])
    shown = draw.shown(table, [field, condition.field])
    return Draft(
        asked_of_all(shown.noun, table, f" with {condition.words} and {words}"),
        f"SELECT {shown.name} FROM {table} WHERE {condition.sql} AND {where}",
        condition.values,
    )


def above_average_sort(draw: Draw) -> Draft:
    """List the title of all books with more pages than the average in ... order of year."""
    table = draw.table()
    field, words, where = _average(draw, table)
    shown = draw.field(table, but=[field])
    by = draw.field(table, but=[shown])
    order, way = order_by(draw, by)
    return Draft(
        asked_as_list(shown.noun, table, f"with {words} {order}"),
        f"SELECT {shown.name} FROM {table} WHERE {where} ORDER BY {by.name} {way}",
    )


def extreme(draw: Draw) -> Draft:
    """List the title of all books whose number of pages is the maximum."""
    table = draw.table()
    field = draw.field(table, "number", "time")
    shown = draw.field(table, but=[field])
    words, name = draw.one((("maximum", "MAX"), ("minimum", "MIN")))
    return Draft(
        asked_of_all(shown.noun, table, f" whose {field.noun} is the {words}"),
        f"SELECT {shown.name} FROM {table}"
        f" WHERE {field.name} = (SELECT {name}({field.name}) FROM {table})",
    )


def _set_operation(draw: Draw, operator: str, words: str) -> Draft:
    """Values of a category on both sides, on either side, or on the first side only."""
    table = draw.table()
    shown = draw.field(table, "category")
    first = draw.wide_filter(table, [shown])
    second = draw.wide_filter(table, [shown])
    # Two lower limits of one number, say: one of the sides would add nothing.
    same_number = first.field == second.field and not first.field.is_text
    if first == second or (same_number and first.test[0] == second.test[0]):
        raise NothingFitsError(table)
    rows = plural(table)
    text = words.format(f"{rows} with {first.words}", f"{rows} with {second.words}")
    side = f"SELECT {shown.name} FROM {table} WHERE"
    return Draft(
        (
            f"Which {shown.nouns} have {text}?",
            f"List every {shown.noun} that has {text}.",
            f"Show each {shown.noun} that has {text}.",
        ),
        f"{side} {first.sql} {operator} {side} {second.sql}",
        first.values + second.values,
    )


def intersect(draw: Draw) -> Draft:
    """Which genres have both books with more than 300 pages and books with a year before 1990?"""
    return _set_operation(draw, "INTERSECT", "both {} and {}")


def union(draw: Draw) -> Draft:
    """Which genres have either books with more than 300 pages or books with a year before 1990?"""
    return _set_operation(draw, "UNION", "either {} or {}")


def except_(draw: Draw) -> Draft:
    """Which genres have books with more than 300 pages but no books with a year before 1990?"""
    return _set_operation(draw, "EXCEPT", "{} but no {}")
