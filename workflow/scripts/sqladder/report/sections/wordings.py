"""How often a variant is right on all wordings of a query, on some, and on none."""

import numpy as np

from sqladder.report.results import Run, Variant
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.wording import FURTHER
from sqladder.statistics.intervals import wilson_interval
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import UNKNOWN, amount, number, plural, rate, share_interval


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
a wording, not the question. The interval is Wilson's, 95 %, of the share that is all right,
{FURTHER}."""


def wordings_table(run: Run) -> str:
    """For each variant the groups of several questions that it has all right, some and none."""
    rows = []
    for variant in run.variants:
        counts = wordings_right(run, variant)
        n = sum(counts)
        # Of several seeds there is none: it would have to know how far they scatter.
        known = len(variant.seeds) == 1
        rows.append(
            [
                escape(variant.name),
                *map(amount, counts),
                rate(counts[0] / n),
                share_interval(wilson_interval(int(counts[0]), int(n))) if known else UNKNOWN,
            ]
        )
    header = ["variant", "all right", "some", "none", "share all right", "95 % interval"]
    return table(header, rows, "lrrrrc")


def wordings_right(run: Run, variant: Variant) -> tuple[float, float, float]:
    """Groups of several questions of which a variant has all, some and none right; means over seeds."""
    several = run.groups.sizes > 1
    sizes = run.groups.sizes[several]
    right = np.array([run.groups.sums(marks.astype(float))[several] for marks in variant.correct])
    every, none = (right == sizes).sum(axis=1).mean(), (right == 0).sum(axis=1).mean()
    return float(every), float(len(sizes) - every - none), float(none)


def _seeds(run: Run) -> str:
    return ", as means over seeds" * run.has_seeds
