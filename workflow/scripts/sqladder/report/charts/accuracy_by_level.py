"""Bars of every variant's accuracy on each level, with their intervals."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from sqladder.report.charted import charted_in_order, which_are_charted
from sqladder.report.charts.drawing import (
    SMALLEST,
    Chart,
    add_legend,
    add_title,
    described,
    error_lengths,
    is_wide,
    mark_title,
    new_figure,
    share_axis,
    styles_of,
)
from sqladder.report.charts.styles import Style
from sqladder.report.comparison import Comparison
from sqladder.report.metrics import COLUMN_TITLES, LEVELS
from sqladder.report.results import Count, level_count
from sqladder.texts.numbers import plural

TITLE = "Accuracy by level"

SHOWN = (*LEVELS, "all")


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    return (
        f"Grouped bars of the accuracy of {plural(len(charted_in_order(comparison)), 'variant')} by level, with 95 % "
        "intervals; the numbers are in the table Accuracy by level."
    )


def draw(comparison: Comparison, width: float) -> Figure:
    """The chart of a compared run: upright bars, or lying ones on a phone."""
    run, looks = comparison.run, styles_of(comparison.run)
    variants = charted_in_order(comparison)
    upright = is_wide(width)
    room = 0.84 if upright else 0.94
    height = 4.7 if upright else 1.1 + len(SHOWN) * (0.16 * len(variants) + 0.12)
    figure, axes = new_figure(width, height)
    thickness = min(0.4, room / len(variants))
    for position, variant in enumerate(variants):
        places = np.arange(len(SHOWN)) + (position - (len(variants) - 1) / 2) * thickness
        totals = [level_count(run, variant, level) for level in SHOWN]
        bars = _bars(axes, places, totals, thickness, looks[variant.name], upright)
        bars.set_label(variant.name)
        for bar, level, total in zip(bars, SHOWN, totals, strict=True):
            bar.set_gid(mark_title(f"{variant.name}, {level}: {described(total)}"))
        _label_bars(axes, places, totals, upright)
    sizes = [level_count(run, run.variants[0], level).n for level in SHOWN]
    ticks = [f"{COLUMN_TITLES[level]}\nn = {n:,}" for level, n in zip(SHOWN, sizes, strict=True)]
    if upright:
        axes.set_xticks(range(len(SHOWN)), ticks)
        axes.set_xlim(-0.55, len(SHOWN) - 0.45)
        share_axis(axes)
    else:
        axes.set_yticks(range(len(SHOWN)), ticks)
        axes.set_ylim(len(SHOWN) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.grid(axis="x", color="0.88", linewidth=0.8)
        axes.set_axisbelow(True)
    axes.tick_params(axis="x" if upright else "y", length=0)
    means = ", means over seeds" if run.has_seeds else ""
    left_out = which_are_charted(comparison)
    add_title(axes, f"Accuracy by level{means}, with 95 % intervals{left_out}", width)
    add_legend(figure, *axes.get_legend_handles_labels())
    return figure


def _bars(
    axes: Axes,
    places: np.ndarray,
    totals: list[Count],
    thickness: float,
    look: Style,
    upright: bool,
) -> BarContainer:
    lengths = np.array([error_lengths(total) for total in totals]).T
    errors: dict[str, Any] = {"yerr" if upright else "xerr": lengths}
    return (axes.bar if upright else axes.barh)(
        places,
        [total.rate or 0.0 for total in totals],
        thickness,
        color=look.colour,
        hatch=look.hatch,
        edgecolor="black",
        linewidth=0.6,
        error_kw={"elinewidth": 0.9, "capsize": 2},
        **errors,
    )


def _label_bars(axes: Axes, places: np.ndarray, totals: list[Count], upright: bool) -> None:
    """The accuracy of each bar where no error bar can be: above its own, or right of the chart."""
    for place, total in zip(places, totals, strict=True):
        if total.rate is None:
            continue
        text = f"{total.rate:.3f}"
        if upright:
            # Upright text beside its neighbours', which are as near as bars are.
            top = total.rate + error_lengths(total)[1] + 0.012
            axes.text(place, top, text, rotation=90, ha="center", va="bottom", size=SMALLEST)
        else:
            side = axes.get_yaxis_transform()
            axes.text(1.02, place, text, transform=side, va="center", size=SMALLEST)


CHART = Chart("accuracy_by_level", TITLE, alt_text, draw)
