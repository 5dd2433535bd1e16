"""Forest plot of the paired differences, with their intervals."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sqladder.report.charts.drawing import (
    INCH_PER_LETTER,
    Chart,
    add_legend,
    mark_title,
    message,
    new_figure,
)
from sqladder.report.comparison import Comparison, Pair
from sqladder.texts.numbers import p_phrase, points

TITLE = "Paired differences"

FOREST_ROWS = 15
"""Rows of the forest plot that still read well; with more pairs only some are drawn."""


def drawn_pairs(comparison: Comparison) -> tuple[Sequence[Pair], str]:
    """The pairs of the forest plot and what they are: all, or those with one reference variant."""
    if len(comparison.pairs) <= FOREST_ROWS:
        return comparison.pairs, "all pairs"
    return list(comparison.against_baseline()), f"each variant less {comparison.run.baseline}"


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    pairs, which = drawn_pairs(comparison)
    if not pairs:
        return "No paired differences: the run has one variant."
    parts = [f"{p.first} less {p.second} {points(p.difference)}" for p in pairs]
    return f"Differences in percentage points with 95 % intervals, {which}: {'; '.join(parts)}."


def draw(comparison: Comparison) -> Figure:
    """The chart of a compared run."""
    pairs, which = drawn_pairs(comparison)
    if not pairs:
        return message(TITLE, "The run has one variant: there is no pair.")
    labels = [f"{pair.first} − {pair.second}" for pair in pairs]
    letters = max(len(label) for label in labels)
    figure, axes = new_figure(5.5 + letters * INCH_PER_LETTER, 1.5 + 0.34 * len(pairs))
    for row, pair in enumerate(pairs):
        _forest_row(axes, row, pair)
    axes.axvline(0, color="black", linewidth=0.9)
    axes.set_yticks(range(len(pairs)), labels)
    axes.set_ylim(len(pairs) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color="0.88", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_xlabel("percentage points (95 % for all pairs, same databases)")
    axes.set_title(f"Paired differences, {which}", loc="left")
    handles = [
        Line2D([], [], marker="o", color="black", markerfacecolor=fill, linestyle="-")
        for fill in ("black", "white")
    ]
    add_legend(figure, handles, ["significant (Holm, 5 %)", "not significant"])
    return figure


def _forest_row(axes: Axes, row: int, pair: Pair) -> None:
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
