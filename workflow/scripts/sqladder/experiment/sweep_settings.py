"""What a variant's `sweep:` may try: lists of values of settings that are declared where they are used."""

from typing import Annotated, Any, Self

from pydantic import Field, create_model, model_validator

from sqladder.settings.base import UNIQUE, FilledText, Settings, misfit
from sqladder.training.settings import FineTuning, LoraSettings

# Of a training, what a choice on validation questions may fall on. How rows are made (cutoff_length, packing_length)
# and how checkpoints are chosen is the same for all candidates.
TRAINING_KEYS = (
    "learning_rate",
    "min_learning_rate",
    "epochs",
    "batch_size",
    "gradient_accumulation",
    "warmup",
    "weight_decay",
    "optimizer",
)
LORA_KEYS = tuple(LoraSettings.model_fields)
# Of the variant, beside its training.
CONTEXT = "context"
SWEPT_KEYS = frozenset({*TRAINING_KEYS, *LORA_KEYS, CONTEXT})


class Halving(Settings):
    """Successive halving: all candidates start, and the better part goes on from its checkpoint, rung by rung."""

    factor: int = Field(
        ge=2,
        description="One of so many goes on from each rung, which is so many times as long as the one before; the last "
        "is the whole training.",
    )


class _SweepOptions(Settings):
    context: Annotated[list[FilledText], *UNIQUE, Field(min_length=1)] | None = Field(
        default=None,
        description="Names of contexts to try: each candidate is trained and judged with the prompts of its own, and "
        "the test is asked in that of the one that is chosen.",
    )
    random: int | None = Field(
        default=None,
        ge=1,
        description="Try so many combinations, drawn by the variant's first seed; without it all of them.",
    )
    gpu_hours: float | None = Field(
        default=None,
        gt=0,
        description="What all candidates may take together; one that would exceed it is not started. Without a GPU the "
        "processor's hours count.",
    )

    halving: Halving | None = Field(default=None, description=Halving.__doc__)

    @model_validator(mode="after")
    def _something_to_choose(self) -> Self:
        lists = [own for name in swept_keys(type(self)) if (own := getattr(self, name))]
        if not any(len(values) > 1 for values in lists):
            raise misfit(
                "random" if self.random else "learning_rate",
                "a sweep compares several values; name a setting with at least two of them, such as learning_rate: "
                "[1.0e-4, 3.0e-4]",
            )
        return self


def swept_keys(search: type[Settings]) -> list[str]:
    """The keys of a sweep that are settings with lists of values."""
    return [name for name in search.model_fields if name in SWEPT_KEYS]


def _lists(model: type[Settings], keys: tuple[str, ...]) -> dict[str, Any]:
    """A list of values for each of these keys of a model, every value held to the key's declaration."""
    fields = {}
    for key in keys:
        info = model.model_fields[key]
        value: Any = info.annotation
        if info.metadata:
            value = Annotated[(value, *info.metadata)]
        values: Any = Annotated[list[value], *UNIQUE, Field(min_length=1)]
        text = f"Values to try. {info.description}"
        fields[key] = (values | None, Field(default=None, description=text))
    return fields


FullSweep: type[_SweepOptions] = create_model(
    "FullSweep",
    __base__=_SweepOptions,
    __doc__="Settings of the training of all parameters that are tried, and how many of their combinations.",
    **_lists(FineTuning, TRAINING_KEYS),
)
LoraSweep: type[_SweepOptions] = create_model(
    "LoraSweep",
    __base__=_SweepOptions,
    __doc__="Settings of adapters and of their training that are tried, and how many of their combinations.",
    **_lists(FineTuning, TRAINING_KEYS),
    **_lists(LoraSettings, LORA_KEYS),
)
