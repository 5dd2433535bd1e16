"""The settings of one fine-tuning run, checked before anything slow is loaded."""

import math
from typing import Annotated, Literal, Self, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from sqladder.data.settings import Cutoff
from sqladder.settings.base import UNIQUE, FilledText, Seed, Settings, Share, Steps, Tokens, misfit
from sqladder.training.preference_settings import Preference

ALL_LINEAR = "all-linear"
"""Each linear layer of the base model's blocks, by PEFT's name for them."""

Strategy = Literal["single", "ddp", "zero2", "zero3", "megatron"]
Kernels = Literal["plain", "fused"]
# Their models are not the whole network in one module, which the fused kernels need.
PLAIN_ONLY = ("zero3", "megatron")

LOSS_POINTS = 100
# Checkpoints of an epoch that are judged, where the settings do not say.
PER_EPOCH = 4


def _listed(value: object) -> object:
    return [value] if value == ALL_LINEAR else value


TargetModules = Annotated[
    list[FilledText],
    *UNIQUE,
    BeforeValidator(_listed),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": ALL_LINEAR},
                {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
            ]
        }
    ),
]


class LoraSettings(Settings):
    """Low-rank adapters (Hu et al., 2021, arXiv:2106.09685): W + alpha / rank * B A."""

    rank: int = Field(ge=1, description="Rank of the adapters.")
    # PEFT declares an integer and LLaMA-Factory parses one.
    alpha: int = Field(ge=1, description="The adapters' update is scaled by alpha / rank.")
    dropout: Share = Field(
        ge=0, lt=1, description="Share of the adapters' input that a training step leaves out."
    )
    target_modules: TargetModules = Field(
        min_length=1,
        description="The linear layers that get an adapter, by the names that the base model gives them, or "
        "all-linear.",
    )
    rslora: bool = Field(
        default=False,
        description="Scale the update by alpha / sqrt(rank) instead, as high ranks need (rsLoRA; Kalajdzievski, 2023, "
        "arXiv:2312.03732).",
    )
    dora: bool = Field(
        default=False,
        description="Learn the length of each row of W beside its direction (DoRA; Liu et al., 2024, "
        "arXiv:2402.09353).",
    )
    quantize: Literal["none", "nf4"] = Field(
        default="none",
        description="nf4 holds the base in 4 bits while adapters train (QLoRA, arXiv:2305.14314; "
        "needs bitsandbytes); they are merged into the base as it was.",
    )

    @property
    def kinds(self) -> list[str]:
        """What makes these other than plain adapters, by the names of the literature."""
        named = {"rsLoRA": self.rslora, "DoRA": self.dora, "QLoRA": self.quantize != "none"}
        return [name for name, is_used in named.items() if is_used]

    @model_validator(mode="after")
    def _fitting_adapters(self) -> Self:
        if ALL_LINEAR in self.target_modules and len(self.target_modules) > 1:
            raise misfit(
                "target_modules", f"{ALL_LINEAR} is each of them; name it alone, or leave it out"
            )
        if self.dora and self.quantize != "none":
            raise misfit(
                "dora",
                f"LLaMA-Factory trains it beside whole weights only, not with quantize: {self.quantize}; leave out "
                "one of them",
            )
        return self


class Parallelism(Settings):
    """How a job is spread over GPUs."""

    method: Strategy = Field(
        description="single is one GPU; ddp copies the model and averages gradients; zero2 and zero3 are DeepSpeed's, "
        "which part optimizer states and gradients, and the weights as well; megatron is Megatron's tensor and "
        "pipeline parallelism through MCoreAdapter."
    )
    gpus: int = Field(default=1, ge=1, description="GPUs of each node, one process each.")
    nodes: int = Field(default=1, ge=1, description="Nodes of a SLURM cluster.")
    tensor: int = Field(
        default=1, ge=1, description="megatron only: GPUs that share each layer's matrices."
    )
    pipeline: int = Field(
        default=1, ge=1, description="megatron only: groups of layers, each on GPUs of its own."
    )

    @property
    def copies(self) -> int:
        """Copies of the model, each of which takes batches of its own."""
        return self.gpus * self.nodes // (self.tensor * self.pipeline)

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        processes = self.gpus * self.nodes
        if self.method == "single" and processes != 1:
            raise misfit("method", f"single is one process, not {processes}; choose ddp or zero2")
        if self.method != "megatron" and self.tensor * self.pipeline != 1:
            raise misfit(
                "tensor" if self.tensor > 1 else "pipeline",
                f"tensor and pipeline are Megatron's, not for {self.method}; leave them out",
            )
        if processes % (self.tensor * self.pipeline):
            raise misfit(
                "gpus",
                f"{processes} GPUs cannot be parted into groups of tensor {self.tensor} x "
                f"pipeline {self.pipeline}; choose a multiple of {self.tensor * self.pipeline}",
            )
        return self


