"""What failed: verdicts, kinds of failure, and examples."""

from collections import Counter

from sqladder.report.charted import charted_in_order, which_are_charted
from sqladder.report.charts import what_went_wrong
from sqladder.report.results import Run, failure_kinds, verdict_counts
from sqladder.report.sections.examples import failure_examples
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.taxonomy import KINDS
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import amount


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    run = inputs.comparison.run
    if not failure_kinds(run):
        return f"## What failed\n\n{verdict_table(run)}"
    seeds = "; counts are means over seeds" if run.has_seeds else ""
    first = ", of its first seed where it has several" if run.has_seeds else ""
    return f"""## What failed

{verdict_table(run)}

### What went wrong

{inputs.chart(what_went_wrong.CHART)}

{failure_table(run)}

A failure counts once{seeds}. An error is sorted by the engine's message; a wrong result by the first part in
which the query differs from gold, in the order of the table. Gold is one of many right queries, so
that part need not be the cause.{_about_dialects(run)}

Three failures of each variant{first}{which_are_charted(inputs.comparison)}:

{failure_examples(run, charted_in_order(inputs.comparison), inputs.rows)}"""


_DIALECTS = """

What failed only for its dialect is right but for words, signs or functions of another engine, once these stand for some
value: it compiles against the tables then. Training on answers in this engine's dialect, or naming the dialect in the
prompt, mends it; docs/engines.md says how it is told."""


def _about_dialects(run: Run) -> str:
    return _DIALECTS if {"dialect", "gold_dialect"} & set(failure_kinds(run)) else ""


def verdict_table(run: Run) -> str:
    """How many answers of each variant got which verdict."""
    kinds = verdict_kinds(run)
    rows = []
    for variant in run.variants:
        counts = verdict_counts(variant)
        rows.append([escape(variant.name), *(amount(counts.get(kind, 0)) for kind in kinds)])
    return table(["variant", *kinds], rows, "l" + "r" * len(kinds))


def verdict_kinds(run: Run) -> list[str]:
    """The verdicts that occur, correct first, then by how often they occur."""
    total: Counter[str] = Counter()
    for variant in run.variants:
        total.update(verdict_counts(variant))
    return sorted(total, key=lambda kind: (kind != "correct", -total[kind], kind))


def failure_table(run: Run) -> str:
    """How many failures of each variant are of which kind."""
    rows = []
    for kind in failure_kinds(run):
        counts = [variant.failure_counts[kind] for variant in run.variants]
        rows.append([KINDS[kind], *map(amount, counts)])
    names = [escape(variant.name) for variant in run.variants]
    return table(["what went wrong", *names], rows, "l" + "r" * len(names))
