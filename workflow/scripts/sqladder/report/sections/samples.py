"""What several samples bring: the accuracy of the choice among fewer of them, and how many have a right one."""

from collections.abc import Sequence

import numpy as np

from sqladder.report.sampled_answers import Samples
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import number, rate


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    if not inputs.samples:
        return ""
    rows = [row for name, seeds in inputs.samples.items() for row in _rows(name, seeds)]
    header = ["variant", "samples", "choice among them", "pass@n", "output tokens a question"]
    return f"""## Samples

{table(header, rows, "lrrrr")}

Accuracy over all questions if only so many of the samples had been drawn: the mean over all ways of taking them (over
1,000 random ones where there are more), and over seeds. The greedy answer is always among them where the variant
includes it. pass@n is the share of questions with a right sample among n (Chen et al. 2021), which only somebody who
knows the gold query could choose: an upper bound, and no rank. Tokens are a share of those of all samples."""


def _rows(name: str, seeds: Sequence[Samples]) -> list[list[str]]:
    rows = []
    for n in seeds[0].numbers():
        choice, some = (
            float(np.mean([values(own, n).mean() for own in seeds]))
            for values in (Samples.choice, Samples.some)
        )
        tokens = float(np.mean([own.tokens * n / own.drawn for own in seeds]))
        rows.append([escape(name), number(n), rate(choice), rate(some), number(tokens, 1)])
    return rows
