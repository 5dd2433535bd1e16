"""Answers that a model drew to training questions, judged: which of them it is trained on next."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqladder.files import Fields, Row
from sqladder.metric.difficulty import LEVELS
from sqladder.metric.suite import CORRECT

JUDGED_FIELDS: Fields = {"id": str, "hardness": str, "samples": list}


def spelled_alike(sql: str) -> str:
    """The text by which two answers are one: without line breaks, further spaces and the last semicolon."""
    return " ".join(sql.split()).rstrip("; ")


def right_answers(row: Row) -> list[str]:
    """The different right answers to a question, in the order in which they were drawn."""
    found: dict[str, str] = {}
    for sample in row["samples"]:
        if sample["verdict"] == CORRECT:
            found.setdefault(spelled_alike(sample["sql"]), sample["sql"])
    return list(found.values())


def kept_answers(gold: str, judged: Iterable[Row], most: int) -> list[str]:
    """The answers to one question that are learned beside gold: right, different, and at most so many.

    Args:
        gold: the answer that the training row has already.
        judged: the question's rows of each round, the newest first: what a better model writes comes first.
        most: how many.
    """
    known = {spelled_alike(gold)}
    kept: list[str] = []
    for sql in (sql for row in judged for sql in right_answers(row)):
        if spelled_alike(sql) not in known and len(kept) < most:
            known.add(spelled_alike(sql))
            kept.append(sql)
    return kept


def learned_rows(
    rows: Iterable[Row], judged: Sequence[Mapping[str, Row]], most: int
) -> tuple[list[Row], dict[str, int]]:
    """Training rows with the answers that are kept, and how many were kept of each question.

    Args:
        rows: prompts with gold as their last turn.
        judged: rows of each round by id, the newest round first.
        most: answers of a question that are kept beside gold.
    """
    found, numbers = [], {}
    for row in rows:
        *prompt, answer = row["messages"]
        rounds = [own[row["id"]] for own in judged if row["id"] in own]
        kept = kept_answers(answer["content"], rounds, most)
        numbers[row["id"]] = len(kept)
        found.append(row)
        for number, sql in enumerate(kept, start=1):
            messages = [*prompt, {**answer, "content": sql}]
            found.append({**row, "id": f"{row['id']} drawn {number}", "messages": messages})
    return found, numbers


def kept_counts(judged: Mapping[str, Row], kept: Mapping[str, int]) -> dict[str, Any]:
    """What a model could do before it learned, and what of that is learned, by hardness and in all.

    Of each level: those of `counts_by_level`, `kept` answers, and those of them of questions that were always right
    (`kept_always`).

    Args:
        judged: the rows of one round by id.
        kept: how many answers of each question were kept.
    """
    counts = counts_by_level(judged, ("kept", "kept_always"))
    for key, row in judged.items():
        number = kept.get(key, 0)
        for level in (row["hardness"], "all"):
            counts[level]["kept"] += number
            counts[level]["kept_always"] += number if how_often_right(row) == "always" else 0
    return counts


def counts_by_level(judged: Mapping[str, Row], learned: Iterable[str]) -> dict[str, dict[str, int]]:
    """What a model could do, by hardness and in all, with room for what is learned.

    Of each level: `questions`; those of which `never`, `sometimes` and `always` a drawn answer was right.

    Args:
        judged: the rows of one round by id.
        learned: further keys of each level, which begin at 0.
    """
    known = ("questions", "never", "sometimes", "always", *learned)
    counts = {level: dict.fromkeys(known, 0) for level in (*LEVELS, "all")}
    for row in judged.values():
        for level in (row["hardness"], "all"):
            counts[level]["questions"] += 1
            counts[level][how_often_right(row)] += 1
    return counts


def how_often_right(row: Row) -> str:
    """Whether never, sometimes or always a drawn answer to a question is right."""
    right = [sample["verdict"] == CORRECT for sample in row["samples"]]
    if all(right):
        return "always"
    return "sometimes" if any(right) else "never"
