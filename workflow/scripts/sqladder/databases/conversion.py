"""Values of other engines as SQLite stores them, so that a copy holds what its queries compare."""

import datetime
import decimal
import json
import uuid
from dataclasses import dataclass
from typing import Any

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Answer:
    """Rows of a query, values as SQLite stores them.

    Attributes:
        rows: the rows.
        columns: number of columns, also where there is no row.
        names: of the columns, where the engine is SQLite.
    """

    rows: list[Row]
    columns: int
    names: tuple[str, ...] = ()


def sqlite_value(value: Any) -> Any:
    """The value that SQLite stores: numbers as numbers, dates as ISO text, lists and maps as JSON text."""
    match value:
        case int():
            # A truth value is an int to Python; SQLite's own end at 64 bits.
            return int(value) if -(2**63) <= value < 2**63 else float(value)
        case None | float() | str() | bytes():
            return value
        case decimal.Decimal():
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
