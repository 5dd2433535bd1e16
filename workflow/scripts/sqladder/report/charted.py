"""Which variants are drawn, and are columns of tables, where there are many."""

from sqladder.report.comparison import Comparison
from sqladder.report.results import Variant
from sqladder.texts.numbers import number

MOST = 12
"""Variants of which each can still be told from the others in a chart, and has a column that can be read."""


def charted(comparison: Comparison) -> list[Variant]:
    """All variants in the order of the ranking; of more than `MOST` the first ones and the baseline."""
    first = list(comparison.ranking[:MOST])
    baseline = comparison.run.baseline
    if baseline is not None and baseline not in {variant.name for variant in first}:
        first[-1] = comparison.run.named(baseline)
    return first


def charted_in_order(comparison: Comparison) -> list[Variant]:
    """The same variants in the order of the config, which is that of bars, columns and legends."""
    names = {variant.name for variant in charted(comparison)}
    return [variant for variant in comparison.run.variants if variant.name in names]


def which_are_charted(comparison: Comparison) -> str:
    """What is left out, with a comma; "" where nothing is."""
    total = len(comparison.ranking)
    if total <= MOST:
        return ""
    kept = "with the baseline" if comparison.run.baseline is not None else "the first ones"
    return f", {MOST} of {number(total)} variants, {kept}"
