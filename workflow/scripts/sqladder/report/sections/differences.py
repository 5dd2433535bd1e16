"""Every pair of variants: the paired difference, its intervals and its test."""

from sqladder.report.charts import paired_differences
from sqladder.report.comparison import Comparison
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.texts.markdown import escape, folded, table
from sqladder.texts.numbers import UNKNOWN, amount, p_value, point_interval, points


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    comparison = inputs.comparison
    if not comparison.pairs:
        return ""
    return f"""## Paired differences

{inputs.chart(paired_differences.CHART)}

{folded("All pairs", len(comparison.pairs), pair_table(comparison))}

Detectable points: the smallest true difference that a single test at 5 % would find with a chance of
80 %, given how often this pair disagrees. "New databases" resamples whole databases: it answers for
questions on databases that are not in this test, and is too narrow with few of them."""


def pair_table(comparison: Comparison) -> str:
    """Every pair of variants: difference, both intervals, test and what the test could find."""
    rows = []
    for pair in comparison.pairs:
        smallest = pair.detectable
        rows.append(
            [
                f"{escape(pair.first)} − {escape(pair.second)}",
                points(pair.difference),
                point_interval(pair.interval),
                point_interval(comparison.on_new_databases(pair)),
                f"{amount(pair.counts.wins)} : {amount(pair.counts.losses)}",
                p_value(pair.p_alone),
                p_value(pair.p),
                UNKNOWN if smallest is None else f"{100 * smallest:.1f}",
                "yes" if pair.significant else "no",
            ]
        )
    header = [
        "pair",
        "points",
        "95 % interval",
        "95 % interval, new databases",
        "only first : only second right",
        "p",
        "p (Holm)",
        "detectable points",
        "significant",
    ]
    return table(header, rows, "lrcccrrrc")
