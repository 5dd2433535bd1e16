"""Tables that several sections show."""

from collections.abc import Mapping, Sequence

from sqladder.report.metrics import COLUMN_TITLES
from sqladder.report.results import Run, count, level_count
from sqladder.statistics.seeds import Marks
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import number, rate


def level_table(run: Run, levels: Sequence[str], metric: str = "test_suite") -> str:
    """Columns of the published table: the number of questions, then one row a variant."""
    first = run.variants[0]
    counts = [number(level_count(run, first, level, metric).n) for level in levels]
    rows = [["questions", *counts]]
    for variant in run.variants:
        rates = [rate(level_count(run, variant, level, metric).rate) for level in levels]
        rows.append([escape(variant.name), *rates])
    return table(
        ["variant", *(COLUMN_TITLES[level] for level in levels)], rows, "l" + "r" * len(levels)
    )


def group_table(run: Run, groups: Mapping[str, Marks], title: str) -> str:
    """Accuracy of every variant on groups of questions: databases or SQL features."""
    rows = []
    for name, chosen in groups.items():
        rates = [rate(count(variant.correct, chosen, run.groups).rate) for variant in run.variants]
        rows.append([escape(name), number(int(chosen.sum())), *rates])
    names = [escape(variant.name) for variant in run.variants]
    return table([title, "n", *names], rows, "lr" + "r" * len(names))
