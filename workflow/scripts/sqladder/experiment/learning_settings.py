"""The settings of variants that learn from what their own answers give when they are executed."""

from typing import Annotated, Literal

from pydantic import Field

from sqladder.reinforcement.settings import Reinforcement
from sqladder.settings.base import UNIQUE, Settings, Text
from sqladder.training.preference_settings import Preference
from sqladder.training.settings import LoraSettings

# Answers of a question, where the settings do not say.
KEPT = 4


class LoraTuning(LoraSettings):
    """Adapters, merged into the model."""

    method: Literal["lora"] = Field(description="Adapters, merged into the model.")


class FullTuning(Settings):
    """All parameters trained."""

    method: Literal["full"] = Field(description="All parameters trained.")


Tuning = Annotated[LoraTuning | FullTuning, Field(discriminator="method")]


class Drawing(Settings):
    """How a model's answers to the training questions are drawn; the rest is the variant's decoding."""

    start_from: Text = Field(
        description="The trained variant whose model draws the answers, each seed its own."
    )
    samples: int = Field(
        ge=2, le=1000, description="Answers that are drawn to each training question, a round."
    )
    temperature: float = Field(
        ge=0.01, le=2, description="At which they are drawn; low ones are all the same."
    )
    top_p: float = Field(
        default=1.0, gt=0, le=1, description="Nucleus of each token that is drawn."
    )
    tune: Tuning = Field(description="What is trained: lora with its settings, or full.")


class Reward(Reinforcement):
    """Answers that are drawn, executed and learned from at each step."""

    start_from: Text = Field(
        description="The trained variant whose model is trained further, each seed its own."
    )
    tune: Tuning = Field(description="What is trained: lora with its settings, or full.")


class Rejection(Drawing):
    """Drawn answers that are right when executed, beside gold."""

    keep: int = Field(
        default=KEPT,
        ge=1,
        le=1000,
        description="Different right answers of a question that are trained on beside gold, at most.",
    )
    rounds: int = Field(
        default=1,
        ge=1,
        le=3,
        description="How often is drawn and trained; a further round draws from the model of the one before.",
    )


class PreferencePairs(Drawing, Preference):
    """Drawn answers to one question, a right and a wrong one."""

    pairs: int = Field(default=KEPT, ge=1, le=1000, description="Pairs of a question, at most.")
    wrong: Annotated[list[Literal["rows", "error", "time"]], *UNIQUE] = Field(
        default=["rows", "error", "time"],
        min_length=1,
        description="Which wrong answers are taken: those with other rows than gold, with an error or no query, or "
        "over the time.",
    )