# Settings of a choice among checkpoints.
KEYS_OF_VALIDATION = ("checkpoints", "stop_early", "keep_checkpoints")


class Checkpoints(Settings):
    """How often a training is looked at."""

    per_epoch: int = Field(ge=1, le=1000, description="Checkpoints of each pass over the rows.")


class EarlyStop(Settings):
    """Ends a training that gets no better."""

    patience: int = Field(
        ge=1,
        description="Checkpoints one after the other that may be no better than the best before the training ends.",
    )


class FineTuning(Cutoff):
    """What a config says of the training of all parameters or of adapters."""

    learning_rate: float = Field(
        gt=0, description="The highest learning rate; it falls as a cosine."
    )
    epochs: float = Field(gt=0, le=10_000, description="Passes over the training data.")
    batch_size: int = Field(
        ge=1,
        description="Rows that each GPU takes in at once, examples or packed rows; a step's gradient is that of "
        "batch_size x gradient_accumulation x copies of the model.",
    )
    gradient_accumulation: int = Field(ge=1, description="Micro-steps per optimizer step.")
    min_learning_rate: float = Field(default=0.0, ge=0, description="Where the learning rate ends.")
    warmup: Share = Field(
        default=0.03,
        ge=0,
        lt=1,
        description="Share of the steps in which the learning rate rises to its highest.",
    )
    weight_decay: float = Field(default=0.01, ge=0, description="Decoupled weight decay.")
    optimizer: Literal["adamw", "adamw_8bit"] = Field(
        default="adamw", description="adamw_8bit keeps its states in 8 bits (bitsandbytes)."
    )
    packing_length: Tokens = Field(
        default=0,
        ge=0,
        multiple_of=8,
        description="Tokens of a packed row, which holds several examples that do not see each other; 0 packs nothing.",
    )
    kernels: Kernels = Field(
        default="plain",
        description="transformers' own computation, or the same one compiled and without logits that have no label.",
    )
    gradient_checkpointing: bool = Field(
        default=False,
        description="Compute activations anew in the backward pass: less memory, a third more time.",
    )
    save_steps: Steps = Field(
        default=50,
        ge=1,
        description="Steps between two checkpoints, from which a killed training goes on; validation has its own.",
    )
    choose: Literal["last", "validation"] = Field(
        default="last",
        description="The checkpoint that is the variant's model: the last, or the one with the most right answers to "
        "the questions of the validation split, the earliest of equal ones.",
    )
    checkpoints: Checkpoints | None = Field(
        default=None,
        description=f"{Checkpoints.__doc__} Of choose: validation; per_epoch: {PER_EPOCH} if absent.",
    )
    stop_early: EarlyStop | None = Field(
        default=None, description=f"{EarlyStop.__doc__} Of choose: validation."
    )
    keep_checkpoints: bool = Field(
        default=False,
        description="Keep the weights of each checkpoint that was judged, in training/checkpoints beside the model.",
    )

    def steps_between_checkpoints(self, steps: int) -> int:
        """Steps between two checkpoints of a training of so many steps.

        Args:
            steps: of the whole training.
        """
        if self.choose == "last":
            return self.save_steps
        per_epoch = self.checkpoints.per_epoch if self.checkpoints else PER_EPOCH
        return max(1, math.ceil(steps / (self.epochs * per_epoch) - 1e-9))


