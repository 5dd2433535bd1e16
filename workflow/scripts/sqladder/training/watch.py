"""What is watched while a model trains: checkpoints, time and speed."""

import time
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from sqladder.models.device import peak_memory_mb
from sqladder.training.checkpoints import mark_complete, seconds_before

WARM_UP_STEPS = 10


class TrainingWatch(TrainerCallback):
    """Watches a run of a Hugging Face Trainer, and knows the facts of it afterwards.

    Attributes:
        begun: the model and its optimizer are ready, the first step comes next.
        seconds: of training, those before a kill included.
        steady_seconds: of a step, after the first `WARM_UP_STEPS` steps of this process, which
            compile and fill caches, and without checkpoints; None in a run that is no longer.
        peak_memory_mb: the largest over all processes.

    Args:
        saves_last: the last step gets a checkpoint too, beside the model.
    """

    def __init__(self, *, saves_last: bool = False) -> None:
        self._saves_last = saves_last
        self.begun = False
        self.resumed_from = 0
        self.steady_seconds: float | None = None
        self._saving = 0.0
        self.seconds = 0.0
        self.trainable_parameters = 0
        self.steps = 0
        self.peak_memory_mb = 0.0
        self.loss_curve: list[tuple[int, float]] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clock."""
        self.begun = True
        model = kwargs["model"]
        self.trainable_parameters = sum(
            # ZeRO-3 leaves no weights in a parameter but their number.
            getattr(p, "ds_numel", p.numel())
            for p in model.parameters()
            if p.requires_grad
        )
        self.resumed_from = state.global_step
        earlier = seconds_before(checkpoint_folder(args, state)) if self.resumed_from else 0.0
        self._started = time.monotonic() - earlier

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note when the warm-up of this process is over, and when the last step is."""
        warm_steps = state.global_step - self.resumed_from - WARM_UP_STEPS
        if warm_steps == 0:
            self._warm_since, self._saving = now(), 0.0
        if state.global_step >= state.max_steps:
            # The model itself is written next; another checkpoint of it would mostly be for nothing.
            control.should_save = self._saves_last
        if control.should_save:
            self._save_began = now()
        if warm_steps > 0 and (control.should_save or state.global_step >= state.max_steps):
            # At a checkpoint too: the training may be ended there.
            self.steady_seconds = (now() - self._warm_since - self._saving) / warm_steps

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Mark the checkpoint as complete, once every process has written its part."""
        if torch.distributed.is_initialized():
            torch.distributed.barrier()
        if state.is_world_process_zero:
            mark_complete(checkpoint_folder(args, state), time.monotonic() - self._started)
        self._saving += time.monotonic() - self._save_began

    def leave_out(self, seconds: float) -> None:
        """Count some seconds between two steps to the training, but not to the speed of its steps."""
        self._saving += seconds

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop the clock and keep the losses; those before a kill come with the checkpoint."""
        self.seconds = now() - self._started
        self.peak_memory_mb = _largest(peak_memory_mb())
        self.steps = state.global_step
        self.loss_curve = [(row["step"], row["loss"]) for row in state.log_history if "loss" in row]


def _largest(value: float) -> float:
    """The largest of a value over all processes."""
    if not torch.distributed.is_initialized():
        return value
    device = "cuda" if torch.cuda.is_available() else "cpu"
    largest = torch.tensor(value, device=device, dtype=torch.float64)
    torch.distributed.all_reduce(largest, torch.distributed.ReduceOp.MAX)
    return largest.item()


def now() -> float:
    """The time at which everything that was asked of the GPU is done, in seconds."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.monotonic()


def checkpoint_folder(args: Any, state: Any) -> Path:
    """Where the Trainer keeps the checkpoint of the present step."""
    return Path(args.output_dir) / f"checkpoint-{state.global_step}"
