"""How each training by reward went, step by step: reward, right answers, lengths, entropy, distance from its start."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sqladder.report.charts.drawing import (
    LAYOUT,
    Chart,
    add_legend,
    add_title,
    is_wide,
    mark_title,
    message,
    styles_of,
)
from sqladder.report.charts.loss_curves import smoothed
from sqladder.report.charts.styles import Style
from sqladder.report.comparison import Comparison
from sqladder.report.results import OneSeed, is_by_reward
from sqladder.texts.numbers import plural

TITLE = "Learning by reward"

# Curves of train.json, and what stands above each.
PANELS: Mapping[str, str] = {
    "reward": "mean reward",
    "right": "right answers",
    "equal": "groups all equal",
    "tokens": "tokens an answer",
    "entropy": "entropy (nats)",
    "kl": "KL to start (nats)",
}

# Of a twentieth of the steps, as for losses, the mean of so few answers still jumps.
_PARTS = 8


def by_reward(comparison: Comparison) -> list[OneSeed]:
    """Trainings that have curves of rewards, each once: a reused model has those of its own variant."""
    return [
        own
        for own in comparison.run.replicates
        if is_by_reward(own.training) and "model_of" not in own.training
    ]


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    trained = by_reward(comparison)
    if not trained:
        return "No curves of rewards: no variant of this run was trained by reward."
    ends = [smoothed(_curve(own, "right")[1], _PARTS) for own in trained]
    before, after = ([float(curve[place]) for curve in ends] for place in (0, -1))
    return (
        f"Reward, right answers, equal groups, lengths, entropy and KL over the steps of "
        f"{plural(len(trained), 'training')} by reward; right answers go from {_reach(before)} to {_reach(after)}."
    )


def _reach(shares: Sequence[float]) -> str:
    """A share, or the least and the greatest of several."""
    low, high = f"{min(shares):.1%}", f"{max(shares):.1%}"
    return low if low == high else f"{low} – {high}"


def draw(comparison: Comparison, width: float) -> Figure:
    """The chart of a compared run."""
    trained, looks = by_reward(comparison), styles_of(comparison.run)
    if not trained:
        return message(TITLE, "No variant was trained by reward.", width)
    # With beta: 0 there is no KL.
    shown = [key for key in PANELS if any(key in _curves(own) for own in trained)]
    columns = 3 if is_wide(width) else 2
    rows = math.ceil(len(shown) / columns)
    height = 0.5 + rows * (1.9 if is_wide(width) else 1.7)
    figure = Figure(figsize=(width, height), layout=LAYOUT)
    grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
    panels = dict(zip(shown, grid.flat, strict=False))
    for empty in grid.flat[len(shown) :]:
        empty.remove()
    labelled: set[str] = set()
    for own in trained:
        name = own.replicate.variant
        # A variant's seeds share its look, and its line of the legend.
        label = "_" if name in labelled else name
        for key, axes in panels.items():
            if key in _curves(own):
                _draw_curve(axes, own, key, label, looks[name])
        labelled.add(name)
    for place, (key, axes) in enumerate(panels.items()):
        _finish(axes, PANELS[key], is_lowest=place + columns >= len(shown))
    lines = "one line a seed, " if comparison.run.has_seeds else ""
    add_title(grid[0, 0], f"{TITLE}; {lines}strong lines: mean of nearby steps", width)
    add_legend(figure, *panels["reward"].get_legend_handles_labels())
    return figure


def _curves(own: OneSeed) -> Mapping[str, Sequence[float | None]]:
    curves: Mapping[str, Sequence[float | None]] = own.training["learning"]["curves"]
    return curves


def _curve(own: OneSeed, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of a curve, where they are known."""
    curves = _curves(own)
    steps, values = (np.array(curves[name], dtype=float) for name in ("step", key))
    known = ~np.isnan(values)
    return steps[known], values[known]


def _draw_curve(axes: Axes, own: OneSeed, key: str, label: str, look: Style) -> None:
    steps, values = _curve(own, key)
    means = smoothed(values, _PARTS)
    axes.plot(steps, values, color=look.colour, linewidth=0.7, alpha=0.3)
    axes.plot(
        steps,
        means,
        label=label,
        color=look.colour,
        linestyle=look.line,
        marker=look.marker,
        markersize=4,
        markevery=max(1, len(steps) // 4),
        markeredgecolor="black",
        markeredgewidth=0.5,
        gid=mark_title(f"{own.label}, {PANELS[key]}: {means[0]:.3g} to {means[-1]:.3g}"),
    )


def _finish(axes: Axes, title: str, *, is_lowest: bool) -> None:
    axes.set_title(title, loc="left", fontsize="medium")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.grid(axis="y", color="0.88", linewidth=0.8)
    if is_lowest:
        # Also above a place that is left empty.
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("optimiser step")


CHART = Chart("reward_curves", TITLE, alt_text, draw)
