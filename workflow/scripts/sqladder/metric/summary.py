"""Counts and rates of scored questions: by level, by session, by turn, by database, by verdict."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqladder.metric import bird
from sqladder.metric.allowances import ALLOWANCES
from sqladder.metric.bird import BirdMarks
from sqladder.metric.difficulty import LEVELS
from sqladder.metric.match import PARTS, Part
from sqladder.metric.scoring import Scored, Scores
from sqladder.metric.suite import CORRECT, Options

TURNS = ("turn 1", "turn 2", "turn 3", "turn 4", "turn > 4")
Right = Callable[[Scored], float]
"""How right an answer is: whether, or from 0 to 1."""


def rate(rights: Iterable[float]) -> dict[str, Any]:
    """`n`, `correct` and their quotient; the rate of nothing is None."""
    marks = list(rights)
    correct = round(sum(marks), 6)
    return {"n": len(marks), "correct": correct, "rate": correct / len(marks) if marks else None}


def by_level(scores: Scores, right: Right) -> dict[str, dict[str, Any]]:
    """Rates of easy, medium, hard, extra, all and joint_all.

    A session counts in `joint_all` as right if all its questions are; an empty one is.
    """
    table = {
        level: rate(right(row) for row in scores.rows if row.hardness == level) for level in LEVELS
    }
    table["all"] = rate(map(right, scores.rows))
    sessions: dict[int, float] = dict.fromkeys(range(scores.sessions), True)
    for row in scores.rows:
        sessions[row.item.session] = min(sessions[row.item.session], right(row))
    table["joint_all"] = rate(sessions.values())
    return table


def by_turn(scores: Scores, right: Right) -> dict[str, dict[str, Any]]:
    """Rates of the first, second, third, fourth and all later questions of the sessions."""
    return {
        name: rate(right(row) for row in scores.rows if min(row.item.turn, 4) == number)
        for number, name in enumerate(TURNS)
    }


def by_database(scores: Scores, right: Right) -> dict[str, dict[str, Any]]:
    """Rates of the databases, by name."""
    names = sorted({row.item.db_id for row in scores.rows})
    return {
        name: rate(right(row) for row in scores.rows if row.item.db_id == name) for name in names
    }


def by_part(scores: Scores) -> dict[str, dict[str, dict[str, float]]]:
    """Accuracy, recall and F1 of each partial comparison of exact set match, by level.

    Accuracy is over the questions whose prediction has the clause, recall over those whose gold
    has it. As in the official report, F1 is 1 where both are 0, and 0 where there is no question.
    """
    levels = {level: [row for row in scores.rows if row.hardness == level] for level in LEVELS}
    levels["all"] = scores.rows
    table = {
        level: {
            name: _part_rates([row.match.parts[name] for row in rows if row.match])
            for name in PARTS
        }
        for level, rows in levels.items()
    }
    # Sessions have no partial comparisons; the official report prints these values for them.
    nothing = {"acc": 0.0, "rec": 0.0, "f1": 1.0}
    return {**table, "joint_all": dict.fromkeys(PARTS, nothing)}


def _part_rates(parts: list[Part]) -> dict[str, float]:
    accuracy = rate(part.whole for part in parts if part.predicted)["rate"] or 0.0
    recall = rate(part.whole for part in parts if part.gold)["rate"] or 0.0
    if not parts:
        f1 = 0.0
    elif accuracy == recall == 0:
        f1 = 1.0
    else:
        f1 = 2 * accuracy * recall / (accuracy + recall)
    return {"acc": accuracy, "rec": recall, "f1": f1}


def by_verdict(scores: Scores, plug_value: bool = False) -> dict[str, int]:
    """How often each verdict was given, most frequent first; `plug_value` is that with gold's values."""
    return dict(
        Counter(
            CORRECT if plug_value and row.plugged else row.judgement.verdict
            for row in scores.rows
            if row.judgement
        ).most_common()
    )


def forgiving_of(scores: Scores) -> dict[str, Right]:
    """The metrics of what is forgiven, where some question forgives it; one that does not is judged strictly."""
    allowances = [row.item.allowances for row in scores.rows if row.item.allowances]
    given = {name for own in allowances for name in own.given}
    return {name: _forgiving(name) for name in ALLOWANCES if name in given}


def _forgiving(name: str) -> Right:
    return lambda row: row.executed.forgiven.get(name, row.correct)


BIRD: Mapping[str, Right] = {
    "ex": lambda row: _bird(row).ex,
    "soft_f1": lambda row: _bird(row).soft_f1,
    "efficiency": lambda row: _bird(row).efficiency,
}
"""BIRD's own metrics, of answers that were judged by them too."""


def bird_of(scores: Scores) -> Mapping[str, Right]:
    """BIRD's own metrics, where all answers were judged by them."""
    is_judged = bool(scores.rows) and all(
        row.judgement and row.judgement.bird for row in scores.rows
    )
    return BIRD if is_judged else {}


def _bird(row: Scored) -> BirdMarks:
    assert row.executed.bird, "not judged by BIRD's metrics"
    return row.executed.bird


def by_bird_level(scores: Scores, right: Right) -> dict[str, dict[str, Any]]:
    """Rates of BIRD's simple, moderate and challenging questions, where the questions name these, and in total."""
    levels = [
        name for name in bird.LEVELS if any(row.item.difficulty == name for row in scores.rows)
    ]
    table = {
        level: rate(right(row) for row in scores.rows if row.item.difficulty == level)
        for level in levels
    }
    return {**table, "total": rate(map(right, scores.rows))}


def on_original(row: Scored) -> bool:
    """Whether a prediction is right on the original database alone, with its own values."""
    return row.judgement is not None and row.judgement.single_database


def value_read_as_1(scores: Scores, options: Options) -> int:
    """How many predictions were compared with 1 in the place of their `value`, as the official evaluator does."""
    if "value-in-names" in options.repairs:
        return 0
    return sum("value" in row.prediction for row in scores.rows)
