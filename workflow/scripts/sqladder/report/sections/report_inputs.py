"""What a report is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqladder.files import Row
from sqladder.report.charts.drawing import Chart
from sqladder.report.comparison import Comparison
from sqladder.statistics.seeds import Answers
from sqladder.texts.markdown import escape

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class ReportInputs:
    """What the sections are written from.

    Attributes:
        comparison: the compared run.
        facts: content of facts.json.
        title: heading of the report.
        charts: the folder of the charts, relative to the report.
        demonstration: whether to open with the note that this run proves nothing about methods.
        rows: first rows of gold and of wrong results, as `answer_rows` reads them.
        marks: JSON Lines of which questions are clean and suspect, where decontamination marked them.
        gold_checks: JSON Lines of what became of each gold query, where they were checked.
        published: YAML file of a published table to compare with.
        published_rows: variant -> the row of the published table that it is compared with.
        unrepaired: for each variant that asks again what failed which answers would be right without.
    """

    comparison: Comparison
    facts: Facts
    title: str
    charts: str
    demonstration: bool = False
    rows: Sequence[Row] = ()
    marks: Path | None = None
    gold_checks: Path | None = None
    published: Path | None = None
    published_rows: Mapping[str, str] = field(default_factory=dict)
    unrepaired: Mapping[str, Answers] = field(default_factory=dict)

    def chart(self, chart: Chart) -> str:
        """A chart as a picture of the report, with its content in words."""
        alt = escape(chart.alt_text(self.comparison))
        return f"![{alt}]({self.charts}/{chart.name}.svg)"
