"""What all charts share: widths, fonts and settings, figures, legends, titles of marks, and files of the same bytes."""

import io
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from sqladder.files import replacing, write_text
from sqladder.report.charts.styles import Style, style
from sqladder.report.comparison import Comparison
from sqladder.report.results import Count, Run
from sqladder.texts.numbers import amount, rate

# For names in scripts that matplotlib's own font lacks; where none is installed it warns of each missing letter.
FALLBACK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
    "Arial Unicode MS",
)


# A fixed salt and no date make the SVG of the same numbers the same bytes; text stays text, so that
# it can be selected, searched and read aloud.
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "sqladder",
    "svg.fonttype": "none",
    # A name with dollar signs is a name, not a formula.
    "text.parse_math": False,
    "figure.titlesize": "medium",
    "figure.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
}

# Room for a reader's font that is wider than the one the layout was computed with.
LAYOUT = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.08)

INCH_PER_LETTER = 0.08

WIDE = 9.2
"""Inches of a chart on a screen: 883 pixels of a page, and what GitHub leaves a report."""

NARROW = 3.65
"""Inches of the same chart on a phone: 350 pixels."""

FONT_SIZES = {WIDE: 10.0, NARROW: 8.5}
"""Points; a point is 4/3 pixels of a page, on which a chart is as large as it was drawn."""

SMALLEST = 7.5
"""Points of the smallest letters: 10 pixels."""

INCH_PER_LINE = 0.165
"""Height of a line of a label."""

DOTS_PER_INCH = 160
"""Of PNG: sharp on a slide and on screens with small dots."""

_TIP = "tip: "
_TIP_ID = re.compile(rf'<g id="{_TIP}([^"]*)">')


class Chart(NamedTuple):
    """One of the report's charts.

    Attributes:
        name: of its files.
        title: what it shows.
        alt_text: its content as one sentence, for those who cannot see it.
        draw: its picture, of a width in inches.
    """

    name: str
    title: str
    alt_text: Callable[[Comparison], str]
    draw: Callable[[Comparison, float], Figure]


def plot(comparison: Comparison, chart: Chart, width: float = WIDE) -> Figure:
    """A chart of a run, laid out for one of the two widths."""
    fonts: dict[Any, Any] = {"font.family": font_families(), "font.size": FONT_SIZES[width]}
    with mpl.rc_context({**SETTINGS, **fonts}):
        figure = chart.draw(comparison, width)
        # Laid out once for both files, which would otherwise each draw the whole chart once more to measure it.
        LAYOUT.execute(figure)
        figure.set_layout_engine(None)
        return figure


def narrow_file(path: Path) -> Path:
    """The file of a chart as it is drawn for a phone, beside that of the wide one."""
    return path.with_stem(f"{path.stem}_narrow")


def font_families() -> list[str]:
    """Families that a letter is looked for in, one after the other; a font that is not installed would be warned of."""
    installed = font_manager.get_font_names()
    return ["sans-serif", *(name for name in FALLBACK_FONTS if name in installed)]


def without_font(names: Iterable[str]) -> list[str]:
    """Names with letters that no font in use has: a PNG shows boxes in their place."""
    foreign = [name for name in names if not name.isascii()]
    if not foreign:
        return []
    known: set[int] = set()
    for family in font_families():
        path = font_manager.findfont(font_manager.FontProperties(family=[family]))
        known |= font_manager.get_font(path).get_charmap().keys()
    return [name for name in foreign if not {ord(letter) for letter in name} <= known]


def save(figure: Figure, path: Path, comparison: Comparison, chart: Chart) -> None:
    """Write a chart as SVG with title and description, the same bytes for the same numbers."""
    about = {"Title": chart.title, "Description": chart.alt_text(comparison), "Date": None}
    text = io.StringIO()
    with mpl.rc_context(SETTINGS):
        figure.savefig(text, format="svg", metadata=about, facecolor="white")
    write_text(path, _TIP_ID.sub(r"<g><title>\1</title>", text.getvalue()))


