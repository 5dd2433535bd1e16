"""The settings of a training by reward (GRPO), checked before anything slow is loaded.

Where a default is published, its source stands with it: DeepSeekMath is Shao et al., 2024, arXiv:2402.03300; DAPO is Yu
et al., 2025, arXiv:2503.14476; Dr. GRPO is Liu et al., 2025, arXiv:2503.20783; Arctic-Text2SQL-R1 is Yao et al., 2025,
arXiv:2505.20315.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sqladder.generation.settings import Engine
from sqladder.settings.base import Settings, Steps, Tokens, misfit
from sqladder.training.settings import FullTraining, LoraTraining, TrainingSettings

RIGHT = 1.0
"""Reward of an answer whose results are gold's on every file."""


class PartialRewards(Settings):
    """What an answer that is not right gets."""

    runs: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="For running, with other rows than gold's; 0.1 as in Arctic-Text2SQL-R1.",
    )
    select: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="For being one SELECT and nothing else, whether it runs or not.",
    )

    @model_validator(mode="after")
    def _less_than_right(self) -> Self:
        if self.runs + self.select >= RIGHT:
            raise misfit(
                "runs",
                f"{self.runs} for running and {self.select} for a SELECT are as much as a right answer gets, "
                f"{RIGHT:g}; give less",
            )
        return self


class Reinforcement(Settings):
    """What is learned from the rewards of answers to one question, compared with each other."""

    samples: int = Field(
        default=16,
        ge=2,
        le=1000,
        description="Answers to a question that are compared, the group; 16 as in DAPO, 64 in DeepSeekMath.",
    )
    temperature: float = Field(
        default=1.0,
        ge=0.01,
        le=2,
        description="At which they are drawn; 1 as in DAPO and Dr. GRPO.",
    )
    loss: Literal["grpo", "dr_grpo", "dapo"] = Field(
        default="dapo",
        description="How tokens are weighed: each answer alike (grpo, DeepSeekMath), each token of a step alike "
        "(dapo), or that and rewards not divided by their deviation in the group (dr_grpo).",
    )
    beta: float = Field(
        default=0.04,
        ge=0,
        description="Weight of the KL divergence from the start; 0.04 as in DeepSeekMath. DAPO and Dr. GRPO have 0, "
        "which needs no copy of the start and tells no KL.",
    )
    updates: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Steps of the optimizer on the same answers; 1 as in DeepSeekMath.",
    )
    epsilon: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        description="How far the probability of a token may fall in further updates; 0.2 as in DAPO.",
    )
    epsilon_high: float = Field(
        default=0.28, gt=0, description="How far it may rise; 0.28 as in DAPO."
    )
    steps: Steps | None = Field(
        default=None,
        ge=1,
        description="Steps of the optimizer, at most; as many as training.epochs asks for if absent.",
    )
    drawing_gpus: int = Field(
        default=0,
        ge=0,
        le=64,
        description="GPUs on which engines draw, each on one of its own; 0: on the GPU that trains.",
    )
    rewards: PartialRewards = Field(default=PartialRewards(), description=PartialRewards.__doc__)

    @model_validator(mode="after")
    def _fitting_steps(self) -> Self:
        if self.steps and self.steps % self.updates:
            raise misfit(
                "steps",
                f"{self.steps} are no multiple of updates: {self.updates}, the steps on the same answers; choose one",
            )
        fields = type(self).model_fields
        changed = [
            key for key in ("epsilon", "epsilon_high") if getattr(self, key) != fields[key].default
        ]
        if self.updates == 1 and changed:
            raise misfit(
                changed[0],
                "has no effect with updates: 1, where the model that drew the answers is the one that is trained; "
                "give more updates, or leave it out",
            )
        return self


class Drawn(Settings):
    """What of a variant's decoding holds for the answers of a training."""

    engine: Engine = Field(description="What generates.")
    max_new_tokens: Tokens = Field(ge=1, description="Tokens after which an answer is cut.")
    batch_size: int = Field(
        ge=1, description="Prompts a batch; with vllm the most answers in work at a time."
    )


class _Reinforced(TrainingSettings):
    reinforcement: Reinforcement = Field(description=Reinforcement.__doc__)
    drawn: Drawn = Field(description=Drawn.__doc__)

    @property
    def described(self) -> str:
        """The method as a report names it: "grpo (dapo), lora"."""
        return f"grpo ({self.reinforcement.loss}), {super().described}"

    @property
    def gpus_beside(self) -> int:
        """GPUs on which engines draw, each on one of its own."""
        return self.reinforcement.drawing_gpus

    @property
    def answers_a_step(self) -> int:
        """Answers of which a step of the optimizer computes the gradient."""
        return self.batch_size * self.gradient_accumulation

    @property
    def questions_a_step(self) -> int:
        """Questions whose answers those are."""
        return self.answers_a_step // self.reinforcement.samples

    def steps_between_checkpoints(self, steps: int) -> int:
        """Steps between two checkpoints: all updates on the same answers lie between the same two."""
        updates = self.reinforcement.updates
        return -(-super().steps_between_checkpoints(steps) // updates) * updates

    @model_validator(mode="after")
    def _fit_for_rewards(self) -> Self:
        samples = self.reinforcement.samples
        if self.parallelism.method != "single":
            raise misfit(
                "parallelism",
                f"{self.parallelism.method} spreads a training, and one by reward draws its answers in one process; "
                "give method: single",
            )
        if self.preference:
            raise misfit("preference", "is learned from pairs, not by reward; leave it out")
        if self.kernels == "fused":
            raise misfit(
                "kernels",
                "fused computes the loss of given answers, not rewards; give kernels: plain",
            )
        if self.lora and self.lora.quantize != "none":
            raise misfit(
                "quantize",
                f"{self.lora.quantize} holds the base in 4 bits, in which drawing answers is slow and other than what "
                "is trained; leave it out",
            )
        if self.gpus_beside and self.drawn.engine == "transformers":
            raise misfit(
                "drawing_gpus",
                f"{self.gpus_beside} have no use for transformers, which draws in the process that trains; give "
                "decoding: {engine: vllm}, or leave it out",
            )
        if self.gpus_beside > self.questions_a_step > 0:
            raise misfit(
                "drawing_gpus",
                f"{self.gpus_beside} are more than the {self.questions_a_step} questions that a step asks; give as "
                "many at most",
            )
        if self.answers_a_step % samples:
            raise misfit(
                "batch_size",
                f"{self.batch_size} x gradient_accumulation {self.gradient_accumulation} are {self.answers_a_step} "
                f"answers a step, which are no whole groups of samples: {samples}; choose a multiple of it",
            )
        return self


class ReinforcedFull(_Reinforced, FullTraining):
    """Training of all parameters by reward."""


class ReinforcedLora(_Reinforced, LoraTraining):
    """Training of adapters by reward."""


AnyReinforced = Annotated[ReinforcedFull | ReinforcedLora, Field(discriminator="method")]
