"""Accuracy against the time of answering, for more and more samples: what the next ones are worth."""

from collections.abc import Sequence
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sqladder.report.charted import charted_in_order
from sqladder.report.charts.drawing import (
    SMALLEST,
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
from sqladder.report.charts.styles import Style
from sqladder.report.comparison import Comparison
from sqladder.report.results import Variant, level_count
from sqladder.report.sampled_answers import Fewer, answering_seconds, fewer_samples
from sqladder.texts.numbers import number, plural, rate, seconds

TITLE = "Samples, answering time and accuracy"

UNITS = ((600, "seconds", 1), (7200, "minutes", 60), (float("inf"), "hours", 3600))
"""For times up to so many seconds, a unit and its length."""

NEAR = 0.05
"""Share of the axes within which two equal numbers of samples would be printed over each other."""


def with_curve(comparison: Comparison) -> list[tuple[Variant, list[Fewer]]]:
    """Charted variants that choose among samples and whose time is known, with what fewer samples would have given."""
    found = []
    for variant in charted_in_order(comparison):
        curve = fewer_samples(variant.samples, comparison.run.groups) if variant.samples else []
        if curve and curve[0].seconds is not None:
            found.append((variant, curve))
    return found


def of_the_same_models(comparison: Comparison) -> list[tuple[Variant, float]]:
    """Charted variants that ask one of these models for a single answer, with its seconds."""
    models = {own.asked for variant, _ in with_curve(comparison) for own in variant.seeds}
    found = []
    for variant in charted_in_order(comparison):
        times = [answering_seconds(own.generation) for own in variant.seeds]
        known = [time for time in times if time is not None]
        asked = {own.asked for own in variant.seeds}
        if not variant.samples and None not in asked and asked & models and known:
            found.append((variant, fmean(known)))
    return found


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    known = with_curve(comparison)
    if not known:
        return "No samples: no variant of this run chose among several."
    most = max(curve[-1].n for _, curve in known)
    return (
        f"Accuracy over all questions against the seconds that answers take, of {plural(len(known), 'variant')} with 1 "
        f"to {number(most)} samples, with 95 % intervals, and pass@n; the numbers are in the table of samples."
    )


def draw(comparison: Comparison, width: float) -> Figure:
    """The chart of a compared run."""
    known, looks = with_curve(comparison), styles_of(comparison.run)
    if not known:
        return message(TITLE, "No variant chose among several samples.", width)
    single = of_the_same_models(comparison)
    longest = max(
        *(point.seconds or 0.0 for _, curve in known for point in curve),
        *(s for _, s in single),
        0.0,
    )
    unit, length = next((unit, length) for most, unit, length in UNITS if longest <= most)
    figure, axes = new_figure(width, 4.4 if is_wide(width) else 3.8)
    size = 8 if is_wide(width) else 6
    for variant, curve in known:
        _draw_curve(axes, variant.name, curve, looks[variant.name], size, length)
    for variant, taken in single:
        total, look = level_count(comparison.run, variant, "all"), looks[variant.name]
        tip = f"{variant.name}: {described(total)}, {seconds(taken)}"
        lengths = [[end] for end in error_lengths(total)]
        places = [(taken / length, total.rate or 0.0)]
        _draw_accuracies(axes, variant.name, places, lengths, look, size, [tip])
    axes.set_xlim(left=0)
    axes.set_xlabel(f"{unit} from start to file, of all devices together")
    share_axis(axes)
    _print_sizes(
        axes, [(p.n, (p.seconds or 0.0) / length, p.some) for _, curve in known for p in curve]
    )
    add_title(axes, f"{TITLE}, with 95 % intervals", width)
    handles, labels = axes.get_legend_handles_labels()
    upper = Line2D([], [], color="black", marker="o", markerfacecolor="white", linestyle=":")
    add_legend(figure, [*handles, upper], [*labels, "pass@n: an upper bound that sees gold"])
    return figure


def _draw_curve(
    axes: Axes, name: str, curve: Sequence[Fewer], look: Style, size: float, length: float
) -> None:
    """The accuracy of the choice among n samples with its intervals, and pass@n above it."""
    taken = [(point.seconds or 0.0) / length for point in curve]
    axes.plot(
        taken,
        [point.some for point in curve],
        color=look.colour,
        linestyle=":",
        marker=look.marker,
        markersize=size - 1,
        markerfacecolor="white",
        gid=mark_title(f"{name}: pass@n"),
    )
    choices = [point.choice for point in curve]
    lengths = [
        [point.choice - point.interval[0] for point in curve],
        [point.interval[1] - point.choice for point in curve],
    ]
    tips = [
        f"{name}, {plural(point.n, 'sample')}: {rate(point.choice)}, {seconds(point.seconds)}"
        for point in curve
    ]
    axes.plot(taken, choices, color=look.colour)
    places = [*zip(taken, choices, strict=True)]
    _draw_accuracies(axes, name, places, lengths, look, size, tips)


def _draw_accuracies(
    axes: Axes,
    name: str,
    places: Sequence[tuple[float, float]],
    lengths: Sequence[Sequence[float]],
    look: Style,
    size: float,
    tips: Sequence[str],
) -> None:
    """Marks with error bars, one a point, so that each has a title of its own."""
    for place, ((x, y), tip) in enumerate(zip(places, tips, strict=True)):
        drawn = axes.errorbar(
            x,
            y,
            yerr=[[max(0.0, ends[place])] for ends in lengths],
            label=name if place == 0 else "_",
            color=look.colour,
            ecolor="black",
            marker=look.marker,
            markersize=size,
            markeredgecolor="black",
            linestyle="",
            capsize=3,
            elinewidth=0.9,
        )
        drawn.lines[0].set_gid(mark_title(tip))


def _print_sizes(axes: Axes, marks: Sequence[tuple[int, float, float]]) -> None:
    """How many samples each mark of pass@n, (n, x, y), stands for, above it; once where several variants' marks meet.

    Not for one sample: there the choice's error bar stands.
    """
    longest = axes.get_xlim()[1]
    printed: list[tuple[int, float, float]] = []
    for n, x, y in marks:
        near = any(
            n == other and abs(x - left) < NEAR * longest and abs(y - bottom) < NEAR
            for other, left, bottom in printed
        )
        if n == 1 or near:
            continue
        printed.append((n, x, y))
        axes.annotate(
            str(n),
            (x, y),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=SMALLEST,
        )


CHART = Chart("samples_vs_cost", TITLE, alt_text, draw)
