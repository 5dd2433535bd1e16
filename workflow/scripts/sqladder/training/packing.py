"""Training rows as token ids, alone or several in a row of fixed length."""

import bisect
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqladder.training.pairs import IGNORED, TokenPair, lengths

# Rows among which a packed row's members are sought: many fill it well, few keep the order random.
WINDOW = 2048

TokenRow = dict[str, list[int]]


class PackedLimits(NamedTuple):
    """The most that any batch of packed rows holds, by which its computation has one size for all of them.

    Attributes:
        rows: packed ones.
        longest: tokens of a member.
        members: the padding's among them.
        labels: tokens that are learned.
    """

    rows: int
    longest: int
    members: int
    labels: int

    @classmethod
    def of(cls, rows: Sequence[TokenRow], longest: int, rows_at_once: int) -> "PackedLimits":
        """The limits of any `rows_at_once` of some packed rows, whose members have at most `longest` tokens."""
        members = max(row["position_ids"].count(0) for row in rows)
        labels = max(len(row["labels"]) - row["labels"].count(IGNORED) for row in rows)
        return cls(rows_at_once, longest, rows_at_once * members, rows_at_once * labels)


def token_row(pair: TokenPair) -> TokenRow:
    """One row by the names of Hugging Face: the loss covers the answer and its end token."""
    prompt, answer = pair
    ids = prompt + answer
    return {
        "input_ids": ids,
        "labels": [IGNORED] * len(prompt) + answer,
        "attention_mask": [1] * len(ids),
    }


def pack(
    pairs: Sequence[TokenPair], length: int, longest: int, padding: int, seed: int
) -> list[TokenRow]:
    """Put several rows into each of `length` tokens, every row whole.

    Positions start anew with each member, by which attention separates the members
    (sqladder.training.fused); what is left at the end is padding, in members of its own.

    Args:
        pairs: prompt and answer ids, none longer than `longest`.
        length: tokens of a packed row.
        longest: tokens that a member may have.
        padding: the id that fills a row up.
        seed: of the order in which members are drawn.
    """
    order = list(range(len(pairs)))
    random.Random(seed).shuffle(order)
    packed = []
    for start in range(0, len(order), WINDOW):
        window = [pairs[index] for index in order[start : start + WINDOW]]
        for members in best_fit(lengths(window), length):
            rows = [token_row(window[member]) for member in members]
            packed.append(_joined(rows, length, longest, padding))
    return packed


def best_fit(sizes: Sequence[int], capacity: int) -> list[list[int]]:
    """Part items into bins by best-fit decreasing (Johnson, 1973): indices of each bin's items."""
    bins: list[list[int]] = []
    # Room that is left and the bin that has it, the least first.
    room: list[tuple[int, int]] = []
    for item in sorted(range(len(sizes)), key=lambda index: -sizes[index]):
        at = bisect.bisect_left(room, (sizes[item], -1))
        if at == len(room):
            bins.append([])
            left, number = capacity, len(bins) - 1
        else:
            left, number = room.pop(at)
        bins[number].append(item)
        bisect.insort(room, (left - sizes[item], number))
    return bins


def _joined(rows: Sequence[TokenRow], length: int, longest: int, padding: int) -> TokenRow:
    ids = [token for row in rows for token in row["input_ids"]]
    labels = [label for row in rows for label in row["labels"]]
    positions = [position for row in rows for position in range(len(row["input_ids"]))]
    rest = length - len(ids)
    return {
        "input_ids": ids + [padding] * rest,
        "labels": labels + [IGNORED] * rest,
        "attention_mask": [1] * length,
        "position_ids": positions + [position % longest for position in range(rest)],
    }


def read_token_rows(path: Path, start: int, end: int) -> list[TokenRow]:
    """Rows from `start` to before `end`, as `write_token_rows` wrote them."""
    from datasets import load_from_disk

    columns = load_from_disk(path)[start:end]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def write_token_rows(
    path: Path, rows: Sequence[TokenRow], beside: Mapping[str, Sequence[Any]] | None = None
) -> None:
    """Write rows as the tokenized data set that LLaMA-Factory's `tokenized_path` loads.

    Args:
        path: of the data set.
        rows: one or more.
        beside: further columns, of one value a row.
    """
    # Imported late: pyarrow and datasets take a second that planning a run should not.
    import numpy as np
    from datasets import Dataset

    columns: dict[str, list[Any]] = {
        name: [np.asarray(row[name], dtype=np.int32) for row in rows] for name in rows[0]
    }
    Dataset.from_dict({**columns, **(beside or {})}).save_to_disk(path)
