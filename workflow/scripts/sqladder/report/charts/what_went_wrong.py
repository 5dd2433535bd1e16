"""Stacked bars of every variant's failures by kind."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sqladder.report.charts.drawing import (
    INCH_PER_LETTER,
    Chart,
    add_legend,
    mark_title,
    message,
    new_figure,
)
from sqladder.report.charts.styles import kind_style
from sqladder.report.comparison import Comparison
from sqladder.report.results import failure_counts, failure_kinds
from sqladder.report.taxonomy import KINDS
from sqladder.texts.numbers import amount, number

TITLE = "What went wrong"


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    kinds = failure_kinds(comparison.run)
    parts = []
    for variant in comparison.run.variants:
        counts = failure_counts(variant)
        told = ", ".join(f"{KINDS[kind]} {amount(counts[kind])}" for kind in kinds if counts[kind])
        parts.append(f"{variant.name} {told or 'none'}")
    return f"Stacked bars of failures by what went wrong: {'; '.join(parts)}."


def draw(comparison: Comparison) -> Figure:
    """The chart of a compared run."""
    run, kinds = comparison.run, failure_kinds(comparison.run)
    if not kinds:
        return message(TITLE, "Every answer of every variant is right.")
    names = [variant.name for variant in run.variants]
    letters = max(len(name) for name in names)
    figure, axes = new_figure(7 + letters * INCH_PER_LETTER, 1.5 + 0.45 * len(names))
    longest = max(sum(failure_counts(variant).values()) for variant in run.variants)
    ends = np.zeros(len(names))
    for kind in kinds:
        widths = np.array([failure_counts(variant)[kind] for variant in run.variants])
        _stack(axes, names, ends, widths, kind, 0.035 * longest)
        ends += widths
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(0, 1.02 * longest)
    means = ", means over seeds" if run.has_seeds else ""
    axes.set_xlabel(f"failures among {run.n:,} questions{means}")
    axes.set_title(TITLE, loc="left")
    add_legend(figure, *axes.get_legend_handles_labels())
    return figure


def _stack(
    axes: Axes, names: list[str], starts: np.ndarray, widths: np.ndarray, kind: str, room: float
) -> None:
    """One kind's part of every bar, with its count where it is wider than `room`."""
    colour, hatch = kind_style(kind)
    bars = axes.barh(
        range(len(widths)),
        widths,
        0.72,
        left=starts,
        label=KINDS[kind],
        color=colour,
        hatch=hatch,
        edgecolor="black",
        linewidth=0.6,
    )
    for name, bar, width in zip(names, bars, widths, strict=True):
        bar.set_gid(mark_title(f"{name}, {KINDS[kind]}: {amount(width)}"))
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    for row, (start, width) in enumerate(zip(starts, widths, strict=True)):
        if width > room:
            where = (start + width / 2, row)
            axes.text(*where, number(width), ha="center", va="center", size=7.5, bbox=box)


CHART = Chart("errors", TITLE, alt_text, draw)
