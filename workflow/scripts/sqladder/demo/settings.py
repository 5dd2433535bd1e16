"""Settings of the demonstration: its databases, and the size and training of its base model."""

from typing import Self

from pydantic import Field, model_validator

from sqladder.settings.base import Seed, Settings, Steps, misfit

LINEAR_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""Of its Qwen3 network (transformers: Qwen3Attention and Qwen3MLP)."""


class NetworkSize(Settings):
    """Size of the network; 128 wide with 4 layers makes about a million parameters."""

    vocab_size: int = Field(ge=300, le=100_000, description="Entries of its byte-level BPE.")
    hidden_size: int = Field(ge=16, description="Width of the network.")
    layers: int = Field(ge=1, description="Blocks of the network.")
    heads: int = Field(ge=2, multiple_of=2, description="Attention heads; two share a key.")

    @model_validator(mode="after")
    def _divided(self) -> Self:
        # Rotary positions turn pairs of a head's numbers.
        if self.hidden_size % (2 * self.heads):
            whole = 2 * self.heads
            nearest = max(1, round(self.hidden_size / whole)) * whole
            raise misfit(
                "hidden_size",
                f"{self.hidden_size} cannot be divided among {self.heads} heads of an even width; write {nearest}",
            )
        return self


class Pretraining(Settings):
    """What a config says of the training of the base model."""

    epochs: float = Field(gt=0, le=10_000, description="Passes over its training data.")
    batch_size: int = Field(ge=1, description="Examples a step.")
    learning_rate: float = Field(gt=0, description="The highest learning rate.")
    save_steps: Steps = Field(default=50, ge=1, description="Steps between two checkpoints.")


class ToyModel(NetworkSize, Pretraining):
    """What a config says of the base model."""


class Recipe(ToyModel):
    """How the base model is made."""

    seed: Seed = Field(description="Seed of its weights and of the order of its examples.")


class DemoDatabases(Settings):
    """The databases of the demonstration."""

    variations: int = Field(
        ge=0, le=1000, description="Other contents of each database, for the test suite."
    )
