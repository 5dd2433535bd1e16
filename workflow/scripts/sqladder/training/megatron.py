"""Megatron's tensor and pipeline parallelism, which LLaMA-Factory reaches through MCoreAdapter.

MCoreAdapter is the package `mcore_adapter` of https://github.com/alibaba/ROLL; what is said of it
here holds for the commit in workflow/envs/megatron.yaml.
"""

import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch

from sqladder.errors import InputError
from sqladder.files import read_json
from sqladder.models.folders import count_parameters
from sqladder.training.loss_guard import LoggedLossGuard
from sqladder.training.packing import read_token_rows
from sqladder.training.row_names import row_names
from sqladder.training.settings import Parallelism, TrainingSettings
from sqladder.training.watch import TrainingWatch

Curve = list[tuple[int, float]]
Row = TypeVar("Row")


def check_ready(plan: Parallelism, base_model: Path) -> None:
    """Refuse to start where the first step would fail, long after the model was loaded.

    Raises:
        InputError: says what is missing, or which size of the model cannot be divided.
    """
    # LLaMA-Factory's own message names a package of PyPI that is another one.
    if not (_installed("megatron.core") and _installed("mcore_adapter.training_args")):
        raise InputError(
            "parallelism: megatron needs megatron-core and mcore_adapter, the latter from "
            "https://github.com/alibaba/ROLL and not from PyPI; workflow/envs/megatron.yaml names "
            "both (snakemake --sdm conda)"
        )
    present = torch.cuda.device_count()
    if present < plan.gpus:
        raise InputError(
            f"parallelism: megatron runs on GPUs only, and {present} of {plan.gpus} are here"
        )
    config = read_json(base_model / "config.json")
    parted = {
        "num_attention_heads": plan.tensor,
        "num_key_value_heads": plan.tensor,
        "intermediate_size": plan.tensor,
        "vocab_size": plan.tensor,
        "num_hidden_layers": plan.pipeline,
    }
    for name, parts in parted.items():
        if config[name] % parts:
            raise InputError(
                f"parallelism: the base model's {name}, {config[name]}, cannot be parted by {parts}"
            )


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def megatron_arguments(arguments: dict[str, Any], settings: TrainingSettings) -> dict[str, Any]:
    """Change the arguments of LLaMA-Factory's training into those that MCoreAdapter understands.

    Args:
        arguments: those of a training without Megatron.
        settings: of the same training.
    """
    plan = settings.parallelism
    # Of these, the first is refused and the others are read and then without effect.
    unused = ("overwrite_output_dir", "optim", "disable_gradient_checkpointing", "data_seed")
    kept = {name: value for name, value in arguments.items() if name not in unused}
    changed = {
        "tensor_model_parallel_size": plan.tensor,
        "pipeline_model_parallel_size": plan.pipeline,
        # Megatron's own layers. The other choice is the package transformer-engine, which has to be
        # compiled for CUDA; without it there is no sequence parallelism.
        "transformer_impl": "local",
        "sequence_parallel": False,
        # Its optimizer states cannot be saved with the local layers, and a killed run could not go
        # on from its checkpoint.
        "use_distributed_optimizer": False,
        # As transformers: a step's loss is the mean over its tokens, not over its micro-batches.
        "calculate_per_token_loss": True,
        # With that, the loss of several steps at once is logged too low (see `averaged`).
        "logging_steps": 1,
        # Its own check of gradients ends a process in the middle of a step, with neither the step
        # nor the rows; `loss_guard` looks at the loss and the gradient of each step instead.
        "check_for_nan_in_loss_and_grad": False,
        # `epoch_rows` are the rows of all epochs.
        "num_train_epochs": 1,
        "lr_scheduler_kwargs": {"min_lr": settings.min_learning_rate},
        "save_hf_model": True,
    }
    if settings.gradient_checkpointing:
        changed |= {
            "recompute_granularity": "full",
            "recompute_method": "uniform",
            "recompute_num_layers": 1,
        }
    return kept | changed


def epoch_rows(rows: Sequence[Row], settings: TrainingSettings) -> list[Row]:
    """Yield the rows of all epochs one after another, each in an order of its own.

    MCoreAdapter reads rows as they lie, in every epoch alike, and takes the first batch of an epoch
    once more at its end, so it is given a single epoch. The orders are those that a Trainer draws
    with the same seed. Rows at the very end that do not fill a step are left out: MCoreAdapter
    would leave them out too, and count them.

    Raises:
        InputError: all epochs together do not fill one step.
    """
    total = round(len(rows) * settings.epochs)
    order: list[int] = []
    for epoch in range(math.ceil(settings.epochs)):
        generator = torch.Generator().manual_seed(settings.seed + epoch)
        order += torch.randperm(len(rows), generator=generator).tolist()
    step = rows_per_step(settings)
    if total < step:
        raise InputError(
            f"{total} rows in all epochs do not fill one step of {step}: lower batch_size or "
            "gradient_accumulation"
        )
    return [rows[index] for index in order[: total // step * step]]


def rows_per_step(settings: TrainingSettings) -> int:
    """Rows that one optimizer step takes in, over all copies of the model."""
    return settings.batch_size * settings.gradient_accumulation * settings.parallelism.copies


def loss_guard(settings: TrainingSettings, work_folder: Path) -> LoggedLossGuard:
    """The guard that names the rows of a step: MCoreAdapter takes them as they lie."""
    size = rows_per_step(settings)

    def rows_of_step(step: int) -> str:
        rows = read_token_rows(work_folder / "data", (step - 1) * size, step * size)
        return row_names(work_folder, [row["input_ids"] for row in rows])

    return LoggedLossGuard(rows_of_step)


def averaged(curve: Curve, interval: int) -> Curve:
    """Mean losses over `interval` steps each, as the Trainer logs them; the last may be of fewer."""
    points = []
    for start in range(0, len(curve), interval):
        group = curve[start : start + interval]
        points.append((group[-1][0], sum(loss for _, loss in group) / len(group)))
    return points


def complete_facts(watch: TrainingWatch, interval: int, base_model: Path) -> None:
    """Pass on to the watch what a process cannot see that has one part of the model and logs each step."""
    watch.trainable_parameters = count_parameters(base_model)
    watch.loss_curve = averaged(watch.loss_curve, interval)
