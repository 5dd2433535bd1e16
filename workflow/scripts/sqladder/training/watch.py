"""What is watched while a model trains: equality of prompts, a finite loss, time and memory."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from sqladder.errors import InputError
from sqladder.training.checkpoints import mark_complete, seconds_before

IGNORED = -100  # the label that Hugging Face leaves out of the loss
TokenPair = tuple[list[int], list[int]]


class TrainingWatch(TrainerCallback):
    """Checks before and during a run of a Hugging Face Trainer, and the facts of it afterwards.

    Args:
        expected: prompt ids and answer ids of the first rows of the data set, in its order, as
            inference will render them; the run stops before its first step if it would train on
            anything else.
    """

    def __init__(self, expected: Sequence[TokenPair]) -> None:
        self.expected = expected
        self.resumed_from = 0
        self.seconds = 0.0
        self.trainable_parameters = 0
        self.steps = 0
        self.loss_curve: list[tuple[int, float]] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Compare the rows of the data set with what inference sends; start the clock."""
        check_rows(kwargs["train_dataloader"].dataset, self.expected)
        model = kwargs["model"]
        self.trainable_parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
        self.resumed_from = state.global_step
        earlier = seconds_before(checkpoint_folder(args, state)) if self.resumed_from else 0.0
        self._started = time.monotonic() - earlier

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop at a loss that is not a number."""
        loss = kwargs["logs"].get("loss")
        if loss is not None and not math.isfinite(loss):
            raise InputError(
                f"the loss is {loss} at step {state.global_step} of {state.max_steps}: the training "
                f"diverged; try a learning rate below {args.learning_rate:g}"
            )

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Mark the checkpoint that was just written as complete."""
        mark_complete(checkpoint_folder(args, state), time.monotonic() - self._started)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop the clock and keep the losses; those before a kill come with the checkpoint."""
        self.seconds = time.monotonic() - self._started
        self.steps = state.global_step
        self.loss_curve = [(row["step"], row["loss"]) for row in state.log_history if "loss" in row]


def checkpoint_folder(args: Any, state: Any) -> Path:
    """Where the Trainer keeps the checkpoint of the present step."""
    return Path(args.output_dir) / f"checkpoint-{state.global_step}"


def check_rows(rows: Any, expected: Sequence[TokenPair]) -> None:
    """Refuse training rows that differ from what inference sends, or whose loss covers more.

    Raises:
        InputError: names the first row that differs and where.
    """
    for number, (prompt, answer) in enumerate(expected):
        row = rows[number]
        if list(row["input_ids"]) != prompt + answer:
            raise InputError(
                f"training row {number + 1} has other token ids than inference sends, from position "
                f"{_first_difference(row['input_ids'], prompt + answer)} on: the base model's chat "
                "template does not fit the training template (Qwen3 with an empty think block)"
            )
        if list(row["labels"]) != [IGNORED] * len(prompt) + answer:
            raise InputError(f"training row {number + 1}: the loss covers more than the answer")


def _first_difference(left: Sequence[int], right: Sequence[int]) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(left), len(right)))
