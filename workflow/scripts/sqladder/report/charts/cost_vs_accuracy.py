"""Accuracy against the time of training."""

from statistics import fmean

import numpy as np
from matplotlib.figure import Figure

from sqladder.report.charts.drawing import (
    Chart,
    add_legend,
    described,
    error_lengths,
    mark_title,
    message,
    new_figure,
    share_axis,
    styles_of,
)
from sqladder.report.comparison import Comparison
from sqladder.report.cost import device_seconds
from sqladder.report.results import Variant, level_count
from sqladder.texts.numbers import listing, seconds

TITLE = "Training time and accuracy"


def with_cost(comparison: Comparison) -> list[tuple[Variant, float]]:
    """Variants whose training time is known, in seconds of all devices, mean over seeds; an untrained one took none."""
    found = []
    for variant in comparison.run.variants:
        times = [device_seconds(own.training) for own in variant.seeds]
        taken = [time for time in times if time is not None]
        if len(taken) == len(times):
            found.append((variant, fmean(taken)))
    return found


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    names = [variant.name for variant, _ in with_cost(comparison)]
    if not names:
        return "No training times: no variant was trained in this run."
    return f"Accuracy over all questions against training time, of all devices together, of {listing(names)}."


def draw(comparison: Comparison) -> Figure:
    """The chart of a compared run."""
    known, looks = with_cost(comparison), styles_of(comparison.run)
    if not known:
        return message(TITLE, "No training time is known for any variant.")
    longest = max(taken for _, taken in known)
    unit, length = ("hours", 3600) if longest > 7200 else ("minutes", 60)
    figure, axes = new_figure(7.5, 4.4)
    for variant, taken in known:
        total, look = level_count(comparison.run, variant, "all"), looks[variant.name]
        drawn = axes.errorbar(
            taken / length,
            total.correct / total.n,
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
        drawn.lines[0].set_gid(mark_title(f"{variant.name}: {described(total)}, {seconds(taken)}"))
    # The room left of 0 keeps the marker of an untrained variant whole.
    axes.set_xlim(-0.03 * (longest or 1) / length, 1.05 * (longest or 1) / length)
    axes.set_xlabel(f"training time in {unit}, of all devices together")
    share_axis(axes)
    axes.set_title(f"{TITLE}, with 95 % intervals", loc="left")
    add_legend(figure, *axes.get_legend_handles_labels())
    return figure


CHART = Chart("cost_vs_accuracy", TITLE, alt_text, draw)
