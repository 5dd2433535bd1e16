"""Which questions each variant of a pair wins."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sqladder.report.charts.paired_differences import drawn_pairs
from sqladder.report.comparison import Comparison, Pair
from sqladder.report.metrics import LEVELS
from sqladder.report.results import Variant
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.taxonomy import KINDS
from sqladder.texts.markdown import escape, folded, table
from sqladder.texts.numbers import amount


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    comparison = inputs.comparison
    pairs, which = drawn_pairs(comparison)
    if not pairs:
        return ""
    means = ", as means over the pairs of their seeds" if comparison.run.has_seeds else ""
    if any(comparison.marks.ask_the_same(pair.first, pair.second) for pair in pairs):
        means += " (those with the same model, where both ask the same)"
    return f"""## Who wins which questions

Questions that only one of two variants answers right, {escape(which)}{means}:

{folded("All of them", 2 * len(pairs), wins_table(pairs, comparison))}"""


def wins_table(pairs: Sequence[Pair], comparison: Comparison) -> str:
    """Which questions each variant of a pair wins: how many by level, and what the other did wrong."""
    rows, run = [], comparison.run
    for pair in pairs:
        for winner, loser in ((pair.first, pair.second), (pair.second, pair.first)):
            same = comparison.marks.ask_the_same(winner, loser)
            won, kinds = won_by(run.named(winner), run.named(loser), same)
            counts = [won[run.select(level)].sum() for level in ("all", *LEVELS)]
            faults = [f"{KINDS[kind]} ({amount(n)})" for kind, n in kinds.most_common(3)]
            names = f"{escape(winner)}, not {escape(loser)}"
            rows.append([names, *map(amount, counts), ", ".join(faults) or "none"])
    header = ["right", "questions", *LEVELS, "most frequent faults of the other"]
    return table(header, rows, "lrrrrrl")


def won_by(winner: Variant, loser: Variant, same_models: bool) -> tuple[NDArray, Counter[str]]:
    """Which questions only the first of two variants answers right, and what the other did wrong.

    Args:
        winner: that answers them right.
        loser: that does not.
        same_models: whether seed by seed both ask one model, so that only those are pairs.

    Returns:
        For each question the share of the pairs of their seeds in which it is so, 0 or 1 with one seed
        each; and the sum of these shares by the kind of the loser's failure.
    """
    right = winner.correct if same_models else winner.correct.mean(axis=0)[None]
    # Of each of the loser's seeds, how often the winner is right in the pairs that it is in.
    beside = np.broadcast_to(right, loser.correct.shape)
    kinds: Counter[str] = Counter()
    for shares, own in zip(beside, loser.seeds, strict=True):
        for share, failure in zip(shares, own.failures, strict=True):
            if share > 0 and failure:
                kinds[failure["kind"]] += share / len(loser.seeds)
    return (beside * ~loser.correct).mean(axis=0), kinds
