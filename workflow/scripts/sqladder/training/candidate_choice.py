"""The candidates of a sweep: trained, judged on validation questions, and one of them taken."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqladder.errors import LOG, InputError
from sqladder.files import read_object
from sqladder.models.folders import link_files, replacing_folder
from sqladder.texts.settings_line import settings_line

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

    @property
    def device_hours(self) -> float:
        """Hours of its training times its devices: GPUs, or the processor where there are none."""
        return float(self.facts["seconds"] * self.facts["gpus"] * self.facts["nodes"] / 3600)


def read_candidate(folder: Path, swept: Mapping[str, Any]) -> TriedCandidate:
    """Read what a candidate's training left.

    Raises:
        InputError: its checkpoints were not judged.
    """
    facts = read_object(folder / "train.json", {"seconds": int | float, "gpus": int})
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


def take_best(tried: Sequence[TriedCandidate], output: Path) -> dict[str, Any]:
    """Link the best candidate's model as the variant's; return its facts with those of the choice.

    Args:
        tried: all candidates, in the order of the sweep.
        output: folder of the variant's model.
    """
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
                    "device_hours": round(own.device_hours, 6),
                }
                for own in tried
            ],
        },
    }
