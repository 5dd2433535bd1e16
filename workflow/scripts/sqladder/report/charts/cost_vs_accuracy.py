"""Accuracy against the time of training, both with their intervals: which variant to take."""

from collections.abc import Sequence
from statistics import fmean, stdev

import numpy as np
from matplotlib.figure import Figure
from scipy import special

from sqladder.report.charted import charted_in_order
from sqladder.report.charts.drawing import (
    Chart,
    add_legend,
    add_title,
    described,
    error_lengths,
    is_wide,
    mark_title,
    message,
    new_figure,
    share_axis,
    styles_of,
)
from sqladder.report.comparison import Comparison
from sqladder.report.cost import line_seconds
from sqladder.report.results import Variant, level_count
from sqladder.texts.numbers import plural, seconds

TITLE = "Training time and accuracy"


def with_cost(comparison: Comparison) -> list[tuple[Variant, list[float]]]:
    """Charted variants whose training time is known, in seconds of all devices by seed; untrained ones took 0.

    Where a training started from another one's model, both count.
    """
    found = []
    for variant in charted_in_order(comparison):
        times = [line_seconds(own.line) for own in variant.seeds]
        taken = [time for time in times if time is not None]
        if len(taken) == len(times):
            found.append((variant, taken))
    return found


def reach_of_mean(times: Sequence[float]) -> float:
    """Half the 95 % interval of a mean over seeds by Student's t; 0 of a single training, which tells no spread."""
    if len(times) < 2:
        return 0.0
    return float(special.stdtrit(len(times) - 1, 0.975) * stdev(times) / len(times) ** 0.5)


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    names = [variant.name for variant, _ in with_cost(comparison)]
    if not names:
        return "No training times: no variant was trained in this run."
    return (
        f"Accuracy over all questions against training time of {plural(len(names), 'variant')}, with 95 % intervals; "
        "the numbers are in the tables of ranking and cost."
    )


def draw(comparison: Comparison, width: float) -> Figure:
    """The chart of a compared run."""
    known, looks = with_cost(comparison), styles_of(comparison.run)
    if not known:
        return message(TITLE, "No training time is known for any variant.", width)
    longest = max(fmean(taken) + reach_of_mean(taken) for _, taken in known)
    unit, length = ("hours", 3600) if longest > 7200 else ("minutes", 60)
    figure, axes = new_figure(width, 4.2 if is_wide(width) else 3.4)
    for variant, taken in known:
        total, look = level_count(comparison.run, variant, "all"), looks[variant.name]
        drawn = axes.errorbar(
            fmean(taken) / length,
            total.correct / total.n,
            xerr=reach_of_mean(taken) / length,
            yerr=np.array([error_lengths(total)]).T,
            label=variant.name,
            color=look.colour,
            ecolor="black",
            marker=look.marker,
            markersize=9,
            markeredgecolor="black",
            linestyle="",
            capsize=3,
            elinewidth=0.9,
        )
        drawn.lines[0].set_gid(
            mark_title(f"{variant.name}: {described(total)}, {seconds(fmean(taken))}")
        )
    # The room left of 0 keeps the marker of an untrained variant whole.
    axes.set_xlim(-0.03 * (longest or 1) / length, 1.05 * (longest or 1) / length)
    axes.set_xlabel(f"training time in {unit}, of all devices together")
    share_axis(axes)
    add_title(axes, f"{TITLE}, with 95 % intervals", width)
    add_legend(figure, *axes.get_legend_handles_labels())
    return figure


CHART = Chart("cost_vs_accuracy", TITLE, alt_text, draw)
