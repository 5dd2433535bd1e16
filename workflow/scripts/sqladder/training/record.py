"""The facts of a training run that the report shows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from sqladder.models.device import device_name
from sqladder.models.folders import count_parameters
from sqladder.models.shapes import network_weights
from sqladder.training.flops import matrix_rate, training_flops
from sqladder.training.pairs import TokenPair, lengths
from sqladder.training.settings import TrainingSettings
from sqladder.training.watch import TrainingWatch

Facts = dict[str, Any]


def run_facts(
    settings: TrainingSettings,
    watch: TrainingWatch,
    pairs: Sequence[TokenPair],
    base_model: Path,
    epochs: float,
) -> Facts:
    """What a training run cost: the facts that the report shows.

    Args:
        settings: of the run.
        watch: what was seen of it.
        pairs: its rows.
        base_model: Hugging Face folder.
        epochs: passes over the rows that were made.
    """
    tokens = epochs * sum(lengths(pairs))
    gpus = settings.parallelism.gpus * settings.parallelism.nodes
    return {
        # As it ran: rows at a time are halved, and steps of accumulation doubled, where memory runs out.
        "settings": settings.model_dump(exclude_none=True),
        "method": settings.described,
        # Of a pair of a right and a wrong answer both are among them.
        "rows": len(pairs) // (2 if settings.preference and settings.preference.of_pairs else 1),
        "gpus": settings.parallelism.gpus,
        "nodes": settings.parallelism.nodes,
        **training_facts(watch, epochs, round(tokens), base_model),
        "gpu_hours": round(gpus * watch.seconds / 3600, 6) if torch.cuda.is_available() else 0.0,
        **speed_facts(settings, watch, pairs, base_model, gpus, epochs),
    }


def speed_facts(
    settings: TrainingSettings,
    watch: TrainingWatch,
    pairs: Sequence[TokenPair],
    base_model: Path,
    gpus: int,
    epochs: float,
) -> Facts:
    """How fast the run was once it was warm, and which share of the GPUs' matrix rate it used."""
    if watch.steady_seconds is None:
        return {"steady_rows_per_second": None, "steady_tokens_per_second": None}
    sizes = lengths(pairs)
    labels = sum(len(answer) for _, answer in pairs)
    passes_per_second = epochs / (watch.steps * watch.steady_seconds)
    facts: Facts = {
        "steady_rows_per_second": round(len(pairs) * passes_per_second, 1),
        "steady_tokens_per_second": round(sum(sizes) * passes_per_second, 1),
    }
    if torch.cuda.is_available():
        adapters = watch.trainable_parameters if settings.lora else None
        network = network_weights(base_model)
        flops = training_flops(network, sizes, labels, adapters) * passes_per_second / gpus
        rate = matrix_rate()
        facts |= {
            "tflops_per_gpu": round(flops / 1e12, 1),
            "matrix_tflops": round(rate / 1e12, 1),
            "utilisation": round(flops / rate, 3),
        }
    return facts


def training_facts(watch: TrainingWatch, epochs: float, tokens: int, base_model: Path) -> Facts:
    """The facts that every training has, that of the toy base model too."""
    return {
        "steps": watch.steps,
        "epochs": epochs,
        "seconds": round(watch.seconds, 2),
        "tokens": tokens,
        "tokens_per_second": round(tokens / watch.seconds, 1),
        "trainable_parameters": watch.trainable_parameters,
        "total_parameters": count_parameters(base_model),
        "final_loss": watch.loss_curve[-1][1],
        "loss_curve": watch.loss_curve,
        "peak_memory_mb": watch.peak_memory_mb,
        "device": device_name(),
        "resumed": bool(watch.resumed_from),
    }
