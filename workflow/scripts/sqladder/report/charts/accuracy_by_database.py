"""Heat map of every variant's accuracy on each database."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from sqladder.report.charts.drawing import INCH_PER_LETTER, Chart, mark_title, new_figure
from sqladder.report.comparison import Comparison
from sqladder.report.results import count
from sqladder.texts.numbers import plural

TITLE = "Accuracy by database"


def alt_text(comparison: Comparison) -> str:
    """The chart in words."""
    run = comparison.run
    return (
        f"Heat map of the accuracy of {plural(len(run.variants), 'variant')} on "
        f"{plural(len(run.by_database), 'database')}; the numbers are in the table below."
    )


def draw(comparison: Comparison) -> Figure:
    """The chart of a compared run."""
    run = comparison.run
    databases, variants = run.by_database, run.variants
    rates = np.array(
        [
            [count(v.correct, chosen, run.groups).rate for v in variants]
            for chosen in databases.values()
        ]
    )
    labels = [f"{name} ({int(chosen.sum())})" for name, chosen in databases.items()]
    letters = max(len(label) for label in labels)
    names = max(len(variant.name) for variant in variants)
    figure, axes = new_figure(
        1.6 + letters * INCH_PER_LETTER + 0.75 * len(variants),
        1.1 + names * INCH_PER_LETTER * 0.8 + 0.27 * len(labels),
    )
    image = axes.imshow(rates, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(rates):
        tone = _readable_on(image.cmap(image.norm(share)))
        tip = mark_title(f"{variants[column].name}, {labels[row]}: {share:.3f}")
        text = axes.text(
            column, row, f"{share:.2f}", ha="center", va="center", color=tone, size=8.5
        )
        text.set_gid(tip)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xticks(
        range(len(variants)),
        [v.name for v in variants],
        rotation=35,
        ha="right",
        rotation_mode="anchor",
    )
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("Accuracy by database (n)", loc="left")
    figure.colorbar(image, label="accuracy", shrink=min(1.0, 4 / (0.27 * len(labels))), aspect=15)
    return figure


def _readable_on(colour: ArrayLike) -> str:
    """Black or white, whichever stands out more from a colour: at least 4.5 to 1 (WCAG 2.2)."""
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.asarray(colour)[:3]
    ]
    light = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return "black" if (light + 0.05) / 0.05 > 1.05 / (light + 0.05) else "white"


CHART = Chart("accuracy_by_database", TITLE, alt_text, draw)
