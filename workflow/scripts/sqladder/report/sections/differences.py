"""Every pair of variants: the paired difference, its intervals and its test."""

from sqladder.report.charted import of_charted
from sqladder.report.charts import paired_differences
from sqladder.report.comparison import Comparison
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.wording import trained_once
from sqladder.texts.markdown import escape, folded, table
from sqladder.texts.numbers import UNKNOWN, amount, p_value, point_interval, points


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    comparison = inputs.comparison
    if not comparison.pairs:
        return ""
    once = trained_once(comparison, comparison.shown_pairs)
    return f"""## Paired differences

{inputs.chart(paired_differences.CHART)}

{folded(f"All pairs{of_charted(comparison)}", len(comparison.shown_pairs), pair_table(comparison))}

p and the first interval speak of further questions on these databases, the second interval of questions on new
databases. Both intervals are simultaneous: 95 % for all pairs together, as p (Holm) is adjusted for all of them.
Detectable points: the smallest true difference that this run would find with a chance of 80 %, given how often the
pair disagrees, the groups of questions and the correction for all pairs.{once}"""


def pair_table(comparison: Comparison) -> str:
    """Every pair of charted variants: difference, both intervals, test and what the test could find."""
    rows = []
    for pair in comparison.shown_pairs:
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
        "95 % interval, same databases",
        "95 % interval, new databases",
        "only first : only second right",
        "p",
        "p (Holm)",
        "detectable points",
        "significant",
    ]
    return table(header, rows, "lrcccrrrc")
