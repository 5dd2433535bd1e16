"""The settings of one fine-tuning run, checked before anything slow is loaded."""

from dataclasses import dataclass
from typing import Literal, get_args

from sqladder.errors import InputError

Method = Literal["none", "lora", "full"]
METHODS: tuple[str, ...] = get_args(Method)

# The linear layers of a Qwen3 block (transformers: Qwen3Attention and Qwen3MLP).
TARGET_MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
ALL_MODULES = "all"

LOSS_POINTS = 100


def check_target_modules(names: list[str]) -> list[str]:
    """Return the names if each is a linear layer of Qwen3, or the list is ["all"].

    Raises:
        InputError: names the unknown module and those that exist.
    """
    if names == [ALL_MODULES]:
        return names
    unknown = [name for name in names if name not in TARGET_MODULES]
    if unknown or not names:
        what = f"no module named {unknown[0]!r}" if unknown else "no target modules given"
        raise InputError(
            f"{what}: Qwen3's linear layers are {', '.join(TARGET_MODULES)}; '{ALL_MODULES}' alone "
            "means each of them"
        )
    return names


@dataclass(frozen=True)
class LoraSettings:
    """Low-rank adapters (Hu et al., 2021, arXiv:2106.09685): W + alpha / rank * B A."""

    rank: int
    alpha: int
    dropout: float
    target_modules: list[str]


@dataclass(frozen=True)
class TrainingSettings:
    """How a model is fine-tuned; without `lora`, all its parameters are trained.

    Attributes:
        batch_size: rows that one step takes in at once; a step's gradient is that of
            batch_size x gradient_accumulation rows.
        cutoff_length: longer rows, prompt and answer together, are left out; in tokens.
        save_steps: steps between two checkpoints.
    """

    learning_rate: float
    epochs: float
    batch_size: int
    gradient_accumulation: int
    cutoff_length: int
    seed: int
    save_steps: int
    lora: LoraSettings | None = None


def log_interval(steps: int, save_steps: int) -> int:
    """Steps between two points of the loss curve: about a hundred points, and a checkpoint at one.

    A point is the mean loss since the last one. Were a checkpoint between two, a run resumed from
    it would not know the losses before it and give another curve than an undisturbed run.
    """
    return max(n for n in range(1, max(1, steps // LOSS_POINTS) + 1) if save_steps % n == 0)
