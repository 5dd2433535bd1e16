"""Bars of every variant's accuracy on each level, with their intervals."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from sqladder.report.charts.drawing import (
    Chart,
    add_legend,
    described,
    error_lengths,
    mark_title,
    new_figure,
    share_axis,
    styles_of,
)
from sqladder.report.charts.styles import Style
from sqladder.report.comparison import Comparison
from sqladder.report.metrics import COLUMN_TITLES, LEVELS
from sqladder.report.results import Count, level_count
from sqladder.texts.numbers import rate

TITLE = "Accuracy by level"


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    run = comparison.run
    parts = [
        f"{v.name} "
        + ", ".join(
            f"{level} {rate(level_count(run, v, level).rate)}"
            for level in ("easy", "medium", "hard", "extra", "all")
        )
        for v in run.variants
    ]
    return f"Grouped bars of accuracy by level, with 95 % intervals: {'; '.join(parts)}."


def draw(comparison: Comparison) -> Figure:
    """The chart of a compared run."""
    run, looks = comparison.run, styles_of(comparison.run)
    shown, variants = (*LEVELS, "all"), len(run.variants)
    figure, axes = new_figure(min(16, max(7.5, 3 + 0.34 * variants * len(shown))), 4.7)
    width = min(0.4, 0.84 / variants)
    for position, variant in enumerate(run.variants):
        places = np.arange(len(shown)) + (position - (variants - 1) / 2) * width
        totals = [level_count(run, variant, level) for level in shown]
        bars = _bars(axes, places, totals, width, looks[variant.name], variant.name)
        for bar, level, total in zip(bars, shown, totals, strict=True):
            bar.set_gid(mark_title(f"{variant.name}, {level}: {described(total)}"))
        _label_bars(axes, places, totals)
    sizes = [level_count(run, run.variants[0], level).n for level in shown]
    ticks = [f"{COLUMN_TITLES[level]}\nn = {n:,}" for level, n in zip(shown, sizes, strict=True)]
    axes.set_xticks(range(len(shown)), ticks)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.55, len(shown) - 0.45)
    share_axis(axes)
    means = ", means over seeds" if run.has_seeds else ""
    axes.set_title(f"Accuracy by level{means}, with 95 % intervals", loc="left")
    add_legend(figure, *axes.get_legend_handles_labels())
    return figure


def _bars(
    axes: Axes, places: np.ndarray, totals: list[Count], width: float, look: Style, name: str
) -> BarContainer:
    return axes.bar(
        places,
        [total.rate or 0.0 for total in totals],
        width,
        label=name,
        color=look.colour,
        hatch=look.hatch,
        edgecolor="black",
        linewidth=0.6,
        yerr=np.array([error_lengths(total) for total in totals]).T,
        error_kw={"elinewidth": 0.9, "capsize": 2},
    )


def _label_bars(axes: Axes, places: np.ndarray, totals: list[Count]) -> None:
    """The accuracy above each error bar, upright so that neighbours cannot overlap."""
    for place, total in zip(places, totals, strict=True):
        if total.rate is not None:
            top = total.rate + error_lengths(total)[1]
            axes.text(
                place,
                top + 0.012,
                f"{total.rate:.3f}",
                rotation=90,
                ha="center",
                va="bottom",
                size=7.5,
            )


CHART = Chart("accuracy_by_level", TITLE, alt_text, draw)
