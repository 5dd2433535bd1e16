"""Accuracy of all candidates of sweeps on the validation questions, against what they cost."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

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
from sqladder.report.charts.validation_marks import RING, draw_marks
from sqladder.report.comparison import Comparison
from sqladder.report.judged_candidates import sweeps_of
from sqladder.texts.numbers import plural

# Over the mark of a candidate that was stopped for others.
CROSS: dict[str, Any] = {
    "marker": "x",
    "markersize": 9,
    "color": "black",
    "linestyle": "",
    "zorder": 3,
}
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
        name = own.replicate.variant
        times = [parts * hours for hours in judged.hours]
        draw_marks(axes, judged, times, name, judged.labels, looks[name], judged.chosen)
        halted = [place for place, share in enumerate(judged.stopped) if share is not None]
        axes.plot([times[p] for p in halted], [judged.rates[p] for p in halted], **CROSS)
    axes.set_xlim(0, 1.05 * parts * longest or 1)
    axes.set_xlabel(f"training time in {unit}, of all devices together")
    share_axis(axes)
    axes.set_ylabel("validation accuracy")
    add_title(axes, f"{TITLE}; bars: 95 % intervals", width)
    handles, labels = axes.get_legend_handles_labels()
    ring = Line2D([], [], color="black", **RING)
    handles, labels = [*handles, ring], [*labels, "the variant's model"]
    if any(share is not None for _, judged in known for share in judged.stopped):
        handles.append(Line2D([], [], **CROSS))
        labels.append("stopped by halving")
    add_legend(figure, handles, labels)
    return figure


CHART = Chart("candidates", TITLE, alt_text, draw)
