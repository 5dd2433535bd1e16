"""The charts as SVG: same order, colour, hatch and marker for a variant in all of them."""

import io
import math
import re
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sqladder.files import replacing, write_text
from sqladder.report.charts.captions import TITLES, alt_text, drawn_pairs, with_cost, with_curve
from sqladder.report.charts.styles import Style, kind_style, style
from sqladder.report.comparison import Comparison, Pair
from sqladder.report.results import (
    LEVELS,
    Count,
    Run,
    count,
    failure_counts,
    failure_kinds,
    level_count,
)
from sqladder.report.sections.tables import TITLES as LEVEL_TITLES
from sqladder.report.taxonomy import KINDS
from sqladder.texts.numbers import amount, number, p_phrase, points, rate, seconds

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
SETTINGS = {
    "svg.hashsalt": "sqladder",
    "svg.fonttype": "none",
    # A name with dollar signs is a name, not a formula.
    "text.parse_math": False,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
}

INCH_PER_LETTER = 0.08

DOTS_PER_INCH = 160
"""Of PNG: sharp on a slide and on screens with small dots."""

_TIP = "tip: "
_TIP_ID = re.compile(rf'<g id="{_TIP}([^"]*)">')


def plot(comparison: Comparison, chart: str) -> Figure:
    """Draw one of the charts named in `captions.TITLES`."""
    with mpl.rc_context({**SETTINGS, "font.family": font_families()}):
        figure = _CHARTS[chart](comparison)
        # Laid out once for both files, which would otherwise each draw the whole chart once more to measure it.
        figure.get_layout_engine().execute(figure)
        figure.set_layout_engine(None)
        return figure


def font_families() -> list[str]:
    """Families that a letter is looked for in, one after the other; a font that is not installed would be warned of."""
    installed = font_manager.get_font_names()
    return ["sans-serif", *(name for name in FALLBACK_FONTS if name in installed)]


def save(figure: Figure, path: Path, comparison: Comparison, chart: str) -> None:
    """Write a chart as SVG with title and description, the same bytes for the same numbers."""
    about = {"Title": TITLES[chart], "Description": alt_text(comparison, chart), "Date": None}
    text = io.StringIO()
    with mpl.rc_context(SETTINGS):
        figure.savefig(text, format="svg", metadata=about, facecolor="white")
    write_text(path, _TIP_ID.sub(r"<g><title>\1</title>", text.getvalue()))


def save_png(figure: Figure, path: Path, comparison: Comparison, chart: str) -> None:
    """Write a chart as PNG with its description, the same bytes for the same numbers."""
    about = {"Title": TITLES[chart], "Description": alt_text(comparison, chart), "Software": None}
    with mpl.rc_context(SETTINGS), replacing(path) as temporary:
        figure.savefig(
            temporary, format="png", dpi=DOTS_PER_INCH, metadata=about, facecolor="white"
        )


def _tip(text: str) -> str:
    """An id that becomes the title of a part of the SVG, which browsers show over it."""
    return f"{_TIP}{text}"


def _about(total: Count) -> str:
    """An accuracy with its interval in words, for the title of a mark."""
    low, high = total.interval
    told = f"{rate(total.rate)} ({low:.3f} to {high:.3f}), {amount(total.correct)} of {total.n}"
    seeds = len(total.by_seed)
    return told if seeds == 1 else f"{told}, mean of {seeds} seeds"


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    # Room for a reader's font that is wider than the one the layout was computed with.
    figure.get_layout_engine().set(w_pad=0.15, h_pad=0.08)
    return figure, figure.add_subplot()


def _message(chart: str, text: str) -> Figure:
    """A chart that has nothing to show says why."""
    figure, axes = _figure(7, 1.6)
    axes.set_axis_off()
    axes.set_title(TITLES[chart], loc="left")
    axes.text(0, 0.5, text, transform=axes.transAxes, va="center")
    return figure


def _styles(run: Run) -> dict[str, Style]:
    return {variant.name: style(position) for position, variant in enumerate(run.variants)}


def _errors(total: Count) -> tuple[float, float]:
    """Lengths of the error bar below and above an accuracy; none without questions."""
    if total.rate is None:
        return 0.0, 0.0
    low, high = total.interval
    share = total.rate
    return max(0.0, share - low), max(0.0, high - share)


def _legend(figure: Figure, handles: list, labels: list[str]) -> None:
    """A legend under the chart, in columns as its labels leave room for; it adds to the height."""
    letters = max(len(label) for label in labels) + 6
    columns = max(1, int(figure.get_figwidth() / (letters * INCH_PER_LETTER)))
    rows = math.ceil(len(labels) / columns)
    figure.set_figheight(figure.get_figheight() + 0.2 * rows)
    figure.legend(handles, labels, loc="outside lower center", ncols=min(columns, len(labels)))


