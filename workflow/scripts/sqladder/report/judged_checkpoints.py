"""The checkpoints of trainings that chose one of them on validation questions, read with what the choice is worth."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sqladder.report.results import OneSeed
from sqladder.statistics.groups import Groups
from sqladder.statistics.intervals import Interval
from sqladder.statistics.paired_difference import PairedDifference
from sqladder.statistics.seeds import Answers, accuracy_interval


@dataclass(frozen=True)
class JudgedCheckpoints:
    """All checkpoints of one training, in their order.

    Attributes:
        steps: of the optimizer, after which each was saved.
        epochs: passes over the rows by then.
        losses: of the training, the last one before each; None where none was logged.
        answers: marks of the validation questions, shape (checkpoints, n).
        groups: of the n questions.
        databases: number of databases that the questions are about.
        chosen: place of the one that went on.
        stopped_early: whether the training ended before its time.
        seconds: that judging them took.
        share: of the training's whole time.
    """

    steps: Sequence[int]
    epochs: Sequence[float]
    losses: Sequence[float | None]
    answers: Answers
    groups: Groups
    databases: int
    chosen: int
    stopped_early: bool
    seconds: float
    share: float

    @property
    def n(self) -> int:
        """Number of validation questions."""
        return self.answers.shape[1]

    @cached_property
    def rates(self) -> list[float]:
        """Share of right answers of each checkpoint."""
        return [float(own.mean()) for own in self.answers]

    def interval(self, place: int) -> Interval:
        """95 % interval of a checkpoint's share, for further questions on the same databases."""
        return accuracy_interval(self.answers[place : place + 1], self.groups)

    @cached_property
    def gain(self) -> PairedDifference:
        """The chosen checkpoint's accuracy less the last one's, paired by question."""
        chosen, last = self.answers[self.chosen], self.answers[-1]
        return PairedDifference.of(chosen[None], last[None], self.groups)

    @property
    def equal(self) -> int:
        """Checkpoints that are not known to be worse than the chosen one: unadjusted, so rather too few."""
        best = self.answers[self.chosen][None]
        gaps = (PairedDifference.of(best, own[None], self.groups) for own in self.answers)
        return sum(gap.p >= 0.05 for gap in gaps)


def judged_checkpoints(training: Mapping[str, Any]) -> JudgedCheckpoints | None:
    """What a training's train.json says of its checkpoints; None where none was judged.

    Args:
        training: its content.
    """
    facts = training.get("validation")
    if facts is None:
        return None
    points = facts["points"]
    steps = [point["step"] for point in points]
    return JudgedCheckpoints(
        steps,
        [point["epoch"] for point in points],
        [point["loss"] for point in points],
        np.array([[mark == "1" for mark in point["correct"]] for point in points]),
        Groups.of(facts["groups"]),
        facts["databases"],
        steps.index(facts["chosen"]),
        facts["stopped_early"],
        facts["seconds"],
        facts["seconds"] / training["seconds"],
    )


def of_each(replicates: Iterable[OneSeed]) -> list[tuple[OneSeed, JudgedCheckpoints]]:
    """The trainings whose checkpoints were judged, each once: a reused model has those of its own variant."""
    found = []
    for own in replicates:
        judged = None if "model_of" in own.training else judged_checkpoints(own.training)
        if judged:
            found.append((own, judged))
    return found
