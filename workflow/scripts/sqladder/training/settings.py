"""The settings of one fine-tuning run, checked before anything slow is loaded."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqladder.errors import InputError

Method = Literal["none", "lora", "full"]
METHODS: tuple[str, ...] = get_args(Method)

# How a training job is spread over GPUs: one process; copies of the model that average their
# gradients; DeepSpeed's ZeRO, which also parts optimizer states and gradients (2) or the weights as
# well (3); Megatron's tensor and pipeline parallelism through MCoreAdapter.
Strategy = Literal["single", "ddp", "zero2", "zero3", "megatron"]
STRATEGIES: tuple[str, ...] = get_args(Strategy)

Kernels = Literal["plain", "fused"]
KERNELS: tuple[str, ...] = get_args(Kernels)
# Their models are not the whole network in one module, which the fused kernels need.
PLAIN_ONLY = ("zero3", "megatron")

Optimizer = Literal["adamw", "adamw_8bit"]
OPTIMIZERS: tuple[str, ...] = get_args(Optimizer)

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
class Parallelism:
    """How a job is spread over GPUs.

    Attributes:
        gpus: processes on each node, one a GPU.
        tensor: GPUs that share each layer's matrices, Megatron only.
        pipeline: groups of layers, each on GPUs of its own, Megatron only.
    """

    method: Strategy = "single"
    gpus: int = 1
    nodes: int = 1
    tensor: int = 1
    pipeline: int = 1

    @property
    def copies(self) -> int:
        """Copies of the model, each of which takes batches of its own."""
        return self.gpus * self.nodes // (self.tensor * self.pipeline)


@dataclass(frozen=True)
class TrainingSettings:
    """How a model is fine-tuned; without `lora`, all its parameters are trained.

    Attributes:
        batch_size: rows that one micro-step takes in at once on each GPU, of packed rows if packing
            is on; a step's gradient is that of batch_size x gradient_accumulation x copies rows.
        cutoff_length: longer rows, prompt and answer together, are left out; in tokens.
        packing_length: tokens of a packed row, which holds several rows; 0 packs nothing.
        min_learning_rate: where the cosine decay of the learning rate ends.
        warmup: share of all steps in which the learning rate rises to its highest.
        gradient_checkpointing: compute activations anew in the backward pass to save memory.
        save_steps: steps between two checkpoints.
    """

    learning_rate: float
    epochs: float
    batch_size: int
    gradient_accumulation: int
    cutoff_length: int
    seed: int
    save_steps: int = 50
    packing_length: int = 0
    min_learning_rate: float = 0.0
    warmup: float = 0.03
    weight_decay: float = 0.01
    optimizer: Optimizer = "adamw"
    kernels: Kernels = "plain"
    gradient_checkpointing: bool = False
    parallelism: Parallelism = Parallelism()
    lora: LoraSettings | None = None


def settings_from(values: dict[str, Any]) -> TrainingSettings:
    """Make the settings from what `dataclasses.asdict` and JSON left of them."""
    lora = LoraSettings(**values["lora"]) if values["lora"] else None
    parallelism = Parallelism(**values["parallelism"])
    return TrainingSettings(**{**values, "lora": lora, "parallelism": parallelism})


def check_settings(settings: TrainingSettings) -> TrainingSettings:
    """Return the settings if they fit together.

    Raises:
        InputError: names the two that do not, and the way out.
    """
    plan = settings.parallelism
    processes = plan.gpus * plan.nodes
    if plan.method == "single" and processes != 1:
        raise InputError(
            f"parallelism: single is one process, not {processes}; choose ddp or zero2"
        )
    if plan.method != "megatron" and plan.tensor * plan.pipeline != 1:
        raise InputError(f"parallelism: tensor and pipeline are Megatron's, not for {plan.method}")
    if processes % (plan.tensor * plan.pipeline):
        raise InputError(
            f"parallelism: {processes} GPUs cannot be parted into groups of tensor {plan.tensor} x "
            f"pipeline {plan.pipeline}; choose a divisor"
        )
    if plan.method == "megatron" and settings.lora:
        raise InputError(
            "parallelism: megatron trains all parameters, MCoreAdapter leaves adapters out unseen; "
            "choose method: full, or ddp, zero2 or zero3"
        )
    if plan.method == "megatron" and settings.optimizer != "adamw":
        raise InputError(
            f"optimizer: megatron brings its own Adam, {settings.optimizer} would be without effect; "
            "choose adamw"
        )
    if settings.kernels == "fused" and plan.method in PLAIN_ONLY:
        raise InputError(
            f"kernels: fused needs the whole model in each process, which {plan.method} parts; "
            "choose plain kernels, or ddp or zero2"
        )
    if settings.packing_length and settings.kernels != "fused":
        raise InputError(
            "packing_length: packed rows need kernels: fused, whose attention keeps them apart"
        )
    if settings.packing_length % 8 or 0 < settings.packing_length < settings.cutoff_length:
        raise InputError(
            f"packing_length: {settings.packing_length} has to be a multiple of 8 and no less than "
            f"the cutoff length, {settings.cutoff_length}"
        )
    return settings


def log_interval(steps: int, save_steps: int) -> int:
    """Steps between two points of the loss curve: about a hundred points, and a checkpoint at one.

    A point is the mean loss since the last one. Were a checkpoint between two, a run resumed from
    it would not know the losses before it and give another curve than an undisturbed run.
    """
    return max(n for n in range(1, max(1, steps // LOSS_POINTS) + 1) if save_steps % n == 0)
