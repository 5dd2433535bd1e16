"""What every generation engine takes and gives.

An engine is a module of this package with a function `generate(model, prompts, decoding,
end_tokens)`: it loads a model folder once, answers all prompts, given as token ids, as the
`DecodingSettings` say, and returns their `Answers`. `PACKAGE` names what it computes them with, for the record of
versions.
"""

import hashlib
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple


class Completion(NamedTuple):
    """One answer of a model.

    Attributes:
        token_ids: its tokens without the end token.
        finish_reason: why it ended there.
        log_probability: mean over its tokens, the end token among them, of the natural logarithm of the probability
            that the model gives them, whatever temperature they were drawn at; None where it was not asked for.
    """

    token_ids: list[int]
    finish_reason: Literal["stop", "length"]
    log_probability: float | None = None


class Answers(NamedTuple):
    """All answers, those to one prompt together, in the order of the prompts.

    Attributes:
        completions: for each prompt as many as `DecodingSettings.samples` asks for.
        stages: what each stage took, in seconds: "engine_start", and what is known of its parts
            ("weights", ...), and "generation".
    """

    completions: list[list[Completion]]
    stages: dict[str, float]


def cut_at_end_token(tokens: list[int], end_tokens: Collection[int]) -> Completion:
    """Part an answer from the token that ends it and the padding after that."""
    for position, token in enumerate(tokens):
        if token in end_tokens:
            return Completion(tokens[:position], "stop")
    return Completion(tokens, "length")


def prompt_seed(seed: int, tokens: Sequence[int]) -> int:
    """A seed of a prompt's own, whatever stands beside it: a number of 31 bits."""
    digest = hashlib.sha256(f"{seed} {list(tokens)}".encode()).digest()
    return int.from_bytes(digest[:4]) >> 1


@contextmanager
def timed(stages: dict[str, float], name: str) -> Iterator[None]:
    """Note the seconds that a block takes."""
    started = time.monotonic()
    yield
    stages[name] = round(time.monotonic() - started, 3)
