"""Accuracy by level, with the ranking and the best variant of each."""

from sqladder.report.charted import charted_in_order, of_charted
from sqladder.report.comparison import ALPHA, Comparison
from sqladder.report.metrics import COLUMN_TITLES, LEVELS
from sqladder.report.results import Variant, has_conversations, level_count, shown_columns
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.tables import level_table
from sqladder.report.sections.wording import FURTHER, trained_once
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import UNKNOWN, listing, number, rate


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    comparison = inputs.comparison
    run = comparison.run
    conversations = (
        " Joint_All counts conversations in which every question is\nanswered right."
        * has_conversations(run)
    )
    text = f"""## Accuracy by level

{level_table(run, shown_columns(run))}

Easy to Extra are the hardness of the gold query.{conversations}"""
    if len(comparison.ranking) == 1:
        return text
    once = trained_once(comparison, comparison.shown_pairs)
    return f"""{text}

### Best variant of each level

{best_table(comparison)}

Significance {FURTHER}: p below 0.05 after Holm over all pairs{of_charted(comparison)} on the four
levels, of the baseline also over those with it alone, and in the last row over all pairs.{once}"""


def best_table(comparison: Comparison) -> str:
    """Best variant of each level, with the variants that may be as good."""
    rows = []
    for level in (*LEVELS, "all"):
        n = level_count(comparison.run, comparison.run.variants[0], level).n
        if n == 0:
            rows.append([COLUMN_TITLES[level], "0", "no questions", UNKNOWN, UNKNOWN])
            continue
        best, others = best_of(comparison, level)
        rows.append(
            [
                COLUMN_TITLES[level],
                number(n),
                listing([escape(variant.name) for variant in best]) + " (tie)" * (len(best) > 1),
                rate(level_count(comparison.run, best[0], level).rate),
                ", ".join(escape(name) for name in others) or "none",
            ]
        )
    header = ["level", "n", "highest accuracy", "accuracy", "not significantly different"]
    return table(header, rows, "lrlrl")


def best_of(comparison: Comparison, level: str) -> tuple[list[Variant], list[str]]:
    """Charted variants with the highest accuracy of a level, and those not significantly different from the first."""
    run = comparison.run
    variants = charted_in_order(comparison)
    correct = {v.name: level_count(run, v, level).correct for v in variants}
    best = [v for v in variants if correct[v.name] == max(correct.values())]
    others = [
        variant.name
        for variant in variants
        if variant not in best and not _differs(comparison, best[0].name, variant.name, level)
    ]
    return best, others


def _differs(comparison: Comparison, first: str, second: str, level: str) -> bool:
    """Whether two differ significantly on a level, as the table says or as the sentence about the baseline does."""
    pair = comparison.pair(first, second, level)
    p_with_baseline = comparison.p_with_baseline(level, pair)
    return pair.significant or (p_with_baseline is not None and p_with_baseline < ALPHA)
