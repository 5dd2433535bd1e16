"""Accuracies of several models on the validation questions as marks with intervals, each with a title of its own."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes

from sqladder.report.charts.drawing import mark_title
from sqladder.report.charts.styles import Style
from sqladder.statistics.intervals import Interval
from sqladder.texts.numbers import rate

RING: dict[str, Any] = {"marker": "o", "markersize": 12, "markerfacecolor": "none", "linestyle": ""}
"""The look of what goes round a mark."""


class Measured(Protocol):
    """Models that answered the validation questions."""

    @property
    def rates(self) -> list[float]:
        """Accuracy of each."""
        ...

    def interval(self, place: int) -> Interval:
        """The 95 % interval of one of them."""
        ...


def draw_marks(
    axes: Axes,
    models: Measured,
    places: Sequence[float],
    name: str,
    titles: Sequence[str],
    look: Style,
    chosen: int | None = None,
) -> None:
    """Draw the models of a variant.

    Args:
        axes: of the chart, accuracy upwards.
        models: one or more.
        places: of each on the horizontal axis.
        name: of the variant, for the legend and before each title.
        titles: of each.
        look: of the variant.
        chosen: place of the model that a ring is drawn round.
    """
    shares = np.array(models.rates)
    ends = np.array([models.interval(place) for place in range(len(shares))])
    axes.errorbar(
        places,
        shares,
        yerr=np.maximum(0, [shares - ends[:, 0], ends[:, 1] - shares]),
        label=name,
        color=look.colour,
        marker=look.marker,
        markersize=6,
        markeredgecolor="black",
        markeredgewidth=0.5,
        linestyle="",
        elinewidth=0.8,
        capsize=2,
    )
    for number, (place, share, title) in enumerate(zip(places, shares, titles, strict=True)):
        axes.plot(
            [place],
            [share],
            color="black" if number == chosen else "none",
            gid=mark_title(f"{name}, {title}: {rate(share)}"),
            **RING,
        )
