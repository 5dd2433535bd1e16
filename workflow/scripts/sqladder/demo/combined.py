"""Question types with joins, nested queries and set operations."""

from sqladder.demo import english
from sqladder.demo.draw import Condition, Draw, NothingFitsError
from sqladder.demo.english import plural
from sqladder.demo.facts import Field
from sqladder.demo.single import ORDERS, Draft, asked_of_some, superlative


def full_name(field: Field) -> str:
    """A column with its table, as joins need it."""
    return f"{field.table}.{field.name}"


def join_list(draw: Draw) -> Draft:
    link = draw.link()
    first, second = draw.shown(link.child), draw.shown(link.parent)
    return Draft(
        (
            f"List the {first.noun} of each {link.child} and the {second.noun} of the {link.parent}.",
            f"For every {link.child}, show the {first.noun} and the {second.noun} of the {link.parent}.",
        ),
        f"SELECT {full_name(first)}, {full_name(second)} FROM {link.join}",
    )


def join_filter(draw: Draw) -> Draft:
    link = draw.link()
    shown, condition = draw.shown(link.child), draw.filter(link.parent)
    return Draft(
        (
            f"What is the {shown.noun} of each {link.child} whose {link.parent} has {condition.words}?",
            f"List the {shown.noun} of all {plural(link.child)} whose {link.parent} has {condition.words}.",
        ),
        f"SELECT {full_name(shown)} FROM {link.join} WHERE {condition.qualified}",
        condition.values,
    )


def join_show(draw: Draw) -> Draft:
    link = draw.link()
    shown, condition = draw.shown(link.parent), draw.filter(link.child)
    return Draft(
        (
            f"What is the {shown.noun} of the {link.parent} of each {link.child} with {condition.words}?",
            f"For every {link.child} with {condition.words}, show the {shown.noun} of the {link.parent}.",
        ),
        f"SELECT {full_name(shown)} FROM {link.join} WHERE {condition.qualified}",
        condition.values,
    )


def join_group(draw: Draw) -> Draft:
    link = draw.link()
    shown = draw.field(link.parent, "label")
    return Draft(
        (
            f"For each {link.parent} with {plural(link.child)}, count the {plural(link.child)}"
            f" and show the {shown.noun}.",
            f"Show the {shown.noun} of each {link.parent} with {plural(link.child)}"
            f" and the number of {plural(link.child)}.",
        ),
        f"SELECT {full_name(shown)}, COUNT(*) FROM {link.join} GROUP BY {link.parent}.{link.key}",
    )


def join_having(draw: Draw) -> Draft:
    link = draw.link()
    shown, few = draw.field(link.parent), draw.one(range(1, 6))
    words, operator = draw.one((("more than", ">"), ("at least", ">=")))
    return Draft(
        (
            f"What is the {shown.noun} of each {link.parent} with {words} {few} {plural(link.child)}?",
            f"List the {shown.noun} of all {plural(link.parent)} with {words} {few} {plural(link.child)}.",
        ),
        f"SELECT {full_name(shown)} FROM {link.join} GROUP BY {link.parent}.{link.key}"
        f" HAVING COUNT(*) {operator} {few}",
    )


def join_sort(draw: Draw) -> Draft:
    link = draw.link()
    shown, condition = draw.shown(link.child), draw.filter(link.parent)
    by = draw.field(link.child, but=[shown])
    way = draw.one(ORDERS)
    words = f"whose {link.parent} has {condition.words} {ORDERS[way].format(by.noun)}"
    return Draft(
        (
            f"List the {shown.noun} of all {plural(link.child)} {words}.",
            f"Show the {shown.noun} of every {link.child} {words}.",
        ),
        f"SELECT {full_name(shown)} FROM {link.join} WHERE {condition.qualified}"
        f" ORDER BY {full_name(by)} {way}",
        condition.values,
    )


def join_top(draw: Draw) -> Draft:
    link = draw.link()
    shown, condition = draw.shown(link.child), draw.filter(link.parent)
    words, order = superlative(draw, link.child)
    if f"BY {shown.name} " in order:
        raise NothingFitsError(shown.name)
    order = order.replace("BY ", f"BY {link.child}.")
    rows = f"{plural(link.child)} whose {link.parent} has {condition.words}"
    return Draft(
        (
            f"Of all {rows}, what is the {shown.noun} of the one with {words}?",
            f"Of all {rows}, show the {shown.noun} of the one with {words}.",
        ),
        f"SELECT {full_name(shown)} FROM {link.join} WHERE {condition.qualified} {order} LIMIT 1",
        condition.values,
    )


def join_group_top(draw: Draw) -> Draft:
    link = draw.link()
    shown = draw.field(link.parent)
    words, way = draw.one((("most", "DESC"), ("fewest", "ASC")))
    few = draw.one((1, 1, 2, 3))
    rows = link.parent if few == 1 else f"{few} {plural(link.parent)}"
    return Draft(
        (
            f"What is the {shown.noun} of the {rows} with the {words} {plural(link.child)}?",
            f"Show the {shown.noun} of the {rows} with the {words} {plural(link.child)}.",
        ),
        f"SELECT {full_name(shown)} FROM {link.join} GROUP BY {link.parent}.{link.key}"
        f" ORDER BY COUNT(*) {way} LIMIT {few}",
    )


