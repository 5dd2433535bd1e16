"""BIRD's own metrics of one answer, on the original database: its execution accuracy, soft F1, and efficiency.

Source: the evaluation of BIRD's mini-dev (https://github.com/bird-bench/mini_dev, 4d970a9), and for efficiency its
reward by ratio of cost. BIRD measures that cost as wall time of repeated executions, which no other machine gives
again; here it is counted in steps of SQLite's virtual machine, so that the same answers always get the same reward.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqladder.metric.sandbox import QueryError, Result, Row, Sandbox

LEVELS = ("simple", "moderate", "challenging")
"""BIRD's levels, which its questions name as `difficulty`."""

# Cost of gold divided by that of the answer: from each ratio on, the reward.
_REWARDS = ((2.0, 1.25), (1.0, 1.0), (0.5, 0.75), (0.25, 0.5))
_LEAST_REWARD = 0.25


class BirdMarks(NamedTuple):
    """What BIRD's metrics say of one answer.

    Attributes:
        ex: the rows, as a set, are gold's.
        soft_f1: F1 of values, row by row, from 0 to 1.
        reward: for efficiency, 0 where `ex` does not hold, else from 0.25 to 1.25.
    """

    ex: bool
    soft_f1: float
    reward: float

    @property
    def efficiency(self) -> float:
        """The answer's part of the reward-based valid efficiency score: the square root of its reward."""
        return self.reward**0.5


NOTHING = BirdMarks(False, 0.0, 0.0)
"""Of an answer without result, or a question whose gold query fails."""


class BirdQuery:
    """One gold query on its database, executed as it stands."""

    def __init__(self, database: Sandbox, gold: str, before_execution: Callable[[], None]) -> None:
        self._database, self._before_execution = database, before_execution
        self._gold_sql = gold
        self._gold: Result | None = None
        self._gold_steps: int | None = None

    def marks(self, prediction: str) -> BirdMarks:
        """BIRD's metrics of one answer, executed as it stands."""
        try:
            self._before_execution()
            self._gold = self._gold or self._database.execute(self._gold_sql)
            self._before_execution()
            found = self._database.execute(prediction)
            is_right = set_equal(self._gold.rows, found.rows)
            reward = self._reward(prediction) if is_right else 0.0
        except QueryError:
            return NOTHING
        return BirdMarks(is_right, soft_f1(self._gold.rows, found.rows), reward)

    def _reward(self, prediction: str) -> float:
        if self._gold_steps is None:
            self._before_execution()
            self._gold_steps = self._database.steps_of(self._gold_sql)
        self._before_execution()
        return efficiency_reward(self._gold_steps, self._database.steps_of(prediction))


def set_equal(gold: Sequence[Row], found: Sequence[Row]) -> bool:
    """BIRD's execution accuracy: the same rows, however often and in whatever order; columns in gold's order."""
    return set(gold) == set(found)


def soft_f1(gold: Sequence[Row], found: Sequence[Row]) -> float:
    """BIRD's soft F1 of two results.

    Doubled rows count once. The first row is compared with the first, the second with the second: a row's share of
    values that stand anywhere in the other row, of those that only it has, and of those that it lacks, each divided by
    the number of gold's columns. A row without partner counts as one that only one side has.
    """
    if not gold and not found:
        return 1.0
    golds, others = list(dict.fromkeys(gold)), list(dict.fromkeys(found))
    shared = only_found = only_gold = 0.0
    for here, there in zip(golds, others, strict=False):
        columns = len(here)
        matches = sum(value in here for value in there)
        shared += matches / columns
        only_found += (len(there) - matches) / columns
        only_gold += sum(value not in there for value in here) / columns
    only_gold += max(len(golds) - len(others), 0)
    only_found += max(len(others) - len(golds), 0)
    precision = shared / (shared + only_found) if shared + only_found else 0.0
    recall = shared / (shared + only_gold) if shared + only_gold else 0.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def efficiency_reward(gold_steps: int, found_steps: int) -> float:
    """BIRD's reward of a right answer by how much cheaper or dearer it is than gold, from 0.25 to 1.25."""
    ratio = gold_steps / found_steps
    return next((reward for least, reward in _REWARDS if ratio >= least), _LEAST_REWARD)
