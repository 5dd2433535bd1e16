"""Training loss over the steps of every training."""

import numpy as np
from matplotlib.figure import Figure

from sqladder.report.charts.drawing import (
    Chart,
    add_legend,
    add_title,
    is_wide,
    mark_title,
    message,
    new_figure,
    styles_of,
)
from sqladder.report.comparison import Comparison
from sqladder.report.results import OneSeed, is_by_reward
from sqladder.texts.numbers import plural

TITLE = "Training loss"


def with_curve(comparison: Comparison) -> list[OneSeed]:
    """Trainings that wrote a loss curve which says something, each once: a reused model has that of its own variant."""
    return [
        own
        for own in comparison.run.replicates
        if own.training.get("loss_curve")
        and "model_of" not in own.training
        and not is_by_reward(own.training)
    ]


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    names = [own.label for own in with_curve(comparison)]
    if not names:
        return "No loss curves: no variant was trained in this run."
    lasts = [own.training["loss_curve"][-1][1] for own in with_curve(comparison)]
    return (
        f"Training loss over the steps of {plural(len(names), 'training')}; the last values are "
        f"{min(lasts):.3f} to {max(lasts):.3f}."
    )


def draw(comparison: Comparison, width: float) -> Figure:
    """The chart of a compared run."""
    trained, looks = with_curve(comparison), styles_of(comparison.run)
    if not trained:
        return message(TITLE, "No variant was trained in this run.", width)
    figure, axes = new_figure(width, 4.0 if is_wide(width) else 3.0)
    labelled = set()
    for own in trained:
        steps, losses = np.array(own.training["loss_curve"], dtype=float).T
        name = own.replicate.variant
        look = looks[name]
        axes.plot(steps, losses, color=look.colour, linewidth=0.7, alpha=0.3)
        axes.plot(
            steps,
            smoothed(losses),
            # A variant's seeds share its look, and its line of the legend.
            label="_" if name in labelled else name,
            color=look.colour,
            linestyle=look.line,
            marker=look.marker,
            markevery=max(1, len(steps) // 8),
            markeredgecolor="black",
            markeredgewidth=0.5,
            gid=mark_title(f"{own.label}: {losses[-1]:.3f} at the last step"),
        )
        labelled.add(name)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("optimiser step")
    axes.set_ylabel("training loss")
    axes.grid(axis="y", color="0.88", linewidth=0.8)
    lines = "one line a seed, " if comparison.run.has_seeds else ""
    add_title(axes, f"{TITLE}; {lines}strong lines: mean of nearby steps", width)
    add_legend(figure, *axes.get_legend_handles_labels())
    return figure


def smoothed(values: np.ndarray, parts: int = 20) -> np.ndarray:
    """Mean over a part of the steps around each, a twentieth; at the ends over those that there are."""
    window = np.ones(len(values) // (2 * parts) * 2 + 1)
    return np.convolve(values, window, "same") / np.convolve(np.ones(len(values)), window, "same")


CHART = Chart("loss_curves", TITLE, alt_text, draw)
