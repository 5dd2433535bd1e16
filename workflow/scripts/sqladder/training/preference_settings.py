"""The settings of a training that learns from pairs of a right and a wrong answer."""

from typing import Literal

from pydantic import Field

from sqladder.settings.base import Settings


class Preference(Settings):
    """What is learned from pairs of a right and a wrong answer."""

    loss: Literal["sigmoid", "hinge", "ipo", "orpo", "simpo"] = Field(
        default="sigmoid",
        description="sigmoid is DPO's own (Rafailov et al., 2023, arXiv:2305.18290); hinge and ipo compare with the "
        "start too, orpo and simpo do without it.",
    )
    beta: float = Field(
        default=0.1, gt=0, description="How strongly the pairs weigh, by the loss's own beta."
    )
