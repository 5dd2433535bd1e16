"""A share of the training rows, for a learning curve: of one seed, each larger share holds the smaller ones."""

import hashlib
from collections.abc import Sequence
from math import ceil

from sqladder.errors import LOG
from sqladder.files import Row


def nested_sample(rows: Sequence[Row], share: float, seed: int) -> list[Row]:
    """Draw a share of the rows, at least one, in their own order.

    Each row is drawn by a number that its id and the seed give, so rows that are added or left out change little else.

    Args:
        rows: with their ids.
        share: of the rows, above 0, at most 1.
        seed: of the draw.
    """
    if share == 1:
        return list(rows)
    drawn = sorted(row["id"] for row in rows)
    drawn.sort(key=lambda name: hashlib.sha256(f"{seed}\n{name}".encode()).digest())
    # 0.1 of 30 rows are 3, though their product is a little more.
    kept = set(drawn[: ceil(round(share * len(rows), 6))])
    LOG.info(f"trained on {len(kept):,} of {len(rows):,} rows, a share of {share:g}")
    return [row for row in rows if row["id"] in kept]
