"""Training rows made from evaluation questions in known ways, to measure what each rule of decontamination finds."""

import random
import re
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]

# How a copy differs from its question -> the rules that have to find it.
EXPECTED = {
    "exact": ("exact_question", "folded_question"),
    "spaces at the ends": ("exact_question", "folded_question"),
    "case and punctuation": ("folded_question",),
    "wide Unicode forms": ("folded_question",),
    "a word put before": ("near_duplicate",),
    "SQL written otherwise": ("sql",),
}


def _full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _rewritten(sql: str) -> str:
    """Change values and case, but no name."""
    sql = re.sub(r"'[^']*'", "'other'", sql)
    return "  ".join(re.sub(r"\b\d+\b", "77", word) for word in sql.split()).lower() + " ;"


_CHANGES: dict[str, Callable[[Row], Row]] = {
    "exact": lambda row: row,
    "spaces at the ends": lambda row: {**row, "question": f" {row['question']}\n"},
    "case and punctuation": lambda row: {
        **row,
        "question": row["question"].upper().replace("?", " !").replace(" ", "  "),
    },
    "wide Unicode forms": lambda row: {**row, "question": _full_width(row["question"])},
    "a word put before": lambda row: {**row, "question": f"So, {row['question']}"},
    "SQL written otherwise": lambda row: {
        **row,
        "question": f"Paraphrase {row['id']}",
        "sql": _rewritten(row["sql"]),
    },
}


def planted(questions: list[Row], count: int, seed: int = 0) -> dict[str, list[Row]]:
    """`count` changed copies of random questions for each kind of change; `source` names the original."""
    drawn = random.Random(seed)
    return {
        kind: [
            {**change(row), "id": f"{kind} {row['id']}", "source": row["id"]}
            for row in drawn.sample(questions, count)
        ]
        for kind, change in _CHANGES.items()
    }
