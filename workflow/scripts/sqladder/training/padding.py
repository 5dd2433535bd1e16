"""What a batch is filled up with."""

from typing import Any

from transformers import TrainerCallback


class Padding(TrainerCallback):
    """Has a Trainer fill its rows up with a token that the network knows.

    LLaMA-Factory takes the end token where a tokenizer names none for padding, and where it names no end token either,
    a new one, for which the network has no embedding.

    Args:
        token: id of what fills rows up; it is masked.
    """

    def __init__(self, token: int) -> None:
        self._token = token

    def on_init_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Change the tokenizer that batches are put together with, before the model is told of its tokens."""
        kwargs["processing_class"].pad_token_id = self._token
