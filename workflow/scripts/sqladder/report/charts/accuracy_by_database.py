"""Heat map of every variant's accuracy on each database."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from sqladder.report.charted import charted_in_order, which_are_charted
from sqladder.report.charts.drawing import (
    INCH_PER_LETTER,
    INCH_PER_LINE,
    LAYOUT,
    Chart,
    add_title,
    broken,
    is_wide,
    mark_title,
)
from sqladder.report.comparison import Comparison
from sqladder.report.results import Run, Variant, count
from sqladder.texts.numbers import plural

TITLE = "Accuracy by database"

CELL = 0.34
"""Least width of a cell in inches, which holds its number."""


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    return (
        f"Heat map of the accuracy of {plural(len(charted_in_order(comparison)), 'variant')} on "
        f"{plural(len(comparison.run.by_database), 'database')}; the numbers are in the table below."
    )


def draw(comparison: Comparison, width: float) -> Figure:
    """The chart of a compared run: panels one below the other where one does not hold all variants."""
    run, variants = comparison.run, charted_in_order(comparison)
    letters = 28 if is_wide(width) else 14
    labels = [
        broken(f"{name} ({int(chosen.sum())})", letters) for name, chosen in run.by_database.items()
    ]
    lines = max(label.count("\n") + 1 for label in labels)
    longest = max(len(line) for label in labels for line in label.split("\n"))
    a_row = max(1, int((width - 0.6 - longest * 0.85 * INCH_PER_LETTER) / CELL))
    parts = [variants[first : first + a_row] for first in range(0, len(variants), a_row)]
    names = max(len(line) for v in variants for line in _name(v).split("\n"))
    height = 0.5 + names * INCH_PER_LETTER * 0.8 + (0.11 + INCH_PER_LINE * lines) * len(labels)
    figure = Figure(figsize=(width, 0.4 + height * len(parts)), layout=LAYOUT)
    panels = figure.subplots(len(parts), squeeze=False)[:, 0]
    for axes, part in zip(panels, parts, strict=True):
        # Cells of the last panel are as wide as those of the others.
        _heat_map(cast("Axes", axes), run, part, labels, len(parts[0]))
    add_title(panels[0], f"Accuracy by database (n){which_are_charted(comparison)}", width)
    return figure


def _name(variant: Variant) -> str:
    return broken(variant.name, 18)


def _heat_map(
    axes: Axes, run: Run, variants: Sequence[Variant], labels: Sequence[str], columns: int
) -> None:
    databases = run.by_database.values()
    rates = np.array(
        [[count(v.correct, chosen, run.groups).rate for v in variants] for chosen in databases]
    )
    image = axes.imshow(rates, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(rates):
        tone = _readable_on(image.cmap(image.norm(share)))
        place = labels[row].replace("\n", " ")
        text = axes.text(column, row, f"{share:.2f}", ha="center", va="center", color=tone, size=8)
        text.set_gid(mark_title(f"{variants[column].name}, {place}: {share:.3f}"))
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xticks(
        range(len(variants)),
        [_name(v) for v in variants],
        rotation=35,
        ha="right",
        rotation_mode="anchor",
    )
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _readable_on(colour: ArrayLike) -> str:
    """Black or white, whichever stands out more from a colour: at least 4.5 to 1 (WCAG 2.2)."""
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.asarray(colour)[:3]
    ]
    light = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return "black" if (light + 0.05) / 0.05 > 1.05 / (light + 0.05) else "white"


CHART = Chart("accuracy_by_database", TITLE, alt_text, draw)
