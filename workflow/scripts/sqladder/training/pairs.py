"""The rows of the data as token ids: a prompt and its answer each."""

from collections.abc import Sequence
from pathlib import Path

from sqladder.errors import LOG, InputError
from sqladder.files import Row
from sqladder.models.turns import Turns
from sqladder.prompts import rendering as prompts

IGNORED = -100  # the label that Hugging Face leaves out of the loss
TokenPair = tuple[list[int], list[int]]


def token_pairs(turns: Turns, rows: Sequence[Row], source: Path) -> list[TokenPair]:
    """Token ids of prompt and answer of each row, as inference renders the prompt."""
    if not rows:
        raise InputError(f"{source} is empty: there is nothing to train on")
    return [
        (prompts.prompt_ids(turns, r["messages"]), prompts.answer_ids(turns, r["messages"]))
        for r in rows
    ]


def lengths(pairs: Sequence[TokenPair]) -> list[int]:
    """Tokens of each row, prompt and answer together."""
    return [len(prompt) + len(answer) for prompt, answer in pairs]


def pairs_within(pairs: list[TokenPair], cutoff_length: int) -> list[TokenPair]:
    """Leave out the rows that are longer than the cutoff, and say how many.

    Cut, they would lose the schema or the end of the answer.
    """
    sizes = lengths(pairs)
    kept = [pair for pair, size in zip(pairs, sizes, strict=True) if size <= cutoff_length]
    if not kept:
        raise InputError(
            f"no training row fits into a cutoff length of {cutoff_length} tokens: the shortest has "
            f"{min(sizes)}"
        )
    if len(kept) < len(pairs):
        left_out = len(pairs) - len(kept)
        LOG.info(f"left out {left_out} of {len(pairs)} rows of over {cutoff_length} tokens")
    return kept
