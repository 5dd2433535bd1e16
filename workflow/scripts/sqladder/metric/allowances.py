"""What a question may forgive an answer: each is a metric of its own beside the strict one, never instead of it."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqladder.metric.input_error import InputError
from sqladder.metric.showing import brief

OPTIONAL_COLUMNS, ANY_ORDER, TOLERANCE = "optional_columns", "any_order", "tolerance"
ALLOWANCES = (OPTIONAL_COLUMNS, ANY_ORDER, TOLERANCE)
"""Names of the metrics."""

FIELDS = ("alternatives", "optional", "any_order", "tolerance")
"""What a record may say of them; `alternatives` are further gold queries, which the strict metric takes too."""

# Each more doubles the tables that an answer may give.
_MOST_OPTIONAL = 6
_TRUE_OR_FALSE = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Allowances:
    """What a question forgives.

    Attributes:
        optional: columns of gold's result that may be there or not, by name or place, from 1.
        any_order: the order of rows does not matter, whatever gold orders by.
        tolerance: how far apart equal numbers may be, as a share of the larger one, or by themselves near zero.
    """

    optional: tuple[str | int, ...] = ()
    any_order: bool = False
    tolerance: float = 0.0

    @property
    def given(self) -> list[str]:
        """Names of the metrics that differ from the strict one."""
        values = (self.optional, self.any_order, self.tolerance)
        return [name for name, value in zip(ALLOWANCES, values, strict=True) if value]


def column_places(column: str | int, names: Sequence[str]) -> list[int]:
    """Places, from 0, of the columns that an optional one means, by its name in whatever case or its place from 1."""
    if isinstance(column, int):
        return [column - 1] if 0 < column <= len(names) else []
    return [place for place, name in enumerate(names) if name.lower() == column.lower()]


def part_golds(record: dict[str, Any]) -> None:
    """Make the first of several queries in `sql` the record's only one there, and the others alternatives.

    The first one is shown and taught, and decides the level.
    """
    if isinstance(record["sql"], list) and record["sql"]:
        record["sql"], *others = record["sql"]
        record["alternatives"] = [*others, *(record.get("alternatives") or [])]


def alternatives_of(place: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    """Further gold queries of a record.

    Raises:
        InputError: they are no list of texts; `place` says where the record is.
    """
    value = _listed(place, "alternatives", row.get("alternatives"))
    for sql in value:
        if not isinstance(sql, str) or not sql.strip():
            raise InputError(f"{place}: alternatives hold {brief(sql)}, but must be queries")
    return tuple(value)


def allowances_of(place: str, row: Mapping[str, Any]) -> Allowances | None:
    """What a record forgives, None where it says nothing of it.

    Raises:
        InputError: a value that cannot be; `place` says where the record is.
    """
    optional = _listed(place, "optional", row.get("optional"))
    for column in optional:
        is_place = isinstance(column, int) and not isinstance(column, bool) and column > 0
        if not is_place and not (isinstance(column, str) and column.strip()):
            raise InputError(
                f"{place}: optional holds {brief(column)}, but must be names of gold's columns, or their places from 1"
            )
    if len(optional) > _MOST_OPTIONAL:
        raise InputError(
            f"{place}: {len(optional)} optional columns, of at most {_MOST_OPTIONAL}; leave out of gold what nobody "
            "asks for"
        )
    found = Allowances(
        # In a config and in the cell of a table a place is a text.
        tuple(int(own) if isinstance(own, str) and own.isdecimal() else own for own in optional),
        _flag(place, row.get("any_order")),
        _tolerance(place, row.get("tolerance")),
    )
    return found if found.given else None


def _listed(place: str, name: str, value: Any) -> list[Any]:
    """A list, or one in the cell of a table: as JSON."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return []
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise InputError(f"{place}: {name} is {brief(value)}, no JSON list: {error}") from error
    if not isinstance(value, list):
        raise InputError(f'{place}: {name} is {brief(value)}, but must be a list such as ["..."]')
    return value


def _flag(place: str, value: Any) -> bool:
    if value is None or (isinstance(value, str) and not value.strip()):
        return False
    known = value if isinstance(value, bool) else _TRUE_OR_FALSE.get(str(value).strip().lower())
    if known is None:
        raise InputError(f"{place}: any_order is {brief(value)}, but must be true or false")
    return known


def _tolerance(place: str, value: Any) -> float:
    if value is None or (isinstance(value, str) and not value.strip()):
        return 0.0
    try:
        tolerance = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        tolerance = math.nan
    if not 0 <= tolerance < 1:
        raise InputError(
            f"{place}: tolerance is {brief(value)}, but must be a share from 0 to 1, such as 0.01"
        )
    return tolerance
