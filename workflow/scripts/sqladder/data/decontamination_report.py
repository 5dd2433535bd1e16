"""What a decontamination found, written for people and for machines."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqladder.data.decontamination import Tally
from sqladder.files import Row
from sqladder.texts.markdown import escape, table

_MEANING = {
    "exact_question": "same question, space at its ends aside",
    "folded_question": "same question without case, space, punctuation",
    "ngram_8": "8 words of the questions in a row",
    "ngram_13": "13 words of the questions in a row",
    "near_duplicate": "questions alike to 0.8 (character 4-grams)",
    "sql": "same SQL up to values, aliases, quotes, case",
    "schema": "0.8 of the row's columns are in one evaluation database",
}


def facts(tally: Tally, actions: Mapping[str, str], questions: Sequence[Row]) -> dict[str, Any]:
    """The counts as JSON holds them.

    Args:
        tally: what was found.
        actions: rule -> "drop" or "mark".
        questions: every evaluation question.
    """
    return {
        "training_rows": {"seen": tally.rows, "dropped": tally.dropped, "kept": tally.kept},
        "kept_rows_suspect": tally.suspect,
        "evaluation_questions": {"all": len(questions), "suspect": len(tally.remaining)},
        "rules": {
            rule: {
                "action": action,
                "training_rows": tally.by_rule[rule],
                "evaluation_questions": len(tally.concerned.get(rule, ())),
            }
            for rule, action in actions.items()
        },
    }


def markdown(tally: Tally, actions: Mapping[str, str], questions: Sequence[Row]) -> str:
    """The report: what stays, hits of each rule, and examples of them."""
    suspect, asked = len(tally.remaining), len(questions)
    parts = [
        "# Decontamination",
        f"Of {tally.rows} training rows, {tally.dropped} were dropped; {tally.kept} stay, "
        f"{tally.suspect} of them suspect.\n"
        f"Of {asked} evaluation questions, {suspect} are suspect, because a row that stays is like them; "
        f"{asked - suspect} are clean.",
        _rules(tally, actions),
        "A row can meet several rules. Counts of evaluation questions include those of dropped rows.",
    ]
    by_id = {row["id"]: row for row in questions}
    for rule in actions:
        if tally.examples.get(rule):
            parts += [f"## {rule}", _examples(tally.examples[rule], by_id)]
    return "\n\n".join(parts) + "\n"


def _rules(tally: Tally, actions: Mapping[str, str]) -> str:
    rows = []
    for rule, action in actions.items():
        concerned = len(tally.concerned.get(rule, ()))
        rows.append([rule, _MEANING[rule], action, str(tally.by_rule[rule]), str(concerned)])
    header = ["rule", "a row meets it by", "action", "training rows", "evaluation questions"]
    return table(header, rows, "lllrr")


def _examples(examples: Sequence[tuple[Row, str]], questions: Mapping[str, Row]) -> str:
    rows = [
        [side, *(escape(_shortened(each[key])) for key in ("id", "question", "sql"))]
        for row, other in examples
        for side, each in (("training", row), ("evaluation", questions[other]))
    ]
    return table(["", "id", "question", "SQL"], rows, "llll")


def _shortened(text: str, longest: int = 200) -> str:
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 3] + "..."
