"""Whether a wrong result is right once one thing is forgiven that its question forgives."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

from sqladder.metric.allowances import (
    ANY_ORDER,
    OPTIONAL_COLUMNS,
    TOLERANCE,
    Allowances,
    column_places,
)
from sqladder.metric.equality import TooHardError, results_equal
from sqladder.metric.sandbox import Result, Row

Number = tuple[float, int]


def forgives(
    allowances: Allowances,
    name: str,
    gold: Result,
    found: Result,
    ordered: bool,
    number_keys: bool,
) -> bool:
    """Whether a result is gold's by one of the metrics of what is forgiven.

    Args:
        allowances: what the question forgives.
        name: of `ALLOWANCES`.
        gold: gold's result.
        found: the answer's.
        ordered: whether the order of rows counts.
        number_keys: whether 1 and 1.0 are one value beside others too; see `results_equal`.
    """
    golds: Iterable[Sequence[Row]] = [gold.rows]
    if name == TOLERANCE:
        golds, number_keys = [_close(gold.rows, found.rows, allowances.tolerance)], True
    elif name == OPTIONAL_COLUMNS:
        golds = _without_optional(gold, allowances.optional, found.columns)
    ordered = ordered and name != ANY_ORDER
    try:
        return any(results_equal(rows, found.rows, ordered, number_keys) for rows in golds)
    except TooHardError:
        return False


def _without_optional(
    gold: Result, optional: Sequence[str | int], columns: int
) -> Iterator[list[Row]]:
    """Gold's rows without those optional columns that leave as many as an answer has."""
    free = {place for column in optional for place in column_places(column, gold.names)}
    for left_out in itertools.combinations(sorted(free), max(gold.columns - columns, 0)):
        kept = [place for place in range(gold.columns) if place not in left_out]
        yield [tuple(row[place] for place in kept) for row in gold.rows]


def _close(gold: Sequence[Row], found: Sequence[Row], tolerance: float) -> Sequence[Row]:
    """Gold's rows with the numbers of a column in their places that are close to its own.

    The numbers of two columns are compared in their order, smallest with smallest: a choice among several close ones
    would let 100, 101, 102 pass for 100, 100, 100 where a hundredth is forgiven.
    """
    if not gold or len(gold) != len(found) or len(gold[0]) != len(found[0]):
        return gold
    others = [_numbers(column) for column in zip(*found, strict=True)]
    columns = []
    for values in zip(*gold, strict=True):
        column, own = list(values), _numbers(values)
        close = [(_distance(own, other), other) for other in others if len(other) == len(own)]
        near = [pair for pair in close if _all_close(own, pair[1], tolerance)]
        for (_, place), (number, _) in zip(own, min(near)[1] if near else own, strict=True):
            column[place] = number
        columns.append(column)
    return list(zip(*columns, strict=True))


def _numbers(column: Sequence[object]) -> list[Number]:
    """A column's numbers with their places, in the order of the numbers."""
    return sorted(
        (value, place) for place, value in enumerate(column) if isinstance(value, int | float)
    )


def _all_close(own: Sequence[Number], other: Sequence[Number], tolerance: float) -> bool:
    return all(
        math.isclose(here, there, rel_tol=tolerance, abs_tol=tolerance)
        for (here, _), (there, _) in zip(own, other, strict=True)
    )


def _distance(own: Sequence[Number], other: Sequence[Number]) -> float:
    return sum(abs(here - there) for (here, _), (there, _) in zip(own, other, strict=True))
