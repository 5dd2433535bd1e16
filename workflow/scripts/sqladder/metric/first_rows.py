"""First rows of what gold and a wrong answer give, marked by how they differ, for people who look at a question."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqladder.metric.sandbox import Result, Row

COMPARED, CELLS = 500, 20_000
"""Rows of a result that are compared, and their values; a difference beyond them is not shown."""

SHOWN = 3
"""Rows of each kind that are shown: of both, of the answer only, of gold only."""

COLUMNS = 6
"""Columns that are shown."""

LETTERS = 40
"""Characters of a value that are shown."""

BOTH, ONLY_HERE, ONLY_GOLD, MOVED = "=", "+", "-", "~"
"""Marks of a row: in both results, in the answer's only, in gold's only, in both but at another place."""

MarkedRow = tuple[str, Row]


@dataclass(frozen=True)
class FirstRows:
    """The rows of one result that are shown.

    Attributes:
        file: name of the database file.
        names: names of the first columns.
        more_columns: number of columns that are not shown.
        rows: the mark of each row and its values as text, NULL as None.
        n: number of rows of the result; None if it has more than were fetched.
        problem: why there is no result, "" if there is one.
    """

    file: str
    names: list[str]
    more_columns: int
    rows: list[list[str | None]]
    n: int | None
    problem: str = ""


def of_gold(file: str, result: Result) -> FirstRows:
    """The first rows of gold's result."""
    return _cut(file, result, [(BOTH, row) for row in result.rows[: 2 * SHOWN]])


def of_answer(file: str, result: Result, gold: Result, ordered: bool) -> FirstRows:
    """The first rows of a wrong result of each mark; `ordered` says that the order of rows counts."""
    most = max(1, min(COMPARED, CELLS // max(1, result.columns, gold.columns)))
    # Rows of gold with another number of columns are certainly not in the answer.
    complete = result.complete or result.columns != gold.columns
    marked = differences(result.rows[:most], gold.rows[:most], ordered, complete)
    return _cut(file, result, list(marked))


def no_rows(file: str, problem: str) -> FirstRows:
    """What is shown where there is no result."""
    return FirstRows(file, [], 0, [], 0, problem)


def differences(
    rows: Sequence[Row], gold: Sequence[Row], ordered: bool, complete: bool = True
) -> Iterator[MarkedRow]:
    """The first rows of each mark: in both, only in the answer, only in gold.

    Where both have the same rows and their order counts, rows at another place than gold's are marked. Of an answer
    that is not complete, nobody knows which of gold's rows it lacks.
    """
    keys, wanted = [*map(_key, rows)], [*map(_key, gold)]
    here, there = Counter(keys), Counter(wanted)
    if here == there:
        marks = [
            BOTH if not ordered or key == other else MOVED
            for key, other in zip(keys, wanted, strict=True)
        ]
        yield from _first(list(zip(marks, rows, strict=True)), (BOTH, MOVED))
        return
    marked = [*_marked(rows, keys, there, ONLY_HERE)]
    if complete:
        marked += (pair for pair in _marked(gold, wanted, here, ONLY_GOLD) if pair[0] == ONLY_GOLD)
    yield from _first(marked, (BOTH, ONLY_HERE, ONLY_GOLD))


def _marked(
    rows: Sequence[Row], keys: Sequence[Row], others: Counter[Row], mark: str
) -> Iterator[MarkedRow]:
    """The rows, those that occur more often here than among the others with the mark."""
    left = Counter(others)
    for row, key in zip(rows, keys, strict=True):
        left[key] -= 1
        yield (mark if left[key] < 0 else BOTH), row


def _first(marked: Sequence[MarkedRow], marks: Sequence[str]) -> Iterator[MarkedRow]:
    """The first rows of each mark, in their order."""
    left = dict.fromkeys(marks, SHOWN)
    for mark, row in marked:
        if left[mark]:
            left[mark] -= 1
            yield mark, row


def _key(row: Row) -> Row:
    """A row by which equal ones are found: NaN equals itself, text is never a number."""
    return tuple(
        "nan" if isinstance(v, float) and math.isnan(v) else (isinstance(v, str), v) for v in row
    )


def _cut(file: str, result: Result, marked: Sequence[MarkedRow]) -> FirstRows:
    return FirstRows(
        file=file,
        names=[_shortened(name) for name in result.names[:COLUMNS]],
        more_columns=max(0, result.columns - COLUMNS),
        rows=[[mark, *map(_text, row[:COLUMNS])] for mark, row in marked],
        n=len(result.rows) if result.complete else None,
    )


def _text(value: object) -> str | None:
    """A value as it is shown; NULL stays None, which no text can be taken for."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return f"blob of {len(value)} bytes"
    return _shortened(str(value))


def _shortened(text: str) -> str:
    return f"{text[:LETTERS]}…" if len(text) > LETTERS else text
