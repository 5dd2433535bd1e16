"""What every generation engine takes and gives.

An engine is a module of this package with a function `generate(model, prompts, decoding,
batch_size)`: it loads a model folder once, answers all prompts, given as token ids, and returns a
`Completion` for each in their order.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True)
class Decoding:
    """How the next token is chosen; a temperature of 0 takes the likeliest (greedy)."""

    max_new_tokens: int
    temperature: float
    top_p: float
    repetition_penalty: float
    seed: int


class Completion(NamedTuple):
    """The tokens of one answer without the end token, and why it ended there."""

    token_ids: list[int]
    finish_reason: Literal["stop", "length"]


def cut_at_end_token(tokens: list[int], end_token: int) -> Completion:
    """Part an answer from its end token and the padding after it."""
    if end_token in tokens:
        return Completion(tokens[: tokens.index(end_token)], "stop")
    return Completion(tokens, "length")
