"""The candidates of a sweep: trained, judged on validation questions, and one of them taken."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqladder.errors import LOG, InputError
from sqladder.files import read_object
from sqladder.models.folders import link_files, replacing_folder
from sqladder.texts.settings_line import settings_line
from sqladder.training.sweep_budget import device_hours

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


def take_best(known: Sequence[TriedCandidate | LeftOut], output: Path) -> dict[str, Any]:
    """Link the best candidate's model as the variant's; return its facts with those of the choice.

    Args:
        known: all candidates, in the order of the sweep.
        output: folder of the variant's model.

    Raises:
        InputError: none was started, or they cannot be compared.
    """
    tried = [own for own in known if isinstance(own, TriedCandidate)]
    left_out = [own for own in known if isinstance(own, LeftOut)]
    if not tried:
        raise InputError(
            f"no candidate was started ({left_out[0].reason}); give the sweep more gpu_hours"
        )
    best = best_candidate(tried)
    with replacing_folder(output) as folder:
        link_files(best.folder / "model", folder)
    LOG.info(
        f"chose candidate {tried.index(best) + 1} of {len(tried)}, {best.right} of {len(best.correct)} right: "
        f"{settings_line(best.swept)}"
    )
    return {
        **best.facts,
        "swept": dict(best.swept),
        "sweep": {
            "chosen": tried.index(best),
            "candidates": [
                {
                    "folder": str(own.folder),
                    "swept": dict(own.swept),
                    "correct": own.correct,
                    "device_hours": round(device_hours(dict(own.facts)), 6),
                }
                for own in tried
            ],
            "left_out": [{"swept": dict(own.swept), "reason": own.reason} for own in left_out],
        },
    }
