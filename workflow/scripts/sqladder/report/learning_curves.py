"""Learning curves, with the law through their points."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sqladder.statistics.groups import Groups
from sqladder.statistics.intervals import Interval
from sqladder.statistics.power_law import PowerLaw
from sqladder.statistics.seeds import Answers, accuracy_interval


@dataclass(frozen=True)
class LearningCurve:
    """Accuracies of one recipe on nested samples of its rows.

    Attributes:
        variant: whose recipe it is.
        rows: numbers of training rows, rising.
        answers: marks on the validation questions of each number of rows, shape (draws, n) each.
        hours: of all devices, of all trainings of each.
        groups: of the n questions.
    """

    variant: str
    rows: Sequence[int]
    answers: Sequence[Answers]
    hours: Sequence[float]
    groups: Groups

    @property
    def n(self) -> int:
        """Number of validation questions."""
        return self.answers[0].shape[1]

    @property
    def draws(self) -> int:
        """Nested samples of each number of rows."""
        return len(self.answers[0])

    @property
    def rates(self) -> list[float]:
        """Accuracy at each number of rows."""
        return [float(own.mean()) for own in self.answers]

    def interval(self, place: int) -> Interval:
        """The 95 % interval of one of them."""
        return accuracy_interval(self.answers[place], self.groups)

    @cached_property
    def law(self) -> PowerLaw:
        """The power law through the curve."""
        return PowerLaw(self.rows, np.stack(self.answers), self.groups)
