"""Pairs of a right and a wrong answer to one question as token ids."""

from pathlib import Path
from typing import NamedTuple

from sqladder.errors import LOG, InputError
from sqladder.files import Fields, read_jsonl
from sqladder.models.turns import Turns
from sqladder.training.packing import TokenRow, token_row
from sqladder.training.pairs import TokenPair, lengths, token_pairs

PAIR_FIELDS: Fields = {"id": str, "messages": list, "chosen": str, "rejected": str}
# LLaMA-Factory's pairs and answers may show pictures, videos and sounds.
_MEDIA = ("images", "videos", "audios")


class Preferred(NamedTuple):
    """One pair as token ids."""

    chosen: TokenPair
    rejected: TokenPair


def preferences(turns: Turns, data: Path) -> list[Preferred]:
    """The pairs of a file as token ids."""
    rows = read_jsonl(data, PAIR_FIELDS)
    sides = []
    for key in ("chosen", "rejected"):
        answered = [
            {"messages": [*row["messages"], {"role": "assistant", "content": row[key]}]}
            for row in rows
        ]
        sides.append(token_pairs(turns, answered, data))
    return [Preferred(*pair) for pair in zip(*sides, strict=True)]


def preferences_within(pairs: list[Preferred], cutoff_length: int) -> list[Preferred]:
    """Leave out the pairs of which an answer is over the cutoff, and say how many."""
    kept = [pair for pair in pairs if max(lengths(pair)) <= cutoff_length]
    if not kept:
        raise InputError(f"no pair of answers fits into a cutoff length of {cutoff_length} tokens")
    if len(kept) < len(pairs):
        left_out = len(pairs) - len(kept)
        LOG.info(f"left out {left_out} of {len(pairs)} pairs of over {cutoff_length} tokens")
    return kept


def no_media(rows: int) -> dict[str, list[None]]:
    """Columns of so many rows that have to be there and hold nothing."""
    return {name: [None] * rows for name in _MEDIA}


def preference_row(pair: Preferred) -> TokenRow:
    """One pair by the names of LLaMA-Factory's pairwise data."""
    sides = {"chosen": pair.chosen, "rejected": pair.rejected}
    return {
        f"{side}_{name}": ids for side, own in sides.items() for name, ids in token_row(own).items()
    }
