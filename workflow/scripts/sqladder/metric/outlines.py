"""What is kept of a gold result: enough to tell that a result is the same, or certainly another."""

import hashlib
import marshal
from collections.abc import Iterable
from typing import NamedTuple

from sqladder.metric.sandbox import Result


class Outline(NamedTuple):
    """Outline of a result.

    Attributes:
        rows: number of rows.
        columns: number of columns.
        digest: of the rows in their order, types included, as 32 hexadecimal digits.
        turned: the same with the columns in whatever order; "" where there is one order.
    """

    rows: int
    columns: int
    digest: str
    turned: str


def outline_of(result: Result) -> Outline:
    """The outline of a complete result."""
    return Outline(len(result.rows), result.columns, digest_of(result), turned_of(result))


def digest_of(result: Result) -> str:
    """The digest of a complete result."""
    return _digest(result.packed)


def turned_of(result: Result) -> str:
    """The digest of a complete result with its columns in whatever order."""
    if result.columns < 2:
        return ""
    columns = zip(*result.rows, strict=True)
    return _digest(sorted(marshal.dumps(column, 2) for column in columns))


def _digest(parts: Iterable[bytes]) -> str:
    return hashlib.blake2b(b"".join(parts), digest_size=16).hexdigest()
