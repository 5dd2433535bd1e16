"""Accuracy of every variant with its interval, best first: the picture that a report opens with."""

from matplotlib.figure import Figure

from sqladder.report.charted import which_are_charted
from sqladder.report.charts.drawing import (
    Chart,
    add_title,
    broken,
    described,
    is_wide,
    mark_title,
    new_figure,
    row_heights,
    styles_of,
)
from sqladder.report.comparison import Comparison
from sqladder.report.results import level_count
from sqladder.texts.numbers import plural, rate, share_interval

TITLE = "Ranking"


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    top = comparison.ranking[0]
    return (
        f"Accuracy of {plural(len(comparison.charted), 'variant')} with 95 % intervals, best first: {top.name} with "
        f"{rate(top.correct.mean())}. The numbers are in the table of the ranking."
    )


def draw(comparison: Comparison, width: float) -> Figure:
    """The chart of a compared run."""
    variants, looks = comparison.charted, styles_of(comparison.run)
    letters = 40 if is_wide(width) else 26
    labels = [broken(f"{comparison.rank(v.name)}  {v.name}", letters) for v in variants]
    places, height = row_heights(labels, 0.09 if is_wide(width) else 0.05)
    figure, axes = new_figure(width, (0.75 if is_wide(width) else 0.6) + height)
    totals = [level_count(comparison.run, variant, "all") for variant in variants]
    end = min(1.0, 0.1 * (1 + int(10 * max(total.interval.high for total in totals))))
    for place, variant, total in zip(places, variants, totals, strict=True):
        look = looks[variant.name]
        share, tip = total.rate or 0.0, mark_title(f"{variant.name}: {described(total)}")
        axes.plot(total.interval, [place, place], color="black", linewidth=1.3, gid=tip)
        axes.plot(
            share,
            place,
            marker=look.marker,
            markersize=8,
            color=look.colour,
            markeredgecolor="black",
            gid=tip,
        )
        told = f"{rate(total.rate)} ({share_interval(total.interval)})"
        axes.text(
            1.02,
            place,
            told if is_wide(width) else rate(total.rate),
            transform=axes.get_yaxis_transform(),
            va="center",
        )
    axes.set_yticks(places, labels)
    axes.set_ylim(height, 0)
    axes.set_xlim(0, end)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color="0.88", linewidth=0.8)
    axes.set_axisbelow(True)
    add_title(axes, f"Rank and accuracy with 95 % intervals{which_are_charted(comparison)}", width)
    return figure


CHART = Chart("ranking", TITLE, alt_text, draw)
