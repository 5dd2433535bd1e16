"""The facts of a training run that the report shows, and the token counts behind them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqladder import prompts
from sqladder.device import device_name, peak_memory_mb
from sqladder.errors import InputError
from sqladder.files import Row
from sqladder.folders import count_parameters
from sqladder.training.watch import TokenPair, TrainingWatch

Facts = dict[str, Any]


def token_pairs(tokenizer: Any, rows: Sequence[Row], source: Path) -> list[TokenPair]:
    """Token ids of prompt and answer of each row, as inference renders the prompt."""
    if not rows:
        raise InputError(f"{source} is empty: there is nothing to train on")
    return [
        (prompts.prompt_ids(tokenizer, r["messages"]), prompts.answer_ids(tokenizer, r["messages"]))
        for r in rows
    ]


def run_facts(watch: TrainingWatch, epochs: float, tokens: int, base_model: Path) -> Facts:
    """What a training run cost: the facts that the report shows."""
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
        "peak_memory_mb": peak_memory_mb(),
        "device": device_name(),
        "resumed": bool(watch.resumed_from),
    }
