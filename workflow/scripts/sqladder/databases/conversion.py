"""Values of other engines as SQLite stores them, so that a copy holds what its queries compare."""

import datetime
import decimal
import json
import math
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import QueryError

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Answer:
    """Rows of a query, values as SQLite stores them.

    Attributes:
        rows: the rows.
        names: of the columns, also where there is no row.
        complete: false if rows were left out.
    """

    rows: list[Row]
    names: tuple[str, ...]
    complete: bool = True

    @property
    def columns(self) -> int:
        """Number of columns."""
        return len(self.names)


def collect(
    chunks: Iterable[Iterable[Row]],
    names: Iterable[str],
    limits: Limits,
    max_rows: int | None,
    start: float,
) -> Answer:
    """The rows of a query, as SQLite stores them, within the limits of a result.

    Args:
        chunks: rows as an engine gives them; no more are asked for than needed.
        names: of the columns.
        limits: of which max_rows, max_bytes and timeout are kept.
        max_rows: stop after one row more than this; the answer is then not complete.
        start: when the query began, by `time.monotonic`; an engine's own limit may not count what is sent.

    Raises:
        QueryError: the result is larger than the limits, or takes longer.
    """
    rows: list[Row] = []
    space, most = limits.max_bytes, limits.max_rows if max_rows is None else max_rows
    for chunk in chunks:
        for row in map(sqlite_row, chunk):
            rows.append(row)
            space -= sum(len(value) for value in row if isinstance(value, str | bytes))
        if space < 0:
            raise QueryError("refused", "result_bytes", limits.max_bytes)
        if len(rows) > most:
            if max_rows is None:
                raise QueryError("refused", "result_rows", most)
            return Answer(rows[: most + 1], tuple(names), complete=False)
        if time.monotonic() - start > limits.timeout:
            raise QueryError("timeout", "seconds", limits.timeout)
    return Answer(rows, tuple(names))


def sqlite_value(value: Any) -> Any:
    """The value that SQLite stores: numbers as numbers, dates as ISO text, lists and maps as JSON text."""
    match value:
        case int():
            # A truth value is an int to Python; SQLite's own end at 64 bits.
            return int(value) if -(2**63) <= value < 2**63 else float(value)
        case float() if math.isnan(value):
            return None
        case None | float() | str() | bytes():
            return value
        case decimal.Decimal():
            if value.is_nan():
                return None
            whole = value == value.to_integral_value() if value.is_finite() else False
            return int(value) if whole and abs(value) < 2**63 else float(value)
        case datetime.datetime():
            return value.isoformat(sep=" ")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case bytearray() | memoryview():
            return bytes(value)
        case datetime.timedelta() | uuid.UUID():
            return str(value)
        case list() | tuple() | dict():
            return json.dumps(value, ensure_ascii=False, default=sqlite_value)
        case _:
            return str(value)


def sqlite_row(row: Row) -> Row:
    """A row as SQLite stores it."""
    return tuple(sqlite_value(value) for value in row)
