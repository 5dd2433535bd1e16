"""Accuracy on each database, and on new ones."""

from sqladder.report.charts import accuracy_by_database
from sqladder.report.results import Run, level_count
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.tables import group_table
from sqladder.statistics.seeds import new_databases_interval
from sqladder.texts.markdown import escape, folded, table
from sqladder.texts.numbers import rate, share_interval


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    run = inputs.comparison.run
    by_database = group_table(run, run.by_database, "database")
    return f"""## Accuracy by database

{inputs.chart(accuracy_by_database.CHART)}

{database_interval_table(run)}

{folded("All databases", len(run.by_database), by_database)}"""


def database_interval_table(run: Run) -> str:
    """Each variant's accuracy with the interval over questions and the one over databases."""
    rows = []
    for variant in run.variants:
        total = level_count(run, variant, "all")
        clustered = new_databases_interval(variant.correct, run.groups, run.database_groups)
        rows.append(
            [
                escape(variant.name),
                rate(total.rate),
                share_interval(total.interval),
                share_interval(clustered),
            ]
        )
    header = [
        "variant",
        "accuracy",
        "95 % interval, same databases",
        "95 % interval, new databases",
    ]
    return table(header, rows, "lrcc")
