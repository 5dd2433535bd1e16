"""Models that were judged by validation questions so that one of them goes on: what the choice among them is worth."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from sqladder.report.results import OneSeed
from sqladder.statistics.groups import Groups
from sqladder.statistics.intervals import Interval
from sqladder.statistics.paired_difference import PairedDifference
from sqladder.statistics.seeds import Answers, accuracy_interval

Judged = TypeVar("Judged")


class JudgedModels:
    """Several models with marks of the same questions, and the one that was chosen by them.

    Attributes:
        answers: marks of the validation questions, shape (models, n).
        groups: of the n questions.
        chosen: place of the one that went on.
    """

    answers: Answers
    groups: Groups
    chosen: int

    @property
    def n(self) -> int:
        """Number of validation questions."""
        return self.answers.shape[1]

    @cached_property
    def rates(self) -> list[float]:
        """Share of right answers of each model."""
        return [float(own.mean()) for own in self.answers]

    def interval(self, place: int) -> Interval:
        """95 % interval of a model's share, for further questions on the same databases."""
        return accuracy_interval(self.answers[place : place + 1], self.groups)

    def behind(self, place: int) -> PairedDifference:
        """The chosen model's accuracy less another one's, paired by question."""
        best, own = self.answers[self.chosen], self.answers[place]
        return PairedDifference.of(best[None], own[None], self.groups)

    @cached_property
    def equal(self) -> int:
        """Models not known to be worse than the chosen one, itself among them: unadjusted, so rather too few."""
        return sum(self.behind(place).p >= 0.05 for place in range(len(self.answers)))


def marks_of(rows: Sequence[Mapping[str, Any]]) -> Answers:
    """The marks of rows of train.json, each a text of 0 and 1, shape (rows, n)."""
    return np.array([[mark == "1" for mark in row["correct"]] for row in rows])


def each_once(
    replicates: Iterable[OneSeed], read: Callable[[Mapping[str, Any]], Judged | None]
) -> list[tuple[OneSeed, Judged]]:
    """What `read` finds in the facts of each training, each once: a reused model has those of its own variant."""
    found = []
    for own in replicates:
        judged = None if "model_of" in own.training else read(own.training)
        if judged is not None:
            found.append((own, judged))
    return found
