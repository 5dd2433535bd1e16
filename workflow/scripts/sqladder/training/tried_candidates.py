"""The candidates of a sweep as their trainings leave them, and which is the best; without what a model needs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqladder.errors import InputError
from sqladder.files import read_object

Facts = Mapping[str, Any]


class TriedCandidate(NamedTuple):
    """A candidate that was trained.

    Attributes:
        folder: with its model and train.json.
        swept: the settings that it tried.
        facts: what its train.json says.
    """

    folder: Path
    swept: Mapping[str, Any]
    facts: Facts

    @property
    def correct(self) -> str:
        """A mark of each validation question, "1" where its chosen checkpoint's answer is right."""
        validation = self.facts["validation"]
        points = {point["step"]: point["correct"] for point in validation["points"]}
        return str(points[validation["chosen"]])

    @property
    def right(self) -> int:
        """Number of right answers."""
        return self.correct.count("1")


class LeftOut(NamedTuple):
    """A candidate that was not started.

    Attributes:
        swept: the settings that it would have tried.
        reason: why it was not.
    """

    swept: Mapping[str, Any]
    reason: str


def read_candidate(folder: Path, swept: Mapping[str, Any]) -> TriedCandidate | LeftOut:
    """Read what a candidate's training left, if it was started.

    Raises:
        InputError: its checkpoints were not judged.
    """
    facts = read_object(folder / "train.json")
    if "left_out" in facts:
        return LeftOut(swept, facts["left_out"])
    if "validation" not in facts:
        raise InputError(
            f"{folder / 'train.json'} has no marks on validation questions; train it with --choose validation"
        )
    return TriedCandidate(folder, swept, facts)


def best_candidate(tried: Sequence[TriedCandidate]) -> TriedCandidate:
    """The candidate with the most right answers; of equal ones the first.

    Raises:
        InputError: they answered different questions.
    """
    if len({str(own.facts["validation"]["groups"]) for own in tried}) > 1:
        raise InputError(
            "the candidates were judged by different validation questions; train them again"
        )
    return max(tried, key=lambda own: own.right)
