"""The checkpoints of trainings that chose one of them on validation questions, read with what the choice is worth."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqladder.report.judged_models import JudgedModels, each_once, marks_of
from sqladder.report.results import OneSeed, is_by_reward
from sqladder.statistics.groups import Groups
from sqladder.statistics.paired_difference import PairedDifference
from sqladder.statistics.seeds import Answers


@dataclass(frozen=True)
class JudgedCheckpoints(JudgedModels):
    """All checkpoints of one training, in their order.

    Attributes:
        steps: of the optimizer, after which each was saved.
        epochs: passes over the rows by then.
        losses: of the training, the last one before each; None where none was logged, and in a training by reward,
            whose loss is about 0 whatever it learns.
        answers: marks of the validation questions, shape (checkpoints, n).
        groups: of the n questions.
        databases: number of databases that the questions are about.
        chosen: place of the one that went on.
        stopped_early: whether the training ended before its time.
        seconds: that judging them took.
        share: of the training's whole time.
        engine: what answered.
        instead_of: what would have, had it been installed; None where it was.
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
    engine: str
    instead_of: str | None

    @cached_property
    def gain(self) -> PairedDifference:
        """The chosen checkpoint's accuracy less the last one's, paired by question."""
        return self.behind(len(self.steps) - 1)


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
    by_reward = is_by_reward(training)
    return JudgedCheckpoints(
        steps,
        [point["epoch"] for point in points],
        [None if by_reward else point["loss"] for point in points],
        marks_of(points),
        Groups.of(facts["groups"]),
        facts["databases"],
        steps.index(facts["chosen"]),
        facts["stopped_early"],
        facts["seconds"],
        facts["seconds"] / training["seconds"],
        facts.get("engine", "transformers"),
        facts.get("instead_of"),
    )


def of_each(replicates: Iterable[OneSeed]) -> list[tuple[OneSeed, JudgedCheckpoints]]:
    """The trainings whose checkpoints were judged, each once: a reused model has those of its own variant."""
    return each_once(replicates, judged_checkpoints)
