"""The loss of every training."""

from sqladder.report.charts import loss_curves
from sqladder.report.charts.loss_curves import with_curve
from sqladder.report.sections.report_inputs import ReportInputs


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    comparison = inputs.comparison
    if not with_curve(comparison):
        return ""
    return f"""## Training loss

{inputs.chart(loss_curves.CHART)}"""
