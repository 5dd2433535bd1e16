"""The chart of accuracies, and the same as bars of characters."""

from sqladder.report.charts import accuracy_by_level
from sqladder.report.charts.bars import text_bars
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.texts.markdown import code_block


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    return f"""## Charts

{inputs.chart(accuracy_by_level.CHART)}

{code_block(text_bars(inputs.comparison.run), "text")}"""
