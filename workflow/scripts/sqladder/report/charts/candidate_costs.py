"""Accuracy of all candidates of sweeps on the validation questions, against what they cost."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sqladder.report.charts.drawing import (
    Chart,
    add_legend,
    add_title,
    is_wide,
    mark_title,
    message,
    new_figure,
    share_axis,
    styles_of,
)
from sqladder.report.comparison import Comparison
from sqladder.report.judged_candidates import sweeps_of
from sqladder.texts.numbers import plural, rate

TITLE = "Candidates: validation accuracy and cost"


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    known = sweeps_of(comparison.run.replicates)
    if not known:
        return "No candidates: no variant of this run searched its settings."
    shares = [share for _, judged in known for share in judged.rates]
    return (
        f"Accuracy on validation questions, with 95 % intervals, against training time of "
        f"{plural(len(shares), 'candidate')} of {plural(len(known), 'sweep')}, {min(shares):.3f} to {max(shares):.3f}."
    )


def draw(comparison: Comparison, width: float) -> Figure:
    """The chart of a compared run."""
    known, looks = sweeps_of(comparison.run.replicates), styles_of(comparison.run)
    if not known:
        return message(TITLE, "No variant searched its settings.", width)
    longest = max(max(judged.hours) for _, judged in known)
    unit, parts = ("hours", 1) if longest > 2 else ("minutes", 60)
    figure, axes = new_figure(width, 4.2 if is_wide(width) else 3.4)
    for own, judged in known:
        look = looks[own.replicate.variant]
        ends = np.array([judged.interval(place) for place in range(len(judged.labels))])
        shares, times = np.array(judged.rates), parts * np.array(judged.hours)
        axes.errorbar(
            times,
            shares,
            yerr=np.maximum(0, [shares - ends[:, 0], ends[:, 1] - shares]),
            label=own.replicate.variant,
            color=look.colour,
            marker=look.marker,
            markersize=6,
            markeredgecolor="black",
            markeredgewidth=0.5,
            linestyle="",
            elinewidth=0.8,
            capsize=2,
        )
        for place, label in enumerate(judged.labels):
            is_chosen = place == judged.chosen
            axes.plot(
                [times[place]],
                [shares[place]],
                color="black" if is_chosen else "none",
                marker="o",
                markersize=12,
                markerfacecolor="none",
                linestyle="",
                gid=mark_title(f"{own.replicate.variant}, {label}: {rate(shares[place])}"),
            )
    axes.set_xlim(0, 1.05 * parts * longest or 1)
    axes.set_xlabel(f"training time in {unit}, of all devices together")
    share_axis(axes)
    axes.set_ylabel("validation accuracy")
    add_title(axes, f"{TITLE}; bars: 95 % intervals", width)
    handles, labels = axes.get_legend_handles_labels()
    ring = Line2D(
        [], [], color="black", marker="o", markersize=12, markerfacecolor="none", linestyle=""
    )
    add_legend(figure, [*handles, ring], [*labels, "the variant's model"])
    return figure


CHART = Chart("candidates", TITLE, alt_text, draw)