class TrainingSettings(FineTuning):
    """How a model is fine-tuned; without `lora`, all its parameters are trained."""

    seed: Seed = Field(
        description="Seed of the order of the rows and of the adapters' first weights."
    )
    parallelism: Parallelism = Field(
        default=Parallelism(method="single"), description="How a training is spread over GPUs."
    )
    preference: Preference | None = Field(default=None, description=Preference.__doc__)
    share_of_rows: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Share of the rows that is trained on, drawn by the seed; a larger share holds a smaller one.",
    )

    weights: list[Annotated[str, Field(pattern=r"^[\w-]+=[0-9.e+-]+$")]] = Field(
        default=[],
        description="How often the rows of each training set are seen in one pass, such as shop=4.0, where several "
        "are mixed.",
    )

    @property
    def gpus_beside(self) -> int:
        """GPUs of programs beside the training, which it does not use itself."""
        return 0

    @property
    def trained_by(self) -> str:
        """The method as the config and LLaMA-Factory name it."""
        return str(self.model_dump(include={"method"})["method"])

    @property
    def lora(self) -> LoraSettings | None:
        """The adapters, None where all parameters are trained."""
        return None

    @property
    def described(self) -> str:
        """The method as a report names it: "lora", "lora (rsLoRA, QLoRA)"."""
        kinds = self.lora.kinds if self.lora else []
        by = f"dpo ({self.preference.loss}), " if self.preference else ""
        return by + self.trained_by + (f" ({', '.join(kinds)})" if kinds else "")

    @property
    def least_rows(self) -> int:
        """Rows that a process has to take at a time: kto estimates the KL divergence by those of all processes."""
        is_kto = self.preference is not None and not self.preference.of_pairs
        return 2 if is_kto and self.parallelism.copies == 1 else 1

    @property
    def by_bitsandbytes(self) -> str | None:
        """The setting that bitsandbytes computes, None where nothing needs it."""
        if self.lora and self.lora.quantize != "none":
            return f"quantize: {self.lora.quantize}"
        return f"optimizer: {self.optimizer}" if self.optimizer != "adamw" else None

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        plan = self.parallelism
        if self.min_learning_rate > self.learning_rate:
            raise misfit(
                "min_learning_rate",
                f"{self.min_learning_rate} is above the highest learning rate, {self.learning_rate}; "
                "the decay ends at it, make it smaller",
            )
        if plan.method == "megatron" and self.lora:
            raise misfit(
                "parallelism",
                "megatron trains all parameters, MCoreAdapter leaves adapters out unseen; choose method: full, or "
                "ddp, zero2 or zero3",
            )
        if plan.method == "megatron" and self.optimizer != "adamw":
            raise misfit(
                "optimizer",
                f"megatron brings its own Adam, {self.optimizer} would be without effect; choose adamw",
            )
        self._check_choice()
        self._check_preference()
        if self.kernels == "fused" and plan.method in PLAIN_ONLY:
            raise misfit(
                "kernels",
                f"fused needs the whole model in each process, which {plan.method} parts; choose plain kernels, or "
                "ddp or zero2",
            )
        if self.packing_length and self.kernels != "fused":
            raise misfit(
                "packing_length",
                "packed rows need kernels: fused, whose attention keeps them apart",
            )
        if 0 < self.packing_length < self.cutoff_length:
            raise misfit(
                "packing_length",
                f"{self.packing_length} is less than the cutoff length, {self.cutoff_length}; a row has to fit",
            )
        return self

    def _check_preference(self) -> None:
        if self.preference is None:
            return
        if self.parallelism.method == "megatron":
            raise misfit("parallelism", "Megatron learns from no pairs; choose ddp, zero2 or zero3")
        if self.packing_length:
            raise misfit(
                "packing_length",
                f"{self.packing_length} packs rows, not pairs; give packing_length: 0 and kernels: plain",
            )
        if self.kernels == "fused":
            raise misfit(
                "kernels", "fused computes one loss of each row, not of pairs; give kernels: plain"
            )
        if self.batch_size < self.least_rows:
            raise misfit(
                "batch_size",
                "1 row at a time is too few for kto, whose estimate of the KL divergence is a mean over them; give "
                "batch_size: 2 or more, and half the gradient_accumulation for the same rows a step",
            )

    def _check_choice(self) -> None:
        if self.choose == "validation":
            if self.parallelism.method == "megatron":
                raise misfit(
                    "choose",
                    "Megatron's checkpoints are no models that could be asked; choose last, or ddp, zero2 or zero3",
                )
            return
        for key in KEYS_OF_VALIDATION:
            if getattr(self, key):
                raise misfit(
                    key, "has no use where the last checkpoint is taken; give choose: validation"
                )


class Untrained(Settings):
    """The variant that is the base itself."""

    method: Literal["none"] = Field(description="What is trained.")


class FullTraining(TrainingSettings):
    """Training of all parameters."""

    method: Literal["full"] = Field(description="What is trained: all parameters.")


class LoraTraining(TrainingSettings, LoraSettings):
    """Training of adapters, which are merged into the model in the end."""

    method: Literal["lora"] = Field(description="What is trained: adapters.")

    @property
    def lora(self) -> LoraSettings:
        """The adapters."""
        return self


AnyTraining = Annotated[FullTraining | LoraTraining, Field(discriminator="method")]
TRAINED: frozenset[str] = frozenset(
    method
    for training in get_args(get_args(AnyTraining)[0])
    for method in get_args(training.model_fields["method"].annotation)
)
"""The methods that train a model."""

# What `train.py` does; none is the base model itself.
Method = Annotated[Untrained | FullTraining | LoraTraining, Field(discriminator="method")]


def log_interval(steps: int, save_steps: int) -> int:
    """Steps between two points of the loss curve: about a hundred points, and a checkpoint at one.

    A point is the mean loss since the last one. Were a checkpoint between two, a run resumed from
    it would not know the losses before it and give another curve than an undisturbed run.
    """
    return max(n for n in range(1, max(1, steps // LOSS_POINTS) + 1) if save_steps % n == 0)
