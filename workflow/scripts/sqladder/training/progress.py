"""How far a training is: one line for each point of the loss curve, in a log or on a terminal."""

import os
import sys
import time
from typing import Any

from tqdm import tqdm
from transformers import Trainer, TrainerCallback
from transformers import trainer as hugging_face

from sqladder.errors import LOG
from sqladder.models.device import peak_memory_mb
from sqladder.texts.numbers import clock


class Silence(TrainerCallback):
    """Stands where the Trainer would show its own progress."""


def silence_trainer() -> None:
    """Keep the Trainer from showing its own progress bar, losses and metrics, in this process."""
    # Any callback will do, but the type is that of the one that stands there.
    hugging_face.DEFAULT_PROGRESS_CALLBACK = Silence  # type: ignore[assignment]
    Trainer.log_metrics = _nothing


def _nothing(self: Any, split: str, metrics: Any) -> None:
    pass


class Progress(TrainerCallback):
    """Prints step, loss, learning rate, tokens a second, memory and the time that is left.

    A log gets lines, a terminal one line that is written anew; a terminal that does not say its size,
    as under `script` without a window, gets lines too: tqdm would draw nothing there.

    Args:
        tokens_per_step: of the data, on average and over all processes.
    """

    def __init__(self, tokens_per_step: float) -> None:
        self.tokens_per_step = tokens_per_step
        self._bar: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clock at the step that this process goes on from."""
        self._first = self._last = (state.global_step, time.monotonic())
        if state.global_step:
            LOG.info(f"going on from step {state.global_step}/{state.max_steps}")
        if sys.stdout.isatty() and all(os.get_terminal_size(sys.stdout.fileno())):
            self._bar = tqdm(
                total=state.max_steps,
                initial=state.global_step,
                file=sys.stdout,
                disable=False,
                bar_format="{desc}  {bar:20}",
                dynamic_ncols=True,
            )

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Show a point of the loss curve."""
        logs = kwargs["logs"]
        if "loss" not in logs:  # the Trainer's summary at the end
            return
        now = (state.global_step, time.monotonic())
        line = self._line(now, state.max_steps, logs)
        self._last = now
        if self._bar is None:
            LOG.info(line)
        else:
            self._bar.set_description_str(line, refresh=False)
            self._bar.update(state.global_step - self._bar.n)
            self._bar.refresh()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Leave the terminal's line."""
        if self._bar is not None:
            self._bar.close()

    def _line(self, now: tuple[int, float], steps: int, logs: dict[str, float]) -> str:
        """Speed is that since the last point, the time left follows from that since the start."""
        step, moment = now
        speed = (step - self._last[0]) / (moment - self._last[1]) * self.tokens_per_step
        pace = (moment - self._first[1]) / (step - self._first[0])
        return (
            f"step {step}/{steps}  loss {logs['loss']:.4f}  "
            f"learning rate {logs['learning_rate']:.3g}  {speed:,.0f} tokens/s  "
            f"peak memory {peak_memory_mb() / 1024:.1f} GiB  {clock(pace * (steps - step))} left"
        )
