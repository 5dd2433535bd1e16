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
    def stopped(self) -> float | None:
        """Share of its training after which it was stopped for others; None for one that was trained to its end."""
        return self.facts.get("stopped")

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


def read_candidate(
    folder: Path, swept: Mapping[str, Any], name: str = "train.json"
) -> TriedCandidate | LeftOut:
    """Read what a candidate's training left, if it was started.

    Args:
        folder: of the candidate.
        swept: the settings that it tries.
        name: of its facts there; those of a rung are known before it has ended.

    Raises:
        InputError: its checkpoints were not judged.
    """
    facts = read_object(folder / name)
    if "left_out" in facts:
        return LeftOut(swept, facts["left_out"])
    if "validation" not in facts:
        raise InputError(
            f"{folder / name} has no marks on validation questions; train it with --choose validation"
        )
    return TriedCandidate(folder, swept, facts)


def best_candidate(tried: Sequence[TriedCandidate]) -> TriedCandidate:
    """The candidate with the most right answers of those that were trained to their end; of equal ones the first.

    Raises:
        InputError: they answered different questions.
    """
    check_same_questions([own.facts for own in tried])
    return max((own for own in tried if own.stopped is None), key=lambda own: own.right)


def check_same_questions(facts: Sequence[Facts]) -> None:
    """Refuse to compare candidates that answered different questions.

    Args:
        facts: of their trainings.

    Raises:
        InputError: they did.
    """
    if len({str(own["validation"]["groups"]) for own in facts}) > 1:
        raise InputError(
            "the candidates were judged by different validation questions; train them again"
        )
