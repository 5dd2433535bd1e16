"""Stacked bars of every variant's failures by kind."""

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
    broken,
    is_wide,
    mark_title,
    message,
    new_figure,
    row_heights,
)
from sqladder.report.charts.styles import kind_style
from sqladder.report.comparison import Comparison
from sqladder.report.results import failure_kinds
from sqladder.report.taxonomy import KINDS
from sqladder.texts.numbers import amount, number, plural

TITLE = "What went wrong"


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    return (
        f"Stacked bars of the failures of {plural(len(charted_in_order(comparison)), 'variant')} by what went wrong; "
        "the numbers are in the table below."
    )


def draw(comparison: Comparison, width: float) -> Figure:
    """The chart of a compared run."""
    run, kinds = comparison.run, failure_kinds(comparison.run)
    if not kinds:
        return message(TITLE, "Every answer of every variant is right.", width)
    variants = charted_in_order(comparison)
    labels = [broken(variant.name, 40 if is_wide(width) else 16) for variant in variants]
    places, height = row_heights(labels, 0.2)
    figure, axes = new_figure(width, 1.1 + height)
    counts = [variant.failure_counts for variant in variants]
    longest = max(sum(own.values()) for own in counts)
    # A number of three digits at the smallest size, beside what names and margins take.
    room = 0.33 / (0.75 * width - 0.4) * longest
    ends = np.zeros(len(variants))
    for kind in kinds:
        widths = np.array([own[kind] for own in counts])
        bars = _stack(axes, places, ends, widths, kind, room)
        for variant, bar, length in zip(variants, bars, widths, strict=True):
            bar.set_gid(mark_title(f"{variant.name}, {KINDS[kind]}: {amount(length)}"))
        ends += widths
    axes.set_yticks(places, labels)
    axes.set_ylim(height, 0)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(0, 1.02 * longest)
    means = ", means over seeds" if run.has_seeds else ""
    axes.set_xlabel(f"failures among {run.n:,} questions{means}")
    add_title(axes, f"{TITLE}{which_are_charted(comparison)}", width)
    add_legend(figure, *axes.get_legend_handles_labels())
    return figure


def _stack(
    axes: Axes,
    places: list[float],
    starts: np.ndarray,
    widths: np.ndarray,
    kind: str,
    room: float,
) -> BarContainer:
    """One kind's part of every bar, with its count where it is wider than `room`."""
    colour, hatch = kind_style(kind)
    bars = axes.barh(
        places,
        widths,
        0.24,
        left=starts,
        label=KINDS[kind],
        color=colour,
        hatch=hatch,
        edgecolor="black",
        linewidth=0.6,
    )
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    for place, start, width in zip(places, starts, widths, strict=True):
        if width > room:
            where = (start + width / 2, place)
            axes.text(*where, number(width), ha="center", va="center", size=SMALLEST, bbox=box)
    return bars


CHART = Chart("errors", TITLE, alt_text, draw)
