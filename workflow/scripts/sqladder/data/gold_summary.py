"""What the check of gold queries found, as Markdown."""

from collections.abc import Mapping, Sequence

from sqladder.data.gold_execution import DISPUTED, OK, PROBLEMS, Check
from sqladder.files import Row
from sqladder.metric.showing import VALUE, cut
from sqladder.texts.markdown import escape, table

TEXT = 400
"""Characters of a query, and of a detail, that are shown."""


def summary(
    examples: Sequence[Row], checks: Mapping[str, Check], actions: Mapping[str, str]
) -> str:
    """The gold queries with problems, and what is done with each.

    Args:
        examples: what was checked, one at least.
        checks: id -> check.
        actions: problem -> "keep", "drop" or "stop".
    """
    parts = [
        "# Gold queries",
        f"Each of {len(examples)} was executed once.",
        _counts(checks, actions),
    ]
    problems = [row for row in examples if checks[row["id"]].status != OK]
    if problems:
        rows = [_problem(row, checks[row["id"]]) for row in problems]
        parts.append(
            table(["id", "database", "status", "detail", "seconds", "gold"], rows, "llllrl")
        )
    slowest = max(examples, key=lambda row: checks[row["id"]].seconds)
    seconds = checks[slowest["id"]].seconds
    parts.append(f"The slowest is that of {escape(cut(slowest['id'], VALUE))}: {seconds:.3f} s.")
    return "\n\n".join(parts) + "\n"


def _counts(checks: Mapping[str, Check], actions: Mapping[str, str]) -> str:
    statuses = [check.status for check in checks.values()]
    rows = [
        [status, str(statuses.count(status)), actions.get(status, "keep")]
        for status in (OK, *PROBLEMS, DISPUTED)
    ]
    return table(["status", "queries", "what is done"], rows, "lrl")


def _problem(row: Row, check: Check) -> list[str]:
    cells = [
        cut(row["id"], VALUE),
        cut(row["db_id"], VALUE),
        check.status,
        cut(check.detail, TEXT),
        f"{check.seconds:.3f}",
        cut(row["sql"], TEXT),
    ]
    return [escape(cell) for cell in cells]
