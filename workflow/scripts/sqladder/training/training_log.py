"""The points of a training as numbers, in a file that others may read while it goes on."""

import json
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from sqladder.models.device import peak_memory_mb
from sqladder.training.checkpoints import read_log

Row = dict[str, Any]


class TrainingLog(TrainerCallback):
    """Writes a line of JSON for each point of the loss curve, those before a kill included.

    Args:
        path: the file; what it holds after the step that the training goes on from is left out, it comes again.
        tokens_per_step: of the data, on average and over all processes.
        epochs: passes over the data that the Trainer counts as one.

    Attributes:
        rows: `step`, `epoch`, `loss`, `learning_rate`, what `measured` says, `peak_memory_mb` of this process, `time`
            in seconds since 1970.
    """

    def __init__(self, path: Path, tokens_per_step: float = 0.0, epochs: float = 1.0) -> None:
        self._path = path
        self._tokens_per_step, self._epochs = tokens_per_step, epochs
        self.rows: list[Row] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Take up what an earlier attempt wrote."""
        self.rows = [row for row in read_log(self._path) if row["step"] <= state.global_step]
        self._path.write_text("".join(f"{json.dumps(row)}\n" for row in self.rows))
        self._last = (state.global_step, time.monotonic())

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Write a point of the loss curve."""
        logs = kwargs["logs"]
        if "loss" not in logs:  # the Trainer's summary at the end
            return
        now = (state.global_step, time.monotonic())
        steps, seconds = now[0] - self._last[0], now[1] - self._last[1]
        self._last = now
        row = {
            "step": state.global_step,
            "epoch": round(state.epoch * self._epochs, 4),
            "loss": logs["loss"],
            "learning_rate": logs["learning_rate"],
            **self.measured(logs, steps / seconds),
            "peak_memory_mb": peak_memory_mb(),
            "time": round(time.time(), 3),
        }
        self.rows.append(row)
        with self._path.open("a") as file:
            file.write(f"{json.dumps(row)}\n")

    def measured(self, logs: Row, steps_per_second: float) -> Row:
        """What a point has besides, by name: tokens a second since the point before."""
        return {"tokens_per_second": round(steps_per_second * self._tokens_per_step, 1)}
