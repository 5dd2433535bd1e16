"""Accuracy on the validation questions over each training, with the loss beside it, and the checkpoint that went on."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sqladder.report.charts.drawing import (
    LAYOUT,
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
from sqladder.report.charts.styles import Style
from sqladder.report.comparison import Comparison
from sqladder.report.judged_checkpoints import JudgedCheckpoints, of_each
from sqladder.texts.numbers import plural, rate

ACCURACY = "Checkpoints: validation accuracy"
TITLE = f"{ACCURACY} and training loss"


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    known = of_each(comparison.run.replicates)
    if not known:
        return "No checkpoints: no training of this run chose one on validation questions."
    bests = [judged.rates[judged.chosen] for _, judged in known]
    return (
        f"Accuracy on validation questions, with 95 % intervals, and training loss over the epochs of "
        f"{plural(len(known), 'training')}; the chosen checkpoints have {min(bests):.3f} to {max(bests):.3f}."
    )


def draw(comparison: Comparison, width: float) -> Figure:
    """The chart of a compared run."""
    known, looks = of_each(comparison.run.replicates), styles_of(comparison.run)
    if not known:
        return message(TITLE, "No training chose a checkpoint on validation questions.", width)
    # Of trainings by reward no loss is shown.
    has_losses = any(loss is not None for _, judged in known for loss in judged.losses)
    figure, above, below = _panels(width, has_losses)
    labelled: set[str] = set()
    for own, judged in known:
        name = own.replicate.variant
        # A variant's seeds share its look, and its line of the legend.
        label = "_" if name in labelled else name
        _draw_accuracies(above, own.label, label, judged, looks[name])
        if below:
            _draw_losses(below, judged, looks[name])
        labelled.add(name)
    share_axis(above)
    above.set_ylabel("validation accuracy")
    if below:
        below.margins(y=0.1)
        below.set_ylim(bottom=0)
        below.set_ylabel("training loss")
        below.grid(axis="y", color="0.88", linewidth=0.8)
    lowest = below or above
    lowest.set_xlim(left=0)
    lowest.set_xlabel("epoch")
    lines = ", one line a seed" if comparison.run.has_seeds else ""
    title = TITLE if has_losses else ACCURACY
    add_title(above, f"{title}{lines}; bars: 95 % intervals", width)
    handles, labels = above.get_legend_handles_labels()
    ring = Line2D(
        [], [], color="black", marker="o", markersize=11, markerfacecolor="none", linestyle=""
    )
    add_legend(figure, [*handles, ring], [*labels, "the checkpoint that went on"])
    return figure


def _panels(width: float, has_losses: bool) -> tuple[Figure, Axes, Axes | None]:
    """A figure with room for accuracies, and for losses below where there are some."""
    if not has_losses:
        return *new_figure(width, 3.8 if is_wide(width) else 3.2), None
    figure = Figure(figsize=(width, 5.4 if is_wide(width) else 4.6), layout=LAYOUT)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    return figure, above, below


def _draw_accuracies(
    axes: Axes, own: str, label: str, judged: JudgedCheckpoints, look: Style
) -> None:
    ends = [judged.interval(place) for place in range(len(judged.steps))]
    lengths = [
        [max(0.0, share - low) for share, (low, _) in zip(judged.rates, ends, strict=True)],
        [max(0.0, high - share) for share, (_, high) in zip(judged.rates, ends, strict=True)],
    ]
    axes.errorbar(
        judged.epochs,
        judged.rates,
        yerr=lengths,
        label=label,
        color=look.colour,
        linestyle=look.line,
        marker=look.marker,
        markersize=5,
        markeredgecolor="black",
        markeredgewidth=0.5,
        elinewidth=0.7,
        capsize=2,
    )
    place = judged.chosen
    axes.plot(
        [judged.epochs[place]],
        [judged.rates[place]],
        color="black",
        marker="o",
        markersize=11,
        markerfacecolor="none",
        linestyle="",
        gid=mark_title(
            f"{own}: {rate(judged.rates[place])} after step {judged.steps[place]} of {judged.steps[-1]}"
        ),
    )


def _draw_losses(axes: Axes, judged: JudgedCheckpoints, look: Style) -> None:
    known: Sequence[tuple[float, float]] = [
        (epoch, loss)
        for epoch, loss in zip(judged.epochs, judged.losses, strict=True)
        if loss is not None
    ]
    axes.plot(
        [epoch for epoch, _ in known],
        [loss for _, loss in known],
        color=look.colour,
        linestyle=look.line,
        marker=look.marker,
        markersize=4,
    )


CHART = Chart("validation_curves", TITLE, alt_text, draw)