def _levels(comparison: Comparison) -> Figure:
    run, looks = comparison.run, _styles(comparison.run)
    shown, variants = (*LEVELS, "all"), len(run.variants)
    figure, axes = _figure(min(16, max(7.5, 3 + 0.34 * variants * len(shown))), 4.7)
    width = min(0.4, 0.84 / variants)
    for position, variant in enumerate(run.variants):
        places = np.arange(len(shown)) + (position - (variants - 1) / 2) * width
        totals = [level_count(run, variant, level) for level in shown]
        bars = _bars(axes, places, totals, width, looks[variant.name], variant.name)
        for bar, level, total in zip(bars, shown, totals, strict=True):
            bar.set_gid(_tip(f"{variant.name}, {level}: {_about(total)}"))
        _label_bars(axes, places, totals)
    sizes = [level_count(run, run.variants[0], level).n for level in shown]
    ticks = [f"{LEVEL_TITLES[level]}\nn = {n:,}" for level, n in zip(shown, sizes, strict=True)]
    axes.set_xticks(range(len(shown)), ticks)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.55, len(shown) - 0.45)
    _share_axis(axes)
    means = ", means over seeds" if run.has_seeds else ""
    axes.set_title(f"Accuracy by level{means}, with 95 % intervals", loc="left")
    _legend(figure, *axes.get_legend_handles_labels())
    return figure


def _bars(
    axes: Axes, places: np.ndarray, totals: list[Count], width: float, look: Style, name: str
) -> BarContainer:
    return axes.bar(
        places,
        [total.rate or 0.0 for total in totals],
        width,
        label=name,
        color=look.colour,
        hatch=look.hatch,
        edgecolor="black",
        linewidth=0.6,
        yerr=np.array([_errors(total) for total in totals]).T,
        error_kw={"elinewidth": 0.9, "capsize": 2},
    )


def _label_bars(axes: Axes, places: np.ndarray, totals: list[Count]) -> None:
    """The accuracy above each error bar, upright so that neighbours cannot overlap."""
    for place, total in zip(places, totals, strict=True):
        if total.n:
            top = total.rate + _errors(total)[1]
            axes.text(
                place,
                top + 0.012,
                f"{total.rate:.3f}",
                rotation=90,
                ha="center",
                va="bottom",
                size=7.5,
            )


def _share_axis(axes: Axes) -> None:
    axes.set_ylim(0, 1.12)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_ylabel("accuracy")
    axes.grid(axis="y", color="0.88", linewidth=0.8)
    axes.set_axisbelow(True)


