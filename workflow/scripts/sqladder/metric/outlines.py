"""What is kept of a gold result: enough to tell that a result is the same, or certainly another."""

import hashlib
from typing import NamedTuple

from sqladder.metric.sandbox import Result


class Outline(NamedTuple):
    """Outline of a result.

    Attributes:
        rows: number of rows.
        columns: number of columns.
        digest: of the rows in their order, types included, as 32 hexadecimal digits.
    """

    rows: int
    columns: int
    digest: str


def outline_of(result: Result) -> Outline:
    """The outline of a complete result."""
    packed = hashlib.blake2b(b"".join(result.packed), digest_size=16)
    return Outline(len(result.rows), result.columns, packed.hexdigest())
