"""What a training cost: the time of every device that it held."""

from collections.abc import Mapping, Sequence
from typing import Any


def devices(training: Mapping[str, Any]) -> int:
    """Devices that a training held at a time; one where train.json knows of no others."""
    return training.get("gpus", 1) * training.get("nodes", 1)


def device_seconds(training: Mapping[str, Any]) -> float | None:
    """Seconds of all devices together, None where the time is not known."""
    taken = training.get("seconds")
    return None if taken is None else taken * devices(training)


def line_seconds(trainings: Sequence[Mapping[str, Any]]) -> float | None:
    """The same of trainings that lead to one model, all together, with what was drawn for them; None if unknown."""
    taken = [device_seconds(own) for own in trainings]
    known = [time for time in taken if time is not None]
    drawn = sum(map(spent_before, trainings))
    return sum(known) + drawn if len(known) == len(taken) else None


def spent_before(training: Mapping[str, Any]) -> float:
    """Device seconds that were spent for a training's rows: answers that were drawn, trainings of earlier rounds."""
    spent = training.get("learning", {}).get("spent", ())
    return sum(part["seconds"] * part["devices"] for part in spent)
