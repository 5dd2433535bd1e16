"""The metrics beside the headline one."""

import textwrap

from sqladder.report.metrics import LEVELS, METRICS
from sqladder.report.results import Run, level_count
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.tables import level_table
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import rate


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    run = inputs.comparison.run
    metrics = [metric for metric in METRICS if metric in run.variants[0].marks]
    if len(metrics) < 2:
        return ""
    notes = " ".join(
        ["They are not used to rank.", *(METRICS[metric].note for metric in metrics[1:])]
    )
    blocks = [
        f"### {METRICS[metric].title.capitalize()}\n\n{level_table(run, LEVELS, metric)}"
        for metric in metrics
        if metric != "test_suite"
    ]
    return "\n\n".join(
        [
            f"""## Secondary metrics

{textwrap.fill(notes, 100)}

{metric_table(run)}""",
            *blocks,
        ]
    )


def metric_table(run: Run) -> str:
    """The headline metric beside the secondary ones, over all questions."""
    metrics = [metric for metric in METRICS if metric in run.variants[0].marks]
    rows = [
        [escape(v.name), *(rate(level_count(run, v, "all", metric).rate) for metric in metrics)]
        for v in run.variants
    ]
    header = ["variant", *(METRICS[metric].title for metric in metrics)]
    return table(header, rows, "l" + "r" * len(metrics))
