"""Accuracy on the validation questions against the number of training rows, with the law through the points."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from sqladder.report.charts.drawing import (
    Chart,
    add_legend,
    add_title,
    is_wide,
    message,
    new_figure,
    share_axis,
    styles_of,
)
from sqladder.report.charts.validation_marks import draw_marks
from sqladder.report.comparison import Comparison
from sqladder.texts.numbers import listing

TITLE = "Accuracy and training rows"


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    curves = comparison.run.learning_curves
    if not curves:
        return "No learning curve: no variant of this run was trained on shares of its rows."
    told = [
        f"{own.variant} from {own.rates[0]:.3f} with {own.rows[0]:,} rows to {own.rates[-1]:.3f} with {own.rows[-1]:,}"
        for own in curves.values()
    ]
    return f"Accuracy on validation questions, with 95 % intervals, against training rows: {listing(told)}."


def draw(comparison: Comparison, width: float) -> Figure:
    """The chart of a compared run."""
    curves, looks = comparison.run.learning_curves, styles_of(comparison.run)
    if not curves:
        return message(TITLE, "No variant was trained on shares of its rows.", width)
    figure, axes = new_figure(width, 4.2 if is_wide(width) else 3.4)
    axes.set_xscale("log")
    for own in curves.values():
        look = looks[own.variant]
        titles = [f"{size:,} rows" for size in own.rows]
        draw_marks(axes, own, own.rows, own.variant, titles, look)
        if own.law.objection is None:
            fitted = np.geomspace(own.rows[0], 2 * own.rows[-1], 50)
            axes.plot(fitted, [1 - own.law.error_at(size) for size in fitted], color=look.colour)
    axes.set_xticks(_apart({size for own in curves.values() for size in own.rows}))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("training rows (logarithmic)")
    share_axis(axes)
    axes.set_ylabel("validation accuracy")
    add_title(axes, f"{TITLE}; bars: 95 % intervals", width)
    add_legend(figure, *axes.get_legend_handles_labels())
    return figure


def _apart(sizes: set[int]) -> list[int]:
    """Those of the sizes whose numbers have room beside each other."""
    kept: list[int] = []
    for size in sorted(sizes):
        if not kept or size >= 1.5 * kept[-1]:
            kept.append(size)
    return kept


CHART = Chart("learning_curves", TITLE, alt_text, draw)
