"""Forest plot of the paired differences, with their intervals."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sqladder.report.charted import which_are_charted
from sqladder.report.charts.drawing import (
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
from sqladder.report.comparison import Comparison, Pair
from sqladder.texts.numbers import p_phrase, points

TITLE = "Paired differences"

FOREST_ROWS = 15
"""Rows of the forest plot that still read well; with more pairs only some are drawn."""


def drawn_pairs(comparison: Comparison) -> tuple[Sequence[Pair], str]:
    """The pairs of the forest plot and what they are: all, or those of charted variants with the baseline."""
    if len(comparison.pairs) <= FOREST_ROWS:
        return comparison.pairs, "all pairs"
    names = {variant.name for variant in comparison.charted}
    pairs = [pair for pair in comparison.against_baseline() if pair.first in names]
    which = f"each variant less {comparison.run.baseline}"
    return pairs, f"{which}{which_are_charted(comparison)}"


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    pairs, which = drawn_pairs(comparison)
    if not pairs:
        return "No paired differences: the run has one variant."
    clear = sum(pair.significant for pair in pairs)
    return (
        f"Differences in percentage points with 95 % intervals, {which}: {clear} of {len(pairs)} are significant. The "
        "numbers are in the table below."
    )


def draw(comparison: Comparison, width: float) -> Figure:
    """The chart of a compared run."""
    pairs, which = drawn_pairs(comparison)
    if not pairs:
        return message(TITLE, "The run has one variant: there is no pair.", width)
    letters = 44 if is_wide(width) else 18
    labels = [broken(f"{pair.first} − {pair.second}", letters) for pair in pairs]
    places, height = row_heights(labels, 0.12)
    figure, axes = new_figure(width, 1.2 + height)
    for place, pair in zip(places, pairs, strict=True):
        _forest_row(axes, place, pair)
    axes.axvline(0, color="black", linewidth=0.9)
    axes.set_yticks(places, labels)
    axes.set_ylim(height, 0)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color="0.88", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_xlabel("percentage points (95 % for all pairs,\nsame databases)")
    add_title(axes, f"Paired differences, {which}", width)
    handles = [
        Line2D([], [], marker="o", color="black", markerfacecolor=fill, linestyle="-")
        for fill in ("black", "white")
    ]
    add_legend(figure, handles, ["significant (Holm, 5 %)", "not significant"])
    return figure


def _forest_row(axes: Axes, row: float, pair: Pair) -> None:
    low, high = (100 * end for end in pair.interval)
    told = f"{points(pair.difference)} ({low:+.1f} to {high:+.1f})".replace("-", "−")
    tip = mark_title(f"{pair.first} − {pair.second}: {told}, {p_phrase(pair.p)}")
    axes.plot([low, high], [row, row], color="black", linewidth=1.3, gid=tip)
    axes.plot(
        100 * pair.difference,
        row,
        marker="o",
        markersize=7,
        color="black",
        markerfacecolor="black" if pair.significant else "white",
        gid=tip,
    )


CHART = Chart("paired_differences", TITLE, alt_text, draw)
