"""Answers of the model that is trained, as it is at this step, drawn by transformers in the same process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqladder.generation.contract import Completion, Finished
from sqladder.generation.settings import DecodingSettings
from sqladder.generation.transformers_engine import TransformersEngine


class LiveAnswers:
    """Draws from the network that is trained (policy_trainer.PolicyAnswers).

    Args:
        end_tokens: that end an answer.
    """

    def __init__(self, end_tokens: Sequence[int]) -> None:
        self._end_tokens = end_tokens

    def draw(
        self, network: Any, prompts: Sequence[Sequence[int]], decoding: DecodingSettings
    ) -> list[list[Completion]]:
        """Answers to each prompt, by the network's present weights."""
        own = network.get_base_model() if hasattr(network, "get_base_model") else network
        found: Finished = {}
        with _answering(own):
            for finished in TransformersEngine(own, self._end_tokens).answer(prompts, decoding):
                found |= finished
        return [found[place] for place in range(len(prompts))]

    def close(self) -> None:
        """Nothing is held."""


@contextmanager
def _answering(network: Any) -> Iterator[None]:
    """Put a network that is trained into the state in which it answers, and back."""
    # The engine sets its own, which would be saved with the model.
    configured, was_training = network.generation_config, network.training
    network.eval()
    try:
        yield
    finally:
        network.generation_config = configured
        network.train(was_training)
