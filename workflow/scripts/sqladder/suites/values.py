"""Values for the columns of a content: those of the original, constants of gold, and what lies beside both."""

import random
import re
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from math import isfinite
from typing import Any

from sqladder.suites.catalog import Catalog, StoredTable
from sqladder.suites.golds import Wishes, in_64_bits

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_NUMBER = re.compile(r"\d+")
_ASKED_KEYS, _ORIGINAL_KEYS = 0.3, 0.2


@dataclass(frozen=True)
class Palette:
    """What a column's values are drawn from.

    Attributes:
        known: the original's values.
        asked: constants of gold for this column, and what lies beside them.
        is_ranked: gold sorts by it before it cuts, so that ties would make gold ambiguous.
    """

    known: list[Any]
    asked: list[Any]
    is_ranked: bool

    def draw(self, rng: random.Random, asked: float, beside: float) -> Any:
        """One value; a share `asked` is from gold's constants, a share `beside` lies beside an original one."""
        if self.asked and rng.random() < asked:
            return rng.choice(self.asked)
        value = rng.choice(self.known) if self.known else rng.choice([*self.asked, 0])
        return another(value, self.known, rng) if rng.random() < beside else _exact(value)

    def fresh(self, rng: random.Random, number: int) -> Any:
        """One value for a key of so many rows; most likely no other row has it."""
        if self.asked and rng.random() < _ASKED_KEYS:
            return rng.choice(self.asked)
        value = rng.choice(self.known) if self.known else rng.choice([*self.asked, 0])
        if rng.random() < _ORIGINAL_KEYS:
            return _exact(value)
        if isinstance(value, int):
            numbers = [own for own in self.known if isinstance(own, int)] or [value]
            low, high = min(numbers), max(numbers)
            return in_64_bits(rng.randint(low, max(high, low + 5 * number)))
        if isinstance(value, float):
            return float(rng.randint(1, 5 * number)) / 4
        return another(another(value, self.known, rng), self.known, rng)


def palette(own: StoredTable, column: str, wishes: Wishes) -> Palette:
    """What the values of a column are drawn from."""
    known = own.values[column]
    constants = [
        value for value in wishes.constants.get(column.lower(), []) if _is_like(value, known)
    ]
    asked = list(dict.fromkeys(chain.from_iterable(map(_with_neighbours, constants))))
    return Palette(known, asked, column.lower() in wishes.ranked)


def _is_like(value: Any, known: list[Any]) -> bool:
    """Whether a constant is of a kind that the column holds: a number, or a text."""
    return not known or any(isinstance(value, str) == isinstance(own, str) for own in known)


def _with_neighbours(value: Any) -> list[Any]:
    """A constant with what lies beside it: one more and one less, a prefix, a longer text, another case."""
    if isinstance(value, int):
        return [value, in_64_bits(value - 1), in_64_bits(value + 1)]
    if isinstance(value, float):
        return [value, value - 1, value + 1]
    if _DATE.fullmatch(value):
        return [value, *_dates_beside(value)]
    longer = [f"{value}x", f"x{value}", f"x{value}x"]
    return [value, value, *longer, value[:-1] or "x", value.swapcase()]


def another(value: Any, known: list[Any], rng: random.Random) -> Any:
    """A value of the same kind that is most likely not in the original."""
    numbers = [own for own in known if isinstance(own, int | float) and isfinite(own)]
    if isinstance(value, int):
        low, high = int(min(numbers, default=0)), int(max(numbers, default=9))
        spread = max(9, high - low)
        if rng.random() < 0.3:
            return in_64_bits(max(value + rng.choice((-1, 1)), min(low, 0)))
        least = low if low < spread // 2 else low - spread // 4
        return in_64_bits(rng.randint(least, high + spread // 4))
    if isinstance(value, float):
        return _exact(value * rng.uniform(0.5, 1.5) + rng.choice((-0.5, 0, 0.5)))
    if isinstance(value, bytes):
        return value + rng.randbytes(1)
    if _DATE.match(value):
        return rng.choice(_dates_beside(value[:10])) + value[10:]
    numerals = list(_NUMBER.finditer(value))
    if numerals:
        # A number within a text, such as a code, a year, a telephone number.
        found = rng.choice(numerals)
        digits = "".join(rng.choice("0123456789") for _ in found[0])
        return value[: found.start()] + digits + value[found.end() :]
    at = rng.randint(0, len(value))
    return value[:at] + "".join(rng.choices(_LETTERS, k=rng.randint(1, 2))) + value[at:]


def _exact(value: Any) -> Any:
    """The value; of a fraction one whose sums are exact, so that they are equal in whatever order rows are added."""
    if not isinstance(value, float) or not isfinite(value):
        return value
    return round(value * 8) / 8


def _dates_beside(value: str) -> list[str]:
    try:
        day = date.fromisoformat(value)
        return [(day + timedelta(days=step)).isoformat() for step in (-365, -31, -1, 1, 31, 365)]
    except (ValueError, OverflowError):
        return [value]


def shared_places(catalog: Catalog, wishes: Wishes) -> dict[tuple[str, str], tuple[str, str]]:
    """Columns whose values come from a column of another table, as a foreign key's would, though none is declared.

    Gold joins both, the other one is a key, and in the original it holds all values of this one.
    """
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for pair in sorted(wishes.joined):
        for here, there in (pair, pair[::-1]):
            child, parent = catalog.table(here[0]), catalog.table(there[0])
            if not child or not parent or here[0] == there[0]:
                continue
            held, given = (
                next((v for name, v in own.values.items() if name.lower() == column), [])
                for own, column in ((child, here[1]), (parent, there[1]))
            )
            if (
                _is_key(parent, there[1])
                and not _is_key(child, here[1])
                and set(held) <= set(given)
            ):
                found.setdefault(here, there)
    return found


def _is_key(own: StoredTable, column: str) -> bool:
    declared = column in own.single_keys
    values = next((v for name, v in own.values.items() if name.lower() == column), [])
    return declared or (bool(values) and len(values) == own.rows)