def not_in(draw: Draw) -> Draft:
    link = draw.link()
    shown = draw.field(link.parent)
    return Draft(
        (
            f"What is the {shown.noun} of each {link.parent} without any {link.child}?",
            f"List the {shown.noun} of all {plural(link.parent)} without any {link.child}.",
            f"Show the {shown.noun} of every {link.parent} without any {link.child}.",
        ),
        f"SELECT {shown.name} FROM {link.parent}"
        f" WHERE {link.key} NOT IN (SELECT {link.column} FROM {link.child})",
    )


def _having_child(draw: Draw) -> tuple[Field, str, str, Condition]:
    link = draw.link()
    condition = draw.filter(link.child)
    words = f"{english.article(link.child)} {link.child} with {condition.words}"
    where = f"{link.key} IN (SELECT {link.column} FROM {link.child} WHERE {condition.sql})"
    return draw.shown(link.parent), words, where, condition


def in_filter(draw: Draw) -> Draft:
    shown, words, where, condition = _having_child(draw)
    return Draft(
        asked_of_some(shown.noun, shown.table, words),
        f"SELECT {shown.name} FROM {shown.table} WHERE {where}",
        condition.values,
    )


def in_sort(draw: Draw) -> Draft:
    shown, words, where, condition = _having_child(draw)
    by = draw.field(shown.table, but=[shown])
    way = draw.one(ORDERS)
    order = ORDERS[way].format(by.noun)
    return Draft(
        (
            f"List the {shown.noun} of all {plural(shown.table)} with {words} {order}.",
            f"Show the {shown.noun} of every {shown.table} with {words} {order}.",
        ),
        f"SELECT {shown.name} FROM {shown.table} WHERE {where} ORDER BY {by.name} {way}",
        condition.values,
    )


def _average(draw: Draw, table: str) -> tuple[Field, str, str]:
    field = draw.field(table, "number")
    operator = draw.one("><")
    words = english.AVERAGES[field.kind][operator].format(
        noun=field.name, a=english.article(field.name)
    )
    return field, words, f"{field.name} {operator} (SELECT AVG({field.name}) FROM {table})"


def above_average(draw: Draw) -> Draft:
    table = draw.table()
    field, words, where = _average(draw, table)
    shown = draw.field(table, but=[field])
    return Draft(
        asked_of_some(shown.noun, table, words), f"SELECT {shown.name} FROM {table} WHERE {where}"
    )


def above_average_and(draw: Draw) -> Draft:
    table = draw.table()
    field, words, where = _average(draw, table)
    condition = draw.filter(table, [field])
    shown = draw.shown(table, [field, condition.field])
    return Draft(
        asked_of_some(shown.noun, table, f"{condition.words} and {words}"),
        f"SELECT {shown.name} FROM {table} WHERE {condition.sql} AND {where}",
        condition.values,
    )


def above_average_sort(draw: Draw) -> Draft:
    table = draw.table()
    field, words, where = _average(draw, table)
    shown = draw.field(table, but=[field])
    by = draw.field(table, but=[shown])
    way = draw.one(ORDERS)
    order = ORDERS[way].format(by.noun)
    return Draft(
        (
            f"List the {shown.noun} of all {plural(table)} with {words} {order}.",
            f"Show the {shown.noun} of every {table} with {words} {order}.",
        ),
        f"SELECT {shown.name} FROM {table} WHERE {where} ORDER BY {by.name} {way}",
    )


def extreme(draw: Draw) -> Draft:
    table = draw.table()
    field = draw.field(table, "number", "time")
    shown = draw.field(table, but=[field])
    words, name = draw.one((("maximum", "MAX"), ("minimum", "MIN")))
    return Draft(
        (
            f"List the {shown.noun} of all {plural(table)} whose {field.noun} is the {words}.",
            f"Show the {shown.noun} of every {table} whose {field.noun} is the {words}.",
        ),
        f"SELECT {shown.name} FROM {table}"
        f" WHERE {field.name} = (SELECT {name}({field.name}) FROM {table})",
    )


def _both_sides(draw: Draw) -> tuple[Field, Condition, Condition]:
    table = draw.table()
    shown = draw.field(table, "category")
    first = draw.filter(table, [shown])
    second = draw.filter(table, [shown])
    if first == second:
        raise NothingFitsError(table)
    return shown, first, second


def _set_operation(
    shown: Field, first: Condition, second: Condition, operator: str, words: str
) -> Draft:
    rows = plural(shown.table)
    side = f"SELECT {shown.name} FROM {shown.table} WHERE"
    text = words.format(f"{rows} with {first.words}", f"{rows} with {second.words}")
    return Draft(
        (
            f"Which {plural(shown.name)} have {text}?",
            f"List every {shown.name} that has {text}.",
        ),
        f"{side} {first.sql} {operator} {side} {second.sql}",
        first.values + second.values,
    )


def intersect(draw: Draw) -> Draft:
    return _set_operation(*_both_sides(draw), "INTERSECT", "both {} and {}")


def union(draw: Draw) -> Draft:
    return _set_operation(*_both_sides(draw), "UNION", "either {} or {}")


def except_(draw: Draw) -> Draft:
    return _set_operation(*_both_sides(draw), "EXCEPT", "{} but no {}")
