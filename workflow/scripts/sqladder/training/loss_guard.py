"""Stops a training at the step whose loss is not finite, and says which rows were in it."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import TrainerCallback

from sqladder.errors import InputError
from sqladder.training.row_names import Batch, members, row_names


class LossError(InputError):
    """A loss, or a gradient, that is not finite.

    Attributes:
        step: of the optimizer, from 1; of several processes the one with the first step knows why.

    Args:
        what: was not finite, and its value.
        steps: of the whole training.
        where: in the step it was, and at which learning rate.
        rows: of the data that were there, None if they are not known.
        highest_rate: the learning rate that the user set.
    """

    def __init__(
        self, what: str, step: int, steps: int, where: str, rows: str | None, highest_rate: float
    ) -> None:
        named = f"; rows: {rows}" if rows else ""
        look = "look at these rows" if rows else "look at the data"
        super().__init__(
            f"{what} at step {step} of {steps}{where}{named}. If the losses before it rose, the "
            f"training diverged: try a learning rate below {highest_rate:g}; if they did not, {look}"
        )
        self.step = step


class _Step(NamedTuple):
    """What is known of a step before its losses have come from the GPU."""

    number: int
    learning_rate: float
    losses: torch.Tensor
    copied: Any
    batches: list[Batch]


class LossGuard(TrainerCallback):
    """Looks at the loss of every micro-batch, whether it is logged or not.

    The losses of a step are read while the GPU computes the next one, so that it never waits; at a
    step that is logged or saved they are read at once, so that no checkpoint holds broken weights.
    """

    def __init__(self, work_folder: Path) -> None:
        self.work_folder = work_folder
        self._losses: list[torch.Tensor] = []
        self._batches: list[Batch] = []
        self._learning_rate = 0.0
        self._previous: _Step | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look at what the model is given and what it gives."""
        self._hook = kwargs["model"].register_forward_hook(self._note, with_kwargs=True)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note the learning rate; at the end of a step it is the next one's."""
        self._learning_rate = kwargs["optimizer"].param_groups[0]["lr"]

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Check the losses of the step before this one, and of this one where others need them."""
        current = self._finish_step(state.global_step)
        if self._previous:
            self._check(self._previous, state.max_steps, args.learning_rate)
        self._previous = current
        if control.should_log or control.should_save or state.global_step >= state.max_steps:
            self._check(current, state.max_steps, args.learning_rate)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Leave the model as it was."""
        self._hook.remove()

    def _note(self, module: Any, args: Any, given: dict[str, Any], output: Any) -> None:
        if module.training:
            self._losses.append(output.loss.detach().float())
            names = ("input_ids", "labels", "attention_mask", "position_ids")
            self._batches.append({n: given[n] for n in names if given.get(n) is not None})

    def _finish_step(self, number: int) -> _Step:
        losses = torch.stack(self._losses).to("cpu", non_blocking=True)
        copied = None
        if torch.cuda.is_available():
            copied = torch.cuda.Event()
            copied.record()
        step = _Step(number, self._learning_rate, losses, copied, self._batches)
        self._losses, self._batches = [], []
        return step

    def _check(self, step: _Step, steps: int, highest_rate: float) -> None:
        if step.copied:
            step.copied.synchronize()
        losses = step.losses.tolist()
        bad = [place for place, loss in enumerate(losses) if not math.isfinite(loss)]
        if bad:
            rows = [row for place in bad for row in members(step.batches[place])]
            raise LossError(
                f"the loss is {losses[bad[0]]}",
                step.number,
                steps,
                f", in {len(bad)} of its {len(losses)} batches of this process, at a learning rate "
                f"of {step.learning_rate:.3g}",
                row_names(self.work_folder, rows),
                highest_rate,
            )


class LoggedLossGuard(TrainerCallback):
    """Looks at the loss and the gradient's norm that a Trainer logs, in every process alike.

    For models that are not called with the rows of a batch and nothing else. A Trainer saves a step
    after it has logged it, so no checkpoint holds broken weights.

    Args:
        rows_of_step: names the rows that all processes took in at a step; None if that is not known.
    """

    def __init__(self, rows_of_step: Callable[[int], str] | None = None) -> None:
        self.rows_of_step = rows_of_step
        self._learning_rate = 0.0

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note the learning rate; what is logged at the end of a step is the next one's."""
        self._learning_rate = kwargs["optimizer"].param_groups[0]["lr"]

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop at what is not finite."""
        for name, what in (("loss", "the loss"), ("grad_norm", "the norm of the gradient")):
            value = kwargs["logs"].get(name, 0.0)
            if not math.isfinite(value):
                raise LossError(
                    f"{what} is {value}",
                    state.global_step,
                    state.max_steps,
                    f", at a learning rate of {self._learning_rate:.3g}",
                    self.rows_of_step and self.rows_of_step(state.global_step),
                    args.learning_rate,
                )
