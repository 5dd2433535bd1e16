"""The untrained variant: its model is the base model itself."""

from pathlib import Path
from typing import Any

from sqladder.models.folders import count_parameters, link_files, replacing_folder


def keep_base_model(base_model: Path, output: Path) -> dict[str, Any]:
    """Link the base model as the variant's model; return the facts of a training that cost nothing."""
    with replacing_folder(output) as folder:
        link_files(base_model, folder)
    return {
        "method": "none",
        "steps": 0,
        "epochs": 0,
        "seconds": 0,
        "tokens": 0,
        "tokens_per_second": None,
        "trainable_parameters": 0,
        "total_parameters": count_parameters(base_model),
        "final_loss": None,
        "loss_curve": [],
        "peak_memory_mb": None,
        "device": None,
        "resumed": False,
        "versions": {},
    }