def _differences(comparison: Comparison) -> Figure:
    pairs, which = drawn_pairs(comparison)
    if not pairs:
        return _message("paired_differences", "The run has one variant: there is no pair.")
    labels = [f"{pair.first} − {pair.second}" for pair in pairs]
    letters = max(len(label) for label in labels)
    figure, axes = _figure(5.5 + letters * INCH_PER_LETTER, 1.5 + 0.34 * len(pairs))
    for row, pair in enumerate(pairs):
        _forest_row(axes, row, pair)
    axes.axvline(0, color="black", linewidth=0.9)
    axes.set_yticks(range(len(pairs)), labels)
    axes.set_ylim(len(pairs) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color="0.88", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_xlabel("difference in percentage points (95 % interval)")
    axes.set_title(f"Paired differences, {which}", loc="left")
    handles = [
        Line2D([], [], marker="o", color="black", markerfacecolor=fill, linestyle="-")
        for fill in ("black", "white")
    ]
    _legend(figure, handles, ["told apart (Holm, 5 %)", "not told apart"])
    return figure


def _forest_row(axes: Axes, row: int, pair: Pair) -> None:
    low, high = (100 * end for end in pair.interval)
    told = f"{points(pair.difference)} ({low:+.1f} to {high:+.1f})".replace("-", "−")
    tip = _tip(f"{pair.first} − {pair.second}: {told}, {p_phrase(pair.p)}")
    axes.plot([low, high], [row, row], color="black", linewidth=1.3, gid=tip)
    axes.plot(
        100 * pair.difference,
        row,
        marker="o",
        markersize=7,
        color="black",
        markerfacecolor="black" if pair.told_apart else "white",
        gid=tip,
    )


def _databases(comparison: Comparison) -> Figure:
    run = comparison.run
    databases, variants = run.by_database, run.variants
    rates = np.array(
        [[count(v.correct, chosen).rate for v in variants] for chosen in databases.values()]
    )
    labels = [f"{name} ({int(chosen.sum())})" for name, chosen in databases.items()]
    letters = max(len(label) for label in labels)
    names = max(len(variant.name) for variant in variants)
    figure, axes = _figure(
        1.6 + letters * INCH_PER_LETTER + 0.75 * len(variants),
        1.1 + names * INCH_PER_LETTER * 0.8 + 0.27 * len(labels),
    )
    image = axes.imshow(rates, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(rates):
        tone = _readable_on(image.cmap(image.norm(share)))
        tip = _tip(f"{variants[column].name}, {labels[row]}: {share:.3f}")
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


def _readable_on(colour: tuple[float, ...]) -> str:
    """Black or white, whichever stands out more from a colour: at least 4.5 to 1 (WCAG 2.2)."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour[:3]]
    light = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return "black" if (light + 0.05) / 0.05 > 1.05 / (light + 0.05) else "white"


def _failures(comparison: Comparison) -> Figure:
    run, kinds = comparison.run, failure_kinds(comparison.run)
    if not kinds:
        return _message("errors", "Every answer of every variant is right.")
    names = [variant.name for variant in run.variants]
    letters = max(len(name) for name in names)
    figure, axes = _figure(7 + letters * INCH_PER_LETTER, 1.5 + 0.45 * len(names))
    longest = max(sum(failure_counts(variant).values()) for variant in run.variants)
    ends = np.zeros(len(names))
    for kind in kinds:
        widths = np.array([failure_counts(variant)[kind] for variant in run.variants])
        _stack(axes, names, ends, widths, kind, 0.035 * longest)
        ends += widths
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(0, 1.02 * longest)
    means = ", means over seeds" if run.has_seeds else ""
    axes.set_xlabel(f"failures among {run.n:,} questions{means}")
    axes.set_title(TITLES["errors"], loc="left")
    _legend(figure, *axes.get_legend_handles_labels())
    return figure


def _stack(
    axes: Axes, names: list[str], starts: np.ndarray, widths: np.ndarray, kind: str, room: float
) -> None:
    """One kind's part of every bar, with its count where it is wider than `room`."""
    colour, hatch = kind_style(kind)
    bars = axes.barh(
        range(len(widths)),
        widths,
        0.72,
        left=starts,
        label=KINDS[kind],
        color=colour,
        hatch=hatch,
        edgecolor="black",
        linewidth=0.6,
    )
    for name, bar, width in zip(names, bars, widths, strict=True):
        bar.set_gid(_tip(f"{name}, {KINDS[kind]}: {amount(width)}"))
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    for row, (start, width) in enumerate(zip(starts, widths, strict=True)):
        if width > room:
            where = (start + width / 2, row)
            axes.text(*where, number(width), ha="center", va="center", size=7.5, bbox=box)


def _losses(comparison: Comparison) -> Figure:
    trained, looks = with_curve(comparison), _styles(comparison.run)
    if not trained:
        return _message("loss_curves", "No variant was trained in this run.")
    figure, axes = _figure(7.5, 4.2)
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
            gid=_tip(f"{own.label}: {losses[-1]:.3f} at the last step"),
        )
        labelled.add(name)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("optimiser step")
    axes.set_ylabel("training loss")
    axes.grid(axis="y", color="0.88", linewidth=0.8)
    lines = "one line a seed, " if comparison.run.has_seeds else ""
    axes.set_title(
        f"{TITLES['loss_curves']}; {lines}strong lines: mean of nearby steps", loc="left"
    )
    _legend(figure, *axes.get_legend_handles_labels())
    return figure


def smoothed(values: np.ndarray) -> np.ndarray:
    """Mean over a twentieth of the steps around each; at the ends over those that there are."""
    window = np.ones(len(values) // 40 * 2 + 1)
    return np.convolve(values, window, "same") / np.convolve(np.ones(len(values)), window, "same")


def _cost(comparison: Comparison) -> Figure:
    known, looks = with_cost(comparison), _styles(comparison.run)
    if not known:
        return _message("cost_vs_accuracy", "No training time is known for any variant.")
    longest = max(taken for _, taken in known)
    unit, length = ("hours", 3600) if longest > 7200 else ("minutes", 60)
    figure, axes = _figure(7.5, 4.4)
    for variant, taken in known:
        total, look = level_count(comparison.run, variant, "all"), looks[variant.name]
        drawn = axes.errorbar(
            taken / length,
            total.rate,
            yerr=np.array([_errors(total)]).T,
            label=variant.name,
            color=look.colour,
            ecolor="black",
            marker=look.marker,
            markersize=9,
            markeredgecolor="black",
            linestyle="",
            capsize=3,
            elinewidth=0.9,
        )
        drawn.lines[0].set_gid(_tip(f"{variant.name}: {_about(total)}, {seconds(taken)}"))
    # The room left of 0 keeps the marker of an untrained variant whole.
    axes.set_xlim(-0.03 * (longest or 1) / length, 1.05 * (longest or 1) / length)
    axes.set_xlabel(f"training time in {unit}, of all devices together")
    _share_axis(axes)
    axes.set_title(f"{TITLES['cost_vs_accuracy']}, with 95 % intervals", loc="left")
    _legend(figure, *axes.get_legend_handles_labels())
    return figure


_CHARTS: dict[str, Callable[[Comparison], Figure]] = {
    "accuracy_by_level": _levels,
    "paired_differences": _differences,
    "accuracy_by_database": _databases,
    "errors": _failures,
    "loss_curves": _losses,
    "cost_vs_accuracy": _cost,
}
