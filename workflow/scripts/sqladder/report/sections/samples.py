"""What several samples bring: the accuracy of the choice among fewer of them, and how many have a right one."""

from collections.abc import Sequence

import numpy as np

from sqladder.report.sampled_answers import Samples
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.statistics.groups import Groups
from sqladder.statistics.seeds import accuracy_interval
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import UNKNOWN, number, rate, share_interval


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    if not inputs.samples:
        return ""
    groups = inputs.comparison.run.groups
    rows = [row for name, seeds in inputs.samples.items() for row in _rows(name, seeds, groups)]
    header = [
        "variant",
        "samples",
        "choice among them",
        "95 % interval",
        "pass@n",
        "tokens",
        "seconds",
    ]
    return f"""## Samples

{table(header, rows, "lrrcrrr")}

Accuracy over all questions if only so many of the samples had been drawn: the mean over all ways of taking them (over
1,000 random ones where there are more) and over seeds, its interval for further questions on these databases. The
greedy answer is always among them where the variant includes it. pass@n is the share of questions with a right sample
among n (Chen et al. 2021), which only somebody who knows the gold query could choose: an upper bound, and no rank.
Tokens: output tokens a question, a share of those of all samples. Seconds: from the generation's start to its file,
of which what grows with the samples is such a share too; the mean over seeds."""


def _rows(name: str, seeds: Sequence[Samples], groups: Groups) -> list[list[str]]:
    rows = []
    for n in seeds[0].numbers():
        choice = np.array([own.choice(n) for own in seeds])
        some = float(np.mean([own.some(n) for own in seeds]))
        cells = [
            rate(float(choice.mean())),
            share_interval(accuracy_interval(choice, groups)),
            rate(some),
        ]
        tokens = float(np.mean([own.tokens * n / own.drawn for own in seeds]))
        known = [taken for own in seeds if (taken := own.seconds(n)) is not None]
        seconds = number(float(np.mean(known)), 1) if known else UNKNOWN
        rows.append([escape(name), number(n), *cells, number(tokens, 1), seconds])
    return rows
