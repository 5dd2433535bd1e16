"""Split one set of examples into training, validation and test, by database or by question.

By database is the harder test: no schema of the test was seen in training. By question is for a single database. Equal
questions, whatever their case and punctuation, always stay together.
"""

import hashlib
from collections.abc import Iterable, Mapping

from sqladder.errors import InputError
from sqladder.files import Row
from sqladder.texts.words import folded

SPLITS = ("train", "validation", "test")


def split_examples(
    rows: Iterable[Row], by: str, shares: Mapping[str, float], seed: int
) -> dict[str, list[Row]]:
    """Part examples into the three splits.

    Args:
        rows: examples.
        by: "database" or "question": what stays whole.
        shares: share of the examples for "validation" and for "test", together below 1; training gets the rest.
        seed: another seed gives another split; the same one gives the same split on every machine.

    Returns:
        Split -> its examples in their order. Shares are met as nearly as whole groups allow; every split whose share is
        above 0 gets one group at least.

    Raises:
        InputError: there are fewer groups than splits.
    """
    rows = list(rows)
    groups: dict[str, list[int]] = {}
    for position, row in enumerate(rows):
        groups.setdefault(_group(row, by), []).append(position)
    wanted = [name for name in ("test", "validation") if shares[name] > 0]
    if len(groups) <= len(wanted):
        raise InputError(
            f"{len(rows)} examples are about {len(groups)} different {by}s: too few to split into "
            f"{len(wanted) + 1} parts by {by}; "
            + ("split by question" if by == "database" else "add examples")
        )
    split_of = _assign(groups, {name: shares[name] * len(rows) for name in wanted}, seed)
    return {name: [row for row in rows if split_of[_group(row, by)] == name] for name in SPLITS}


def _group(row: Row, by: str) -> str:
    return row["db_id"] if by == "database" else f"{row['db_id']}\n{folded(row['question'])}"


def _assign(groups: dict[str, list[int]], sizes: dict[str, float], seed: int) -> dict[str, str]:
    """Fill test, then validation, with groups in a random order; the rest is for training.

    A group that would take a split further from its size than leaving it out is passed over.
    """
    order = sorted(groups, key=lambda name: hashlib.sha256(f"{seed}\n{name}".encode()).digest())
    split_of = dict.fromkeys(order, "train")
    for place, (split, size) in enumerate(sizes.items()):
        free = [name for name in order if split_of[name] == "train"]
        # Every later split, and training, needs a group of its own.
        most, filled, taken = len(free) - (len(sizes) - place), 0, 0
        for name in free:
            fits = abs(filled + len(groups[name]) - size) < abs(filled - size)
            if taken < most and fits:
                split_of[name] = split
                filled, taken = filled + len(groups[name]), taken + 1
        if not taken:
            smallest = min(free, key=lambda name: len(groups[name]))
            split_of[smallest] = split
    return split_of
