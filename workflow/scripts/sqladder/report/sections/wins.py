"""Which questions each variant of a pair wins."""

from collections import Counter
from collections.abc import Sequence

from numpy.typing import NDArray

from sqladder.report.charts.paired_differences import drawn_pairs
from sqladder.report.comparison import Pair
from sqladder.report.metrics import LEVELS
from sqladder.report.results import Run
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
    return f"""## Who wins which questions

Questions that only one of two variants answers right, {escape(which)}{means}:

{folded("All of them", 2 * len(pairs), wins_table(pairs, comparison.run))}"""


def wins_table(pairs: Sequence[Pair], run: Run) -> str:
    """Which questions each variant of a pair wins: how many by level, and what the other did wrong."""
    rows = []
    for pair in pairs:
        for winner, loser in ((pair.first, pair.second), (pair.second, pair.first)):
            won, kinds = won_by(run, winner, loser)
            counts = [won[run.select(level)].sum() for level in ("all", *LEVELS)]
            faults = [f"{KINDS[kind]} ({amount(n)})" for kind, n in kinds.most_common(3)]
            names = f"{escape(winner)}, not {escape(loser)}"
            rows.append([names, *map(amount, counts), ", ".join(faults) or "none"])
    header = ["right", "questions", *LEVELS, "most frequent faults of the other"]
    return table(header, rows, "lrrrrrl")


def won_by(run: Run, winner: str, loser: str) -> tuple[NDArray, Counter[str]]:
    """Which questions only the first of two variants answers right, and what the other did wrong.

    Returns:
        For each question the share of the pairs of their seeds in which it is so, 0 or 1 with one seed
        each; and the sum of these shares by the kind of the loser's failure.
    """
    right, others = run.named(winner).correct.mean(axis=0), run.named(loser)
    kinds: Counter[str] = Counter()
    for own in others.seeds:
        for share, failure in zip(right, own.failures, strict=True):
            if share > 0 and failure:
                kinds[failure["kind"]] += share / len(others.seeds)
    return right * (1 - others.correct.mean(axis=0)), kinds