def save_png(figure: Figure, path: Path, comparison: Comparison, chart: Chart) -> None:
    """Write a chart as PNG with its description, the same bytes for the same numbers."""
    about = {"Title": chart.title, "Description": chart.alt_text(comparison), "Software": None}
    with mpl.rc_context(SETTINGS), replacing(path) as temporary:
        figure.savefig(
            temporary, format="png", dpi=DOTS_PER_INCH, metadata=about, facecolor="white"
        )


def mark_title(text: str) -> str:
    """An id that becomes the title of a part of the SVG, which browsers show over it."""
    return f"{_TIP}{text}"


def described(total: Count) -> str:
    """An accuracy with its interval in words, for the title of a mark."""
    low, high = total.interval
    told = f"{rate(total.rate)} ({low:.3f} to {high:.3f}), {amount(total.correct)} of {total.n}"
    seeds = len(total.by_seed)
    return told if seeds == 1 else f"{told}, mean of {seeds} seeds"


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure of a size in inches."""
    figure = Figure(figsize=(width, height), layout=LAYOUT)
    return figure, figure.add_subplot()


def is_wide(width: float) -> bool:
    """Whether there is room for more than the least."""
    return width > NARROW


def message(title: str, text: str, width: float) -> Figure:
    """A chart that has nothing to show says why."""
    figure, axes = new_figure(width, 1.6)
    axes.set_axis_off()
    add_title(axes, title, width)
    axes.text(0, 0.5, _wrapped(text, width), transform=axes.transAxes, va="center")
    return figure


def add_title(axes: Axes, text: str, width: float) -> None:
    """A title in as many lines as it needs, from the chart's left edge on."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.suptitle(_wrapped(text, width), x=0.01, ha="left")


def _wrapped(text: str, width: float) -> str:
    return textwrap.fill(text, int(0.8 * width / INCH_PER_LETTER))


def broken(name: str, letters: int) -> str:
    """A long name in lines of so many letters, which begin behind a space or a sign where there is one."""
    parts = re.findall(r"[^\s_./-]*[\s_./-]*", name)
    lines = [""]
    for part in parts:
        if lines[-1] and len(lines[-1]) + len(part.rstrip()) > letters:
            lines.append("")
        lines[-1] += part
    return "\n".join(textwrap.fill(line.strip(), letters) for line in lines if line.strip())


def row_heights(labels: Sequence[str], room: float) -> tuple[list[float], float]:
    """The middle of each row of a chart from its top, and the height of all, in inches, with `room` between labels."""
    heights = [INCH_PER_LINE * (1 + label.count("\n")) + room for label in labels]
    ends = np.cumsum(heights)
    return list(ends - np.array(heights) / 2), float(ends[-1])


def styles_of(run: Run) -> dict[str, Style]:
    """The look of each variant of a run."""
    return {variant.name: style(position) for position, variant in enumerate(run.variants)}


def error_lengths(total: Count) -> tuple[float, float]:
    """Lengths of the error bar below and above an accuracy; none without questions."""
    if total.rate is None:
        return 0.0, 0.0
    low, high = total.interval
    share = total.rate
    return max(0.0, share - low), max(0.0, high - share)


def add_legend(figure: Figure, handles: list, labels: list[str]) -> None:
    """A legend under the chart, in columns as its labels leave room for; it adds to the height."""
    letters = max(len(label) for label in labels) + 9
    columns = max(1, int(figure.get_figwidth() / (letters * INCH_PER_LETTER)))
    rows = math.ceil(len(labels) / columns)
    figure.set_figheight(figure.get_figheight() + 0.2 * rows)
    figure.legend(handles, labels, loc="outside lower center", ncols=min(columns, len(labels)))


def share_axis(axes: Axes) -> None:
    """Let the vertical axis show accuracies from 0 to 1."""
    axes.set_ylim(0, 1.12)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_ylabel("accuracy")
    axes.grid(axis="y", color="0.88", linewidth=0.8)
    axes.set_axisbelow(True)
