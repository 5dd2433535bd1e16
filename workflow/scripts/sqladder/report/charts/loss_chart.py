"""The loss curve of one training as a picture of its own; the report draws those of all variants in one."""

import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from sqladder.files import write_text
from sqladder.report.charts.drawing import SETTINGS, WIDE
from sqladder.report.charts.loss_curves import smoothed
from sqladder.report.charts.styles import style


def write_loss_chart(path: Path, label: str, curve: Sequence[tuple[int, float]]) -> None:
    """Write a loss curve as SVG, the same bytes for the same numbers.

    Args:
        path: the SVG file.
        label: of the variant, and its seed where it has several.
        curve: step and training loss of each point (train.json), of one at least.
    """
    steps, losses = np.array(curve, dtype=float).T
    look = style(0)
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(WIDE, 3.6), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(steps, losses, color=look.colour, linewidth=0.7, alpha=0.3)
        axes.plot(steps, smoothed(losses), color=look.colour)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("optimiser step")
        axes.set_ylabel("training loss")
        axes.grid(axis="y", color="0.88", linewidth=0.8)
        axes.set_title(f"{label}; strong line: mean of nearby steps", loc="left")
        text = io.StringIO()
        about = {
            "Title": f"Training loss of {label}",
            "Description": loss_text(curve),
            "Date": None,
        }
        figure.savefig(text, format="svg", metadata=about, facecolor="white")
    write_text(path, text.getvalue())


def loss_text(curve: Sequence[tuple[int, float]]) -> str:
    """A loss curve as one sentence."""
    (_, first), (last_step, last) = curve[0], curve[-1]
    return f"Training loss from {first:.3f} to {last:.3f} over {last_step:,} steps."
