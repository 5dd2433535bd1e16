"""The settings of a training that learns from pairs of a right and a wrong answer."""

from typing import Literal, Self

from pydantic import Field, model_validator

from sqladder.settings.base import Settings, misfit


class Preference(Settings):
    """What is learned from pairs of a right and a wrong answer."""

    loss: Literal["sigmoid", "hinge", "ipo", "orpo", "simpo", "kto"] = Field(
        default="sigmoid",
        description="sigmoid is DPO's own (Rafailov et al., 2023, arXiv:2305.18290); hinge and ipo compare with the "
        "start too, orpo and simpo do without it; kto takes the answers of the pairs each by itself (Ethayarajh et "
        "al., 2024, arXiv:2402.01306).",
    )
    beta: float = Field(
        default=0.1, gt=0, description="How strongly the pairs weigh, by the loss's own beta."
    )
    chosen_weight: float | None = Field(
        default=None, gt=0, description="With kto: weight of right answers; 1 if absent."
    )
    rejected_weight: float | None = Field(
        default=None, gt=0, description="With kto: weight of wrong answers; 1 if absent."
    )

    @property
    def of_pairs(self) -> bool:
        """Whether the loss is one of pairs, not of answers each by itself."""
        return self.loss != "kto"

    @model_validator(mode="after")
    def _weights_of_kto(self) -> Self:
        for key in ("chosen_weight", "rejected_weight"):
            if self.of_pairs and getattr(self, key) is not None:
                raise misfit(
                    key,
                    f"weighs answers each by itself, and {self.loss} takes pairs, where it has no effect; give loss: "
                    "kto, or leave it out",
                )
        return self
