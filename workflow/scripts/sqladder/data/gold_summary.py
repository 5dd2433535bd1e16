"""What the check of gold queries found, as Markdown."""

from collections.abc import Mapping, Sequence

from sqladder.data.gold_execution import DISPUTED, OK, PROBLEMS, Check
from sqladder.data.gold_sorting import action_of
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
    if ambiguous := [row for row in examples if checks[row["id"]].ambiguous]:
        rows = [_ambiguity(row, checks[row["id"]]) for row in ambiguous]
        told = table(["id", "database", "what shows it", "gold"], rows, "llll")
        parts.append(f"{_AMBIGUOUS.format(n=len(ambiguous))}\n\n{told}")
    slowest = max(examples, key=lambda row: checks[row["id"]].seconds)
    seconds = checks[slowest["id"]].seconds
    parts.append(f"The slowest is that of {escape(cut(slowest['id'], VALUE))}: {seconds:.3f} s.")
    return "\n\n".join(parts) + "\n"


_AMBIGUOUS = """## Ambiguous

The results of {n} hang on the order of rows in the file, which no question asks for: they take some of several rows
that are sorted alike, or give another result when SQLite reads or stores rows in another order (sums of decimals among
them, in their last digit). A right answer may then count as wrong. The report scores with them and without."""


def _ambiguity(row: Row, check: Check) -> list[str]:
    identity = [cut(row[key], VALUE) for key in ("id", "db_id")]
    return [escape(cell) for cell in (*identity, cut(check.ambiguous, TEXT), cut(row["sql"], TEXT))]


def _counts(checks: Mapping[str, Check], actions: Mapping[str, str]) -> str:
    statuses = [check.status for check in checks.values()]
    rows = [
        [status, str(statuses.count(status)), action_of(status, actions)]
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
