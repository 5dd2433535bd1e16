"""Room on the disk for checkpoints and models: checked before a training, named when it runs out."""

import math
import shutil
from pathlib import Path

from sqladder.errors import InputError
from sqladder.models.folders import count_parameters
from sqladder.models.shapes import linear_layers
from sqladder.training.adapters import adapter_weights
from sqladder.training.checkpoints import complete_checkpoints, remove_torn
from sqladder.training.settings import TrainingSettings

# A checkpoint holds each trained weight and its two moments of Adam, in 32 bits; or the moments in 8.
BYTES_PER_WEIGHT = {"adamw": 12, "adamw_8bit": 6}
# Two are kept, and a third is whole before the oldest goes.
CHECKPOINTS = 3
SMALL = 2**20


def checkpoint_bytes(settings: TrainingSettings, base_model: Path) -> int:
    """Bytes of a checkpoint, without the few of its small files."""
    if settings.lora:
        trained = adapter_weights(settings.lora, linear_layers(base_model))
    else:
        trained = count_parameters(base_model)
    return trained * BYTES_PER_WEIGHT[settings.optimizer]


def check_room(settings: TrainingSettings, base_model: Path, work_folder: Path, steps: int) -> None:
    """Refuse to start where checkpoints and model will not fit; a lower bound of what they take.

    Raises:
        InputError: names the folder, what is free and what is needed.
    """
    one = checkpoint_bytes(settings, base_model)
    to_come = min(CHECKPOINTS, (steps - 1) // settings.steps_between_checkpoints(steps))
    missing = max(0, to_come - len(complete_checkpoints(work_folder))) * one
    weights = sum(path.stat().st_size for path in base_model.glob("*.safetensors"))
    needed = missing + weights
    free = shutil.disk_usage(work_folder).free
    if free < needed:
        raise InputError(
            f"{work_folder}: {size(free)} are free on its disk, and this training needs at least "
            f"{size(needed)}: {to_come} checkpoints of {size(one)} at a time and a model of "
            f"{size(weights)}; free some, or use another disk"
        )


def explain_full_disk(settings: TrainingSettings, base_model: Path, work_folder: Path) -> str:
    """Say that the disk is full, and the way out; what was half written there is removed."""
    free = shutil.disk_usage(work_folder).free
    remove_torn(work_folder)
    kept = complete_checkpoints(work_folder)
    rest = f"goes on from step {max(kept)}" if kept else "starts anew"
    return (
        f"{work_folder}: its disk is full ({size(free)} free; a checkpoint takes about "
        f"{size(checkpoint_bytes(settings, base_model))}, and {CHECKPOINTS} lie there at a time); "
        f"free some, and the same command {rest}"
    )


def leaves_no_room(settings: TrainingSettings, base_model: Path, work_folder: Path) -> bool:
    """Whether a checkpoint, once more, would not fit: what a failed write without a reason means."""
    free = shutil.disk_usage(work_folder).free
    return free < checkpoint_bytes(settings, base_model) + SMALL


def size(count: float) -> str:
    """Write a number of bytes in the unit that suits it."""
    units = ("bytes", "kB", "MB", "GB", "TB")
    power = min(int(math.log(count, 1000)), len(units) - 1) if count >= 1 else 0
    return f"{count / 1000**power:.{1 if power else 0}f} {units[power]}"
