"""Accuracy on questions whose gold query needs a part of SQL."""

from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.tables import group_table


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    run = inputs.comparison.run
    present = {name: chosen for name, chosen in run.by_feature.items() if chosen.any()}
    if not present:
        return ""
    return f"""## Accuracy by SQL feature

A question counts under every feature that its gold query has.

{group_table(run, present, "feature of the gold query")}"""
