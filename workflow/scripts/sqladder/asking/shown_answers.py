"""Answers as a terminal shows them, or as JSON."""

import math
from typing import Any

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from sqladder.asking.variant import GivenAnswer
from sqladder.errors import LOG
from sqladder.metric.asked_rows import AskedRows
from sqladder.metric.showing import cut, showable
from sqladder.texts.numbers import plural

_LETTERS, _PAGE_LETTERS = 200, 2000
"""Characters of a value that a terminal shows, and a page."""


def show(console: Console, answer: GivenAnswer) -> None:
    """Write the query, highlighted where the console has colours, then its rows as a table."""
    if not answer.sql:
        said = cut(showable(answer.text.strip()), _LETTERS)
        LOG.error(f"no SQL in the answer: {said}" if said else "the answer is empty")
        return
    _show_sql(console, answer.sql)
    if answer.result is not None:
        _show_rows(console, answer.result)


def _show_sql(console: Console, sql: str) -> None:
    """Write a query; where nobody looks at it, as it is."""
    if console.is_terminal:
        theme = {"theme": "ansi_dark", "background_color": "default"}
        console.print(Syntax(showable(sql), "sql", word_wrap=True, **theme))  # type: ignore[arg-type]
    else:
        console.file.write(f"{showable(sql)}\n")


def _show_rows(console: Console, result: AskedRows) -> None:
    if result.problem:
        LOG.error(f"no result: {result.problem}")
        return
    table = Table()
    for name in result.names:
        table.add_column(Text(_shown(name)), overflow="fold")
    for row in result.rows:
        table.add_row(*map(_cell, row))
    console.print(table)
    console.print(Text(counted(result), style="dim"))


def counted(result: AskedRows) -> str:
    """How many rows there are, or are shown, in words."""
    number = plural(len(result.rows), "row")
    return number if result.complete else f"the first {number} of more"


def _cell(value: object) -> Text:
    return Text("NULL", style="dim") if value is None else Text(_shown(in_words(value)))


def _shown(text: str) -> str:
    return cut(showable(text), _LETTERS)


def in_words(value: object) -> str:
    """A value of a result, not NULL, as a text."""
    return f"blob of {len(value)} bytes" if isinstance(value, bytes) else str(value)


def as_texts(result: AskedRows) -> dict[str, Any]:
    """A result as a page shows it: a value is a text, since JavaScript's numbers are not SQLite's, and NULL is null."""
    if result.problem:
        return {"problem": result.problem}
    cells = [
        [None if v is None else cut(showable(in_words(v)), _PAGE_LETTERS) for v in row]
        for row in result.rows
    ]
    return {"columns": result.names, "cells": cells, "counted": counted(result)}


def as_json(variant: str, question: str, answer: GivenAnswer) -> dict[str, Any]:
    """An answer as JSON holds it; without `rows` where nothing was executed."""
    row: dict[str, Any] = {"variant": variant, "question": question, "sql": answer.sql}
    if not answer.sql:
        return {**row, "problem": "no SQL in the answer", "text": answer.text}
    result = answer.result
    if result is None:
        return row
    if result.problem:
        return {**row, "problem": result.problem}
    rows = [[_json_value(value) for value in each] for each in result.rows]
    return {**row, "columns": result.names, "rows": rows, "complete": result.complete}


def _json_value(value: object) -> object:
    """A value of SQLite's that JSON has; a blob as {"hex": ...}, what is no finite number as {"real": ...}."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"real": str(value)}
    return value
