"""How far a training by reward is: one line for each point of its curves."""

import time
from typing import Any

from transformers import TrainerCallback

from sqladder.errors import LOG
from sqladder.models.device import peak_memory_mb
from sqladder.texts.numbers import clock


class RewardProgress(TrainerCallback):
    """Prints reward, share of right answers, lengths, seconds and the time that is left."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start at the step that this process goes on from."""
        self._first = (state.global_step, time.monotonic())
        if state.global_step:
            LOG.info(f"going on from step {state.global_step}/{state.max_steps}")

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Show a point of the curves."""
        logs = kwargs["logs"]
        if "loss" not in logs:  # the Trainer's summary at the end
            return
        step, (first, began) = state.global_step, self._first
        left = (time.monotonic() - began) / (step - first) * (state.max_steps - step)
        LOG.info(
            f"step {step}/{state.max_steps}  reward {logs['reward']:.3f}  right {logs['rewards/right/mean']:.1%}  "
            f"groups all equal {logs['groups/equal']:.0%}  {logs['completions/mean_length']:.0f} tokens an answer  "
            f"{logs['seconds/step']:.2f} s a step  peak memory {peak_memory_mb() / 1024:.1f} GiB  {clock(left)} left"
        )
