"""What several samples bring: the accuracy of the choice among fewer of them, and how many have a right one."""

from sqladder.report.charts import samples_vs_cost
from sqladder.report.charts.samples_vs_cost import with_curve
from sqladder.report.results import Variant
from sqladder.report.sampled_answers import fewer_samples
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.statistics.groups import Groups
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import number, rate, share_interval


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    run = inputs.comparison.run
    rows = [row for variant in run.variants for row in _rows(variant, run.groups)]
    if not rows:
        return ""
    header = [
        "variant",
        "samples",
        "choice among them",
        "95 % interval",
        "pass@n",
        "tokens",
        "seconds",
    ]
    text = f"""## Samples

{table(header, rows, "lrrcrrr")}

Accuracy over all questions if only so many of the samples had been drawn: the mean over all ways of taking them (over
1,000 random ones where there are more) and over seeds, its interval for further questions on these databases. The
greedy answer is always among them where the variant includes it. pass@n is the share of questions with a right sample
among n (Chen et al. 2021), which only somebody who knows the gold query could choose: an upper bound, and no rank.
Tokens: output tokens a question, a share of those of all samples. Seconds: from the generation's start to its file,
of all devices together, of which what grows with the samples is such a share too; the mean over seeds."""
    return f"{text}\n\n{_picture(inputs)}" if with_curve(inputs.comparison) else text


def _picture(inputs: ReportInputs) -> str:
    """The same as a chart, with what it shows besides."""
    return f"""{inputs.chart(samples_vs_cost.CHART)}

The numbers in the chart count the samples, from one on; a single mark is a variant that asks the same model for one
answer."""


def _rows(variant: Variant, groups: Groups) -> list[list[str]]:
    if not variant.samples:
        return []
    return [
        [
            escape(variant.name),
            number(point.n),
            rate(point.choice),
            share_interval(point.interval),
            rate(point.some),
            number(point.tokens, 1),
            number(point.seconds, 1),
        ]
        for point in fewer_samples(variant.samples, groups)
    ]
