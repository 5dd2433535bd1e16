"""Which variants are drawn, and are columns of tables, where there are many."""

from sqladder.report.comparison import MOST, Comparison
from sqladder.report.results import Variant
from sqladder.texts.numbers import number


def charted_in_order(comparison: Comparison) -> list[Variant]:
    """The same variants in the order of the config, which is that of bars, columns and legends."""
    names = {variant.name for variant in comparison.charted}
    return [variant for variant in comparison.run.variants if variant.name in names]


def which_are_charted(comparison: Comparison) -> str:
    """What is left out, with a comma; "" where nothing is."""
    total = len(comparison.ranking)
    if total <= MOST:
        return ""
    kept = "with the baseline" if comparison.run.baseline is not None else "the first ones"
    return f", {MOST} of {number(total)} variants, {kept}"


def of_charted(comparison: Comparison) -> str:
    """Whose pairs a table has, where those of all variants are too many to read; "" where it has all."""
    if len(comparison.ranking) <= MOST:
        return ""
    return f" of {MOST} variants (all pairs are in pairs.csv)"
