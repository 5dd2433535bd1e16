"""A training with the scores of its model, as a tracker shows it: who it is, and what was measured of it."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqladder.errors import InputError
from sqladder.files import read_json, sha256_of
from sqladder.training.checkpoints import CURVE_FILE, LOG_FILE, SETTINGS_FILE, read_log

WORK_FOLDER = "training"
# What stands beside the settings there: by what a checkpoint is known to be of the same training.
_OF_SOURCES = ("data", "base_model", "judge", "judging", "gold", "made_by", "versions")
# Of a row of the log, what is no measurement.
_PLACES = ("step", "time")

Facts = Mapping[str, Any]


class TrackedRun(NamedTuple):
    """Who a run is to a tracker.

    Attributes:
        id: of the variant, its settings, data and packages, so that the same training after a kill is the same run.
        name: the replicate, candidate or round, as its folder below results/ is called.
        settings: of the training, flat; empty where nothing is trained.
    """

    id: str
    name: str
    settings: Mapping[str, str]


class Measurement(NamedTuple):
    """What was measured at one moment of a run.

    Attributes:
        part: "train", "validation" or "score".
        step: of the optimizer.
        time: in seconds since 1970.
        values: by name, such as train/loss.
    """

    part: str
    step: int
    time: float
    values: Mapping[str, float]


class RunReading(NamedTuple):
    """A run with all that was measured of it so far, in the order of time."""

    run: TrackedRun
    measured: Sequence[Measurement]


def read_live(name: str, key: str, folder: Path) -> RunReading | None:
    """Read what a training that is under way has written; None where there is none.

    Args:
        name: of the replicate.
        key: digest of what the config says of it, beside the training's own settings.
        folder: of the replicate, below results/.
    """
    work_folder = folder / WORK_FOLDER
    try:
        rows = read_log(work_folder / LOG_FILE)
        if not rows:
            return None
        own = read_json(work_folder / SETTINGS_FILE)
        identity = sha256_of(work_folder / SETTINGS_FILE)
        curve = work_folder / CURVE_FILE
        points = [(row[0], row[3]) for row in read_json(curve)] if curve.is_file() else []
    except (OSError, InputError):
        # A training that has ended removes them, one of other settings begins by that.
        return None
    settings = {key: value for key, value in own.items() if key not in _OF_SOURCES}
    return RunReading(_run(name, key, identity, settings), _of_training(rows, points))


def read_finished(name: str, key: str, folder: Path) -> RunReading:
    """Read what a replicate has left: its training, if it had one, and its scores, if it has some.

    Args:
        name: of the replicate.
        key: as in `read_live`.
        folder: of the replicate, below results/.
    """
    training, scores = folder / "train.json", folder / "metrics.json"
    facts = read_json(training) if training.is_file() else {}
    validation = facts.get("validation", {"points": []})
    points = [(point["step"], point["correct"]) for point in validation["points"]]
    measured = _of_training(facts.get("log", []), points)
    if scores.is_file():
        found = dict(_scores(read_json(scores), facts))
        measured.append(
            Measurement("score", facts.get("steps", 0), round(scores.stat().st_mtime, 3), found)
        )
    run = _run(name, key, facts.get("identity", ""), facts.get("settings", {}))
    return RunReading(run, measured)


def _run(name: str, key: str, identity: str, settings: Facts) -> TrackedRun:
    digest = hashlib.sha256(json.dumps([name, key, identity]).encode()).hexdigest()
    return TrackedRun(digest[:16], name, dict(_flat(settings)))


def _flat(settings: Facts, before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", str(value)


def _of_training(rows: Sequence[Facts], points: Sequence[tuple[int, str]]) -> list[Measurement]:
    found = [
        Measurement(
            "train",
            row["step"],
            row["time"],
            {f"train/{key}": value for key, value in row.items() if key not in _PLACES},
        )
        for row in rows
    ]
    for step, correct in points:
        # A checkpoint falls on a point of the loss curve.
        time = max((row["time"] for row in rows if row["step"] <= step), default=0.0)
        accuracy = correct.count("1") / len(correct)
        found.append(Measurement("validation", step, time, {"validation/accuracy": accuracy}))
    return sorted(found, key=lambda own: (own.step, own.part))


def _scores(metrics: Facts, facts: Facts) -> Iterator[tuple[str, float]]:
    """The final figures: accuracy, by level too, the other metrics, and what the training took."""
    for level, rate in metrics["accuracy"].items():
        if rate["rate"] is not None:
            yield f"score/{'accuracy' if level == 'all' else level}", rate["rate"]
    for metric, levels in metrics["secondary"].items():
        if levels["all"]["rate"] is not None:
            yield f"score/{metric}", levels["all"]["rate"]
    for key in ("seconds", "gpu_hours", "final_loss", "tokens_per_second", "peak_memory_mb"):
        if facts.get(key) is not None:
            yield f"training/{key}", facts[key]
