"""Pairs of a right and a wrong answer to one question, chosen among what a model drew."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqladder.files import Row
from sqladder.training.kept_answers import counts_by_level, right_answers, spelled_alike

WRONG_BY: Mapping[str, tuple[str, ...]] = {
    "rows": ("wrong_result",),
    "error": ("sql_error", "refused", "no_sql"),
    "time": ("timeout",),
}
"""Verdicts of answers that are wrong by their rows, by an error, by their time."""


def paired_rows(
    rows: Iterable[Row], judged: Mapping[str, Row], wrong: Collection[str], most: int
) -> Iterator[Row]:
    """Pairs of a right and a wrong answer that were drawn to the same question.

    Args:
        rows: prompts with gold as their last turn.
        judged: what was drawn to each, by id.
        wrong: which wrong answers are taken, by the names of WRONG_BY.
        most: pairs of a question; no two are the same.
    """
    kinds = {verdict: kind for kind in wrong for verdict in WRONG_BY[kind]}
    for row in rows:
        own = judged.get(row["id"])
        right = right_answers(own) if own else []
        rejected: dict[str, tuple[str, str]] = {}
        for sample in own["samples"] if own else []:
            if sample["verdict"] in kinds and spelled_alike(sample["sql"]):
                answer = sample["sql"], kinds[sample["verdict"]]
                rejected.setdefault(spelled_alike(sample["sql"]), answer)
        found = list(rejected.values())
        number = min(most, max(len(right), len(found))) if right and found else 0
        for place in range(number):
            sql, kind = found[place % len(found)]
            yield {
                "id": f"{row['id']} pair {place + 1}",
                "messages": row["messages"][:-1],
                "chosen": right[place % len(right)],
                "rejected": sql,
                "wrong_by": kind,
            }


def pair_counts(judged: Mapping[str, Row], pairs: Iterable[Row]) -> dict[str, Any]:
    """By hardness: questions, how often they were right, and the pairs of them by what the wrong answer is wrong by."""
    counts = counts_by_level(judged, WRONG_BY)
    for pair in pairs:
        for level in (judged[pair["id"].rsplit(" pair ", 1)[0]]["hardness"], "all"):
            counts[level][pair["wrong_by"]] += 1
    return counts
