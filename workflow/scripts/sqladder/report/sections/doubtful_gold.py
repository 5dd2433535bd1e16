"""Accuracy with and without the questions whose gold query is doubtful, or ambiguous."""

from pathlib import Path

import numpy as np

from sqladder.files import by_id, read_jsonl
from sqladder.metric.showing import VALUE, cut
from sqladder.report.results import Run
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.tables import group_table
from sqladder.texts.markdown import escape, folded, table
from sqladder.texts.numbers import number

TEXT = 300
"""Characters of what shows an ambiguity that are shown."""

REASONS = {
    "failing": "the gold query fails",
    "dialect": "the gold query is in another engine's dialect",
    "slow": "the gold query outlasts the limits",
    "disputed": "a listed repair gives another result",
    "empty": "the gold query gives no row on any file",
}
"""What makes a gold query doubtful, by the status that check_gold gives it."""


def section(inputs: ReportInputs) -> str:
    """The sections in Markdown, "" where no gold query of this run is doubtful or ambiguous."""
    run, checks = inputs.comparison.run, inputs.gold_checks
    return "\n\n".join(filter(None, (doubtful_gold(run, checks), ambiguous_gold(run, checks))))


def doubtful_gold(run: Run, checks: Path | None) -> str:
    """The section, "" where no gold query of this run is doubtful.

    Args:
        run: the scored run; a gold query that failed in the scoring is doubtful too.
        checks: JSON Lines of id and status, where the gold queries were checked.
    """
    reasons = _reasons(run, checks)
    doubtful = np.array([question["id"] in reasons for question in run.questions])
    if not doubtful.any():
        return ""
    every = np.ones(run.n, dtype=bool)
    groups = {"all": every, "without doubtful gold": ~doubtful, "doubtful gold": doubtful}
    rows = [
        [
            *(escape(cut(question[key], VALUE)) for key in ("id", "db_id")),
            REASONS[reasons[question["id"]]],
        ]
        for question in run.questions
        if question["id"] in reasons
    ]
    listed = table(["question", "database", "why"], rows, "lll")
    return f"""## Doubtful gold

The gold queries of {number(len(rows))} of {number(run.n)} questions fail, outlast the limits, give no row on any
file of the suite, or another result than a listed repair: some of them are wrong, and then a right answer counts as
wrong, or a wrong one as right. They count in every other table.

{group_table(run, groups, "questions")}

{folded("The questions", len(rows), listed)}"""


def ambiguous_gold(run: Run, checks: Path | None) -> str:
    """The section on gold whose result hangs on the order of rows, "" where no gold query of this run does.

    Args:
        run: the scored run.
        checks: JSON Lines of id, and of `ambiguous` where that was looked for.
    """
    found = _ambiguous(checks) if checks else {}
    ambiguous = np.array([question["id"] in found for question in run.questions])
    if not ambiguous.any():
        return ""
    every = np.ones(run.n, dtype=bool)
    groups = {"all": every, "without ambiguous gold": ~ambiguous, "ambiguous gold": ambiguous}
    rows = [
        [
            *(escape(cut(question[key], VALUE)) for key in ("id", "db_id")),
            escape(cut(found[question["id"]], TEXT)),
        ]
        for question in run.questions
        if question["id"] in found
    ]
    listed = table(["question", "database", "what shows it"], rows, "lll")
    return f"""## Ambiguous gold

The results of {number(len(rows))} of {number(run.n)} gold queries hang on the order of rows in a file, which no
question asks for: they take some of several rows that are sorted alike, or give another result when rows are read or
stored in another order. A right answer may count as wrong there. They count in every other table.

{group_table(run, groups, "questions")}

{folded("The questions", len(rows), listed)}"""


def _ambiguous(checks: Path) -> dict[str, str]:
    """Question -> what shows that its gold is ambiguous."""
    rows = by_id(read_jsonl(checks, {"id": str}), checks).values()
    return {row["id"]: row["ambiguous"] for row in rows if row.get("ambiguous")}


def _reasons(run: Run, checks: Path | None) -> dict[str, str]:
    """Question -> why its gold is doubtful."""
    found = {}
    for own in run.replicates:
        for question, verdict in zip(run.questions, own.verdicts, strict=True):
            if verdict == "gold_error":
                found[question["id"]] = "failing"
    if checks is not None:
        for key, row in by_id(read_jsonl(checks, {"id": str, "status": str}), checks).items():
            if row["status"] in REASONS:
                found[key] = row["status"]
    return found
