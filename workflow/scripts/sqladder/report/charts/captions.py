"""Which charts there are, their titles, and their content in words for those who cannot see them."""

from collections.abc import Sequence
from statistics import fmean

from sqladder.report.comparison import Comparison, Pair
from sqladder.report.cost import device_seconds
from sqladder.report.results import OneSeed, Variant, failure_counts, failure_kinds, level_count
from sqladder.report.taxonomy import KINDS
from sqladder.texts.numbers import amount, listing, plural, points, rate

TITLES = {
    "accuracy_by_level": "Accuracy by level",
    "paired_differences": "Paired differences",
    "accuracy_by_database": "Accuracy by database",
    "errors": "What went wrong",
    "loss_curves": "Training loss",
    "cost_vs_accuracy": "Training time and accuracy",
}

FOREST_ROWS = 15
"""Rows of the forest plot that still read well; with more pairs only some are drawn."""


def drawn_pairs(comparison: Comparison) -> tuple[Sequence[Pair], str]:
    """The pairs of the forest plot and what they are: all, or those with one reference variant."""
    if len(comparison.pairs) <= FOREST_ROWS:
        return comparison.pairs, "all pairs"
    if comparison.run.baseline is not None:
        return list(comparison.against_baseline()), "each variant less the baseline"
    top = comparison.ranking[0].name
    pairs = [pair for pair in comparison.pairs if pair.first == top]
    return pairs, f"{top} less each other variant"


def with_curve(comparison: Comparison) -> list[OneSeed]:
    """Trainings that wrote a loss curve."""
    return [own for own in comparison.run.replicates if own.training.get("loss_curve")]


def with_cost(comparison: Comparison) -> list[tuple[Variant, float]]:
    """Variants whose training time is known, in seconds of all devices, mean over seeds; an untrained one took none."""
    found = []
    for variant in comparison.run.variants:
        taken = [device_seconds(own.training) for own in variant.seeds]
        if None not in taken:
            found.append((variant, fmean(taken)))
    return found


def alt_text(comparison: Comparison, chart: str) -> str:
    """A chart's content as one sentence."""
    return _ALT_TEXTS[chart](comparison)


def _levels(comparison: Comparison) -> str:
    run = comparison.run
    parts = [
        f"{v.name} "
        + ", ".join(
            f"{level} {rate(level_count(run, v, level).rate)}"
            for level in ("easy", "medium", "hard", "extra", "all")
        )
        for v in run.variants
    ]
    return f"Grouped bars of accuracy by level, with 95 % intervals: {'; '.join(parts)}."


def _differences(comparison: Comparison) -> str:
    pairs, which = drawn_pairs(comparison)
    if not pairs:
        return "No paired differences: the run has one variant."
    parts = [f"{p.first} less {p.second} {points(p.difference)}" for p in pairs]
    return f"Differences in percentage points with 95 % intervals, {which}: {'; '.join(parts)}."


def _databases(comparison: Comparison) -> str:
    run = comparison.run
    return (
        f"Heat map of the accuracy of {plural(len(run.variants), 'variant')} on "
        f"{plural(len(run.by_database), 'database')}; the numbers are in the table below."
    )


def _errors(comparison: Comparison) -> str:
    kinds = failure_kinds(comparison.run)
    parts = []
    for variant in comparison.run.variants:
        counts = failure_counts(variant)
        told = ", ".join(f"{KINDS[kind]} {amount(counts[kind])}" for kind in kinds if counts[kind])
        parts.append(f"{variant.name} {told or 'none'}")
    return f"Stacked bars of failures by what went wrong: {'; '.join(parts)}."


def _losses(comparison: Comparison) -> str:
    names = [own.label for own in with_curve(comparison)]
    if not names:
        return "No loss curves: no variant was trained in this run."
    ends = [f"{o.label} {o.training['loss_curve'][-1][1]:.3f}" for o in with_curve(comparison)]
    return f"Training loss over steps of {listing(names)}; last values: {'; '.join(ends)}."


def _cost(comparison: Comparison) -> str:
    names = [variant.name for variant, _ in with_cost(comparison)]
    if not names:
        return "No training times: no variant was trained in this run."
    return f"Accuracy over all questions against training time, of all devices together, of {listing(names)}."


_ALT_TEXTS = {
    "accuracy_by_level": _levels,
    "paired_differences": _differences,
    "accuracy_by_database": _databases,
    "errors": _errors,
    "loss_curves": _losses,
    "cost_vs_accuracy": _cost,
}
