"""Accuracy with and without the questions whose gold query is doubtful, or ambiguous."""

import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sqladder.files import by_id, read_jsonl
from sqladder.metric.showing import VALUE, cut
from sqladder.report.results import Run, count
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.tables import group_table
from sqladder.report.sections.wording import some
from sqladder.texts.markdown import escape, folded, table
from sqladder.texts.numbers import number, plural

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
    why = {key: REASONS[status] for key, status in _reasons(run, checks).items()}
    return _apart(
        run,
        why,
        "Doubtful gold",
        """The gold queries of {some} of {all} questions fail, outlast the limits, give no row on any
file of the suite, or another result than a listed repair: some of them are wrong, and then a right answer counts as
wrong, or a wrong one as right.""",
    )


def ambiguous_gold(run: Run, checks: Path | None) -> str:
    """The section on gold whose result hangs on the order of rows, "" where no gold query of this run does.

    Args:
        run: the scored run.
        checks: JSON Lines of id, and of `ambiguous` where that was looked for.
    """
    return _apart(
        run,
        _ambiguous(checks) if checks else {},
        "Ambiguous gold",
        """The results of {some} of {all} gold queries hang on the order of rows in a file, which no
question asks for: they take some of several rows that are sorted alike, or give another result when rows are read or
stored in another order. A right answer may count as wrong there.""",
    )


def ranked_otherwise(inputs: ReportInputs) -> str:
    """For the head of the report: which variants change places without ambiguous gold, "" where none does."""
    run, checks = inputs.comparison.run, inputs.gold_checks
    ambiguous = _ambiguous(checks) if checks else {}
    others = np.array([question["id"] not in ambiguous for question in run.questions])
    if others.all() or not others.any():
        return ""
    whole, rest = (
        [count(each.correct, chosen, run.groups).correct for each in run.variants]
        for chosen in (np.ones(run.n, dtype=bool), others)
    )
    names = [escape(variant.name) for variant in run.variants]
    changed = [
        f"{names[one]} above {names[other]}"
        for one, other in itertools.permutations(range(len(names)), 2)
        if whole[one] < whole[other] and rest[one] > rest[other]
    ]
    if not changed:
        return ""
    return (
        f"**Without the {plural(int((~others).sum()), 'question')} whose gold query is ambiguous the order by accuracy "
        f"is another**: {some(changed)} ([Ambiguous gold](#ambiguous-gold))."
    )


def _apart(run: Run, why: Mapping[str, str], title: str, told: str) -> str:
    """A section that scores with some questions and without, and lists why; "" where there are none."""
    chosen = np.array([question["id"] in why for question in run.questions])
    if not chosen.any():
        return ""
    name = title.lower()
    groups = {"all": np.ones(run.n, dtype=bool), f"without {name}": ~chosen, name: chosen}
    # Wordings of one query are in a row together.
    alike: dict[tuple[str, str, str], list[str]] = {}
    for question in run.questions:
        if question["id"] in why:
            key = (question["group"], question["db_id"], why[question["id"]])
            alike.setdefault(key, []).append(escape(cut(question["id"], VALUE)))
    rows = [
        [", ".join(ids), escape(cut(database, VALUE)), escape(cut(reason, TEXT))]
        for (_, database, reason), ids in alike.items()
    ]
    counts = {"some": number(int(chosen.sum())), "all": number(run.n)}
    return f"""## {title}

{told.format(**counts)} They count in every other table.

{group_table(run, groups, "questions")}

{folded("The questions", len(rows), table(["questions", "database", "why"], rows, "lll"))}"""


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
