"""What becomes of scored questions in files: lines of verdicts.jsonl and rows.jsonl, and metrics.json."""

import platform
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqladder.metric.question_groups import question_group
from sqladder.metric.scoring import Scored, Scores
from sqladder.metric.summary import (
    Right,
    bird_of,
    by_bird_level,
    by_database,
    by_level,
    by_verdict,
    forgiving_of,
)

METRIC = "test_suite_execution_accuracy"

SECONDARY: Mapping[str, Right] = {
    "plug_value": lambda row: row.plugged,
    "single_database": lambda row: row.executed.single_database,
    "exact_match": lambda row: row.matched,
}
"""The metrics beside the headline one, by their names in both files."""


def secondary_of(scores: Scores) -> Mapping[str, Right]:
    """The metrics beside the headline one that a scored file has."""
    return {**SECONDARY, **forgiving_of(scores), **bird_of(scores)}


def verdict_row(scored: Scored, secondary: Mapping[str, Right]) -> dict[str, Any]:
    """One line of verdicts.jsonl."""
    judgement, item = scored.executed, scored.item
    return {
        "id": item.id,
        "db_id": item.db_id,
        "group": question_group(item.db_id, item.gold, item.group),
        "hardness": scored.hardness,
        "verdict": judgement.verdict,
        "file": judgement.file,
        "reason": judgement.reason,
        "expected": judgement.expected,
        "found": judgement.found,
        **{name: right(scored) for name, right in secondary.items()},
    }


def rows_row(scored: Scored) -> dict[str, Any]:
    """One line of rows.jsonl: first rows of gold on the original file, and of a wrong result where it is wrong."""
    tables = {"gold": scored.executed.gold_rows, "answer": scored.executed.answer_rows}
    return {"id": scored.item.id} | {key: table and asdict(table) for key, table in tables.items()}


def engine_versions() -> dict[str, str]:
    """Versions of what verdicts hang on: Python and the SQLite that it holds."""
    return {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}


def metrics_of(variant: str, scores: Scores, facts: dict[str, Any]) -> dict[str, Any]:
    """Content of metrics.json: the headline, the secondary metrics, BIRD's by its levels, and the run's facts."""
    bird = bird_of(scores)
    by_difficulty = {name: by_bird_level(scores, right) for name, right in bird.items()}
    return {
        "variant": variant,
        "metric": METRIC,
        "n": len(scores.rows),
        "accuracy": by_level(scores, lambda row: row.correct),
        "by_database": by_database(scores, lambda row: row.correct),
        "by_verdict": by_verdict(scores),
        "secondary": {
            name: by_level(scores, right) for name, right in secondary_of(scores).items()
        },
        **({"by_difficulty": by_difficulty} if by_difficulty else {}),
        "facts": {**facts, "database_files": scores.database_files},
    }
