"""How often a variant is right on all wordings of a query, on some, and on none."""

import numpy as np

from sqladder.report.results import Run, Variant
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.wording import FURTHER
from sqladder.statistics.groups import Groups
from sqladder.statistics.seeds import Answers, accuracy_interval
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import amount, number, plural, rate, share_interval


def section(inputs: ReportInputs) -> str:
    """The section in Markdown, "" where no two questions are of one group."""
    run = inputs.comparison.run
    if run.groups.are_single:
        return ""
    several = int((run.groups.sizes > 1).sum())
    return f"""## Accuracy by wordings

{wordings_table(run)}

Of {plural(len(run.groups.sizes), "group")} of questions, {number(several)} have several: wordings of one gold query on
one database, or a conversation. Counted are those{_seeds(run)}. A variant that is right on some only has understood
a wording, not the question. The interval is 95 %, of the share that is all right,
{FURTHER}{" and further seeds" * run.has_seeds}."""


def wordings_table(run: Run) -> str:
    """For each variant the groups of several questions that it has all right, some and none."""
    rows = []
    for variant in run.variants:
        every, none = wordings_right(run, variant)
        known = Groups.single(every.shape[1])
        counts = [float(marks.sum(axis=1).mean()) for marks in (every, ~(every | none), none)]
        rows.append(
            [
                escape(variant.name),
                *map(amount, counts),
                rate(every.mean()),
                share_interval(accuracy_interval(every, known)),
            ]
        )
    header = ["variant", "all right", "some", "none", "share all right", "95 % interval"]
    return table(header, rows, "lrrrrc")


def wordings_right(run: Run, variant: Variant) -> tuple[Answers, Answers]:
    """Which groups of several questions a variant has all right, and of which none; shape (seeds, groups)."""
    several = run.groups.sizes > 1
    right = np.array([run.groups.sums(marks.astype(float))[several] for marks in variant.correct])
    return right == run.groups.sizes[several], right == 0


def _seeds(run: Run) -> str:
    return ", as means over seeds" * run.has_seeds
