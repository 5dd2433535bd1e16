"""What every generation engine takes and gives.

An engine is a module of this package with a function `start(model, load, decoding, end_tokens)`, which loads a model
folder and returns a `ModelEngine`: it answers prompts, given as token ids, as often as it is asked. `PACKAGE` names
what it computes them with, for the record of versions.
"""

import hashlib
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from sqladder.generation.settings import DecodingSettings


class Completion(NamedTuple):
    """One answer of a model.

    Attributes:
        token_ids: its tokens without the end token.
        finish_reason: why it ended there.
        log_probability: mean over its tokens, the end token among them, of the natural logarithm of the probability
            that the model gives them, whatever temperature they were drawn at; None where it was not asked for.
        end_token: the token that ended it; None where it was cut.
    """

    token_ids: list[int]
    finish_reason: Literal["stop", "length"]
    log_probability: float | None = None
    end_token: int | None = None


Finished = dict[int, list[Completion]]
"""All answers to some prompts, by the prompts' places."""

NOTHING: Collection[int] = frozenset()


class Load(NamedTuple):
    """What an engine will be asked, as far as it has to know before it starts.

    Attributes:
        longest: tokens of the longest prompt with its answer.
        answers: how many answers are drawn at most in one call.
        beside_training: whether a training has the same device, so that no more of it may be taken than is needed.
    """

    longest: int
    answers: int
    beside_training: bool = False


class ModelEngine(Protocol):
    """A model that is loaded.

    Attributes:
        stages: what is known of the parts of its start ("weights", ...), in seconds.
    """

    stages: Mapping[str, float]

    def answer(
        self,
        prompts: Sequence[Sequence[int]],
        decoding: DecodingSettings,
        done: Collection[int] = NOTHING,
        grammars: Sequence[str] | None = None,
    ) -> Iterator[Finished]:
        """Answer prompts, and yield the answers to some of them whenever those are finished.

        An answer depends on its prompt and the settings alone, but for what rounding does to it.

        Args:
            prompts: token ids.
            decoding: how they are answered; as many answers to each as `samples` asks for.
            done: places of prompts that have been answered before, as the same call was cut off. They are left out
                where that cannot change how the others are rounded.
            grammars: what each prompt's answers are held to, None where the decoding has no grammar.
        """
        ...


class ReloadingEngine(ModelEngine, Protocol):
    """A model whose weights can be replaced while it is loaded: of a training that asks it again and again."""

    def reload(self, base_model: Path, checkpoint: Path) -> None:
        """Answer from now on as a checkpoint of the same network does; what was kept of the old weights is forgotten.

        Args:
            base_model: the folder that the training started from.
            checkpoint: a whole model as a Hugging Face folder, or adapters, which are merged into the base.

        Raises:
            InputError: the checkpoint is of another network, or its weights are missing or cut off.
        """
        ...


def cut_at_end_token(tokens: list[int], end_tokens: Collection[int]) -> Completion:
    """Part an answer from the token that ends it and the padding after that."""
    for position, token in enumerate(tokens):
        if token in end_tokens:
            return Completion(tokens[:position], "stop", end_token=token)
    return Completion(tokens, "length")


def prompt_seed(seed: int, tokens: Sequence[int]) -> int:
    """A seed of a prompt's own, whatever stands beside it: a number of 31 bits."""
    digest = hashlib.sha256(f"{seed} {list(tokens)}".encode()).digest()
    return int.from_bytes(digest[:4]) >> 1


@contextmanager
def timed(stages: dict[str, float], name: str) -> Iterator[None]:
    """Note the seconds that a block takes, beside those of earlier ones with its name."""
    started = time.monotonic()
    yield
    stages[name] = round(stages.get(name, 0) + time.monotonic() - started, 3)
