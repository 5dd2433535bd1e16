"""Where the time of a training step goes on a GPU."""

from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile, schedule
from transformers import TrainerCallback

from sqladder.files import write_text

# The first steps compile; a few show where the time goes.
SKIPPED, WARMED, RECORDED = 14, 2, 3


class StepProfile(TrainerCallback):
    """Writes the operations of a few steps, those that take most of the GPU's time first."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin to count steps."""
        self._profile = profile(
            activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA],
            schedule=schedule(wait=SKIPPED, warmup=WARMED, active=RECORDED, repeat=1),
            on_trace_ready=self._write,
        )
        self._profile.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count a step; the last one that is recorded writes the table."""
        torch.cuda.synchronize()
        self._profile.step()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Close the profiler of a run that was too short to be recorded."""
        self._profile.stop()

    def _write(self, recorded: Any) -> None:
        table = recorded.key_averages().table(
            sort_by="self_device_time_total", row_limit=60, max_name_column_width=90
        )
        write_text(self.path, f"{RECORDED} steps\n{table}\n")
