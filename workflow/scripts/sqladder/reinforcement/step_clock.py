"""Where the time of each step goes: drawing answers, judging them, training, and the rest, which is waiting."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transformers import TrainerCallback

from sqladder.training.watch import now

PARTS = ("generation", "judging", "training")


class StepClock(TrainerCallback):
    """Adds up the seconds of each part since the last point of the curves.

    It comes last among a Trainer's callbacks: what those do between two steps, checkpoints and their validation, is no
    part of a step.
    """

    def __init__(self) -> None:
        self._parts = dict.fromkeys(PARTS, 0.0)
        self._whole, self._steps = 0.0, 0

    @contextmanager
    def measuring(self, part: str) -> Iterator[None]:
        """Count what a block takes to a part; what it measures inside is not counted twice."""
        began, before = now(), sum(self._parts.values())
        yield
        inside = sum(self._parts.values()) - before
        self._parts[part] += now() - began - inside

    def since_last_point(self) -> dict[str, float]:
        """Mean seconds of a step, by part and whole; and begin anew."""
        steps = max(1, self._steps)
        parts = {f"seconds/{part}": taken / steps for part, taken in self._parts.items()}
        whole = self._whole / steps
        found = {**parts, "seconds/waiting": max(0.0, whole - sum(parts.values()))}
        self._parts = dict.fromkeys(PARTS, 0.0)
        self._whole, self._steps = 0.0, 0
        return found | {"seconds/step": whole}

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start with the first step."""
        self._began = time.monotonic()

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The optimizer's own step is training, too."""
        self._optimizer_began = now()

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """It is over."""
        self._parts["training"] += now() - self._optimizer_began

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count the step."""
        self._whole += now() - self._began
        self._steps += 1
        self._began = now()

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Leave out a checkpoint, and what was done with it."""
        self._began = time.monotonic()
