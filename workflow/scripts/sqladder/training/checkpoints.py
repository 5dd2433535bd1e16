"""The work folder of a training run: which checkpoints may be resumed from, and which may not."""

import json
import shutil
from pathlib import Path
from typing import Any

from sqladder.files import read_json, sha256_of, write_json

SETTINGS_FILE = "settings.json"
# What the checkpoints so far are worth, where they are judged.
CURVE_FILE = "validation.json"
# The points of the loss curve so far.
LOG_FILE = "log.jsonl"
# Written beside a checkpoint after all of its other files: a checkpoint without it was cut off.
PROGRESS_FILE = "sqladder_progress.json"


def prepare_work_folder(folder: Path, settings: dict[str, Any]) -> int:
    """Make the folder ready for a run with these settings and return the step it resumes from.

    Checkpoints of other settings, data or package versions are removed: resuming from them would
    give a model that no setting describes. So is a checkpoint whose writing was interrupted.

    Returns:
        The step of the last complete checkpoint, 0 for a fresh start.
    """
    settings = json.loads(json.dumps(settings))
    path = folder / SETTINGS_FILE
    if not path.is_file() or read_json(path) != settings:
        shutil.rmtree(folder, ignore_errors=True)
        write_json(path, settings)
    remove_torn(folder)
    return max(complete_checkpoints(folder), default=0)


def complete_checkpoints(folder: Path) -> list[int]:
    """Steps of the checkpoints of a work folder that a training may go on from."""
    marks = folder.glob(f"run/checkpoint-*/{PROGRESS_FILE}")
    return [int(mark.parent.name.rpartition("-")[2]) for mark in marks]


def remove_torn(folder: Path) -> None:
    """Remove the checkpoints of a work folder whose writing was interrupted."""
    for checkpoint in folder.glob("run/checkpoint-*"):
        if not (checkpoint / PROGRESS_FILE).is_file():
            shutil.rmtree(checkpoint, ignore_errors=True)


def mark_complete(checkpoint: Path, seconds: float) -> None:
    """Record that a checkpoint is whole, and the training seconds that led to it."""
    write_json(checkpoint / PROGRESS_FILE, {"seconds": seconds})


def seconds_before(checkpoint: Path) -> float:
    """Training seconds that led to a checkpoint, over all earlier attempts."""
    return read_json(checkpoint / PROGRESS_FILE)["seconds"]


def fingerprint(path: Path) -> dict[str, str]:
    """SHA-256 of a file, or of every file of a folder, by name."""
    files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.is_file())
    return {file.name: sha256_of(file) for file in files}


def read_log(path: Path) -> list[dict[str, Any]]:
    """Read the rows of a training's log; a last line that is not whole yet, or never will be, is left out."""
    if not path.is_file():
        return []
    *lines, _ = path.read_text().split("\n")
    return [json.loads(line) for line in lines]
