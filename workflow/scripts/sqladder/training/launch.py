"""A training job from its first process to its last: start, fall back when memory runs out, finish."""

import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqladder.errors import LOG, InputError
from sqladder.files import read_json, sha256_of, write_json
from sqladder.models.shapes import linear_layers
from sqladder.processes.lifetime import holding, run_to_end
from sqladder.training.adapters import wrong_target
from sqladder.training.checkpoints import (
    CURVE_FILE,
    LOG_FILE,
    SETTINGS_FILE,
    fingerprint,
    prepare_work_folder,
)
from sqladder.training.disk import explain_full_disk, leaves_no_room
from sqladder.training.faults import is_disk_full
from sqladder.training.processes import (
    WORKER,
    devices_apart,
    worker_command,
    worker_environment,
)
from sqladder.training.rungs import TRAINED_FILE, known_facts
from sqladder.training.settings import TrainingSettings

PACKAGES = (
    "torch",
    "transformers",
    "llamafactory",
    "trl",
    "peft",
    "accelerate",
    "datasets",
    "deepspeed",
    "megatron-core",
    "mcore_adapter",
    "bitsandbytes",
)
JOB_FILE = "job.json"
FACTS_FILE = "facts.json"
# How many rows there are, written after them.
ROWS_FILE = "rows.json"
# How a step's rows are split into micro-batches, once memory ran out for the split of the settings.
SPLIT_FILE = "micro_batch.json"
# Written by a process whose GPU had no memory left.
OUT_OF_MEMORY_FILE = "out_of_memory.json"
# Written by a process that stops for a reason that a user can mend, one a process.
FAILURE_FILE = "failure.{rank}.json"


@dataclass(frozen=True)
class TrainingFiles:
    """What a training reads and writes.

    Attributes:
        base_model: Hugging Face folder.
        data: prompts with answers, JSON Lines.
        output: folder of the trained model.
        work_folder: checkpoints and LLaMA-Factory's files.
        profile: where a step's GPU time goes, None if nobody asked.
        judge: the program that judges checkpoints, with its flags; empty where the last one is taken.
        program: that each process of the training runs.
        more: what that program has to know besides, as JSON.
        until: share of the steps after which it pauses, its checkpoints kept (training/rungs.py); 1 keeps the facts of
            the whole training too. None trains to the end, and keeps nothing.
        at_will: what it has to know that decides nothing of what is trained, such as how many processes help: a
            checkpoint is gone on from whatever stands here.
    """

    base_model: Path
    data: Path
    output: Path
    work_folder: Path
    profile: Path | None
    judge: Sequence[str] = ()
    program: Path = WORKER
    more: Mapping[str, Any] = field(default_factory=dict)
    at_will: Mapping[str, Any] = field(default_factory=dict)
    until: float | None = None

    def as_json(self) -> dict[str, Any]:
        """What a process of the training has to know, by name, as JSON holds it."""
        names = ("base_model", "data", "output", "work_folder", "profile")
        paths = {name: path and str(path) for name in names for path in [getattr(self, name)]}
        known = {"judge": list(self.judge), "until": self.until}
        return {**paths, **known, **self.more, **self.at_will}


def check_flags(settings: TrainingSettings, files: TrainingFiles) -> None:
    """Refuse what a program's flags say beside each other, before anything slow is loaded.

    Raises:
        InputError: nothing judges the checkpoints, or the base has no layer of a target's name.
    """
    if settings.choose == "validation" and not files.judge:
        raise InputError("--choose validation needs a program that judges checkpoints: --judge")
    names = settings.lora.target_modules if settings.lora else []
    if wrong := wrong_target(names, linear_layers(files.base_model)):
        raise InputError(f"--target-modules: {wrong}")


def fine_tune(settings: TrainingSettings, files: TrainingFiles) -> dict[str, Any]:
    """Train in processes of their own, write the model, and return the run's facts.

    Checkpoints stay in the work folder until the model is written: the same call after a kill goes
    on from the last of them.

    Raises:
        InputError: a package is missing, or a process failed.
    """
    _check_packages(settings)
    with holding(files.work_folder):
        try:
            return _fine_tune(settings, files)
        except OSError as error:
            if not is_disk_full(error):
                raise
            raise _full_disk(settings, files) from error


def _check_packages(settings: TrainingSettings) -> None:
    if settings.by_bitsandbytes and not installed_version("bitsandbytes"):
        raise InputError(
            f"{settings.by_bitsandbytes} needs the package bitsandbytes, which is not installed here: install "
            "requirements/bitsandbytes.lock by pip, or leave the setting out"
        )


def _full_disk(settings: TrainingSettings, files: TrainingFiles) -> InputError:
    return InputError(explain_full_disk(settings, files.base_model, files.work_folder))


def _fine_tune(settings: TrainingSettings, files: TrainingFiles) -> dict[str, Any]:
    work_folder = files.work_folder
    versions = {name: found for name in PACKAGES if (found := installed_version(name))}
    sources = {
        "data": fingerprint(files.data),
        "base_model": fingerprint(files.base_model),
        "judge": [
            fingerprint(Path(word)) if Path(word).is_file() else word for word in files.judge
        ],
        **files.more,
    }
    prepare_work_folder(
        work_folder, settings.model_dump(exclude_none=True) | sources | {"versions": versions}
    )
    if files.until is not None and (known := known_facts(work_folder, files.until)):
        LOG.info("trained as far before")
        return known
    (work_folder / FACTS_FILE).unlink(missing_ok=True)
    while not _run(settings, files):
        _halve_micro_batch(settings, work_folder)
    # By it a tracker knows the training again; a checkpoint goes on where it is the same.
    identity = {"identity": sha256_of(work_folder / SETTINGS_FILE)}
    facts = read_json(work_folder / FACTS_FILE) | identity | {"versions": versions}
    if files.until is not None:
        write_json(work_folder / TRAINED_FILE, facts)
        if files.until < 1:
            return known_facts(work_folder, files.until) or facts
    _remove_leftovers(work_folder)
    return facts


def _remove_leftovers(work_folder: Path) -> None:
    """Remove what only a training under way needs."""
    for leftover in (
        "run",
        "cache",
        "data",
        "extensions",
        JOB_FILE,
        FACTS_FILE,
        ROWS_FILE,
        SPLIT_FILE,
        CURVE_FILE,
        LOG_FILE,
    ):
        path = work_folder / leftover
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def write_failure(work_folder: Path, rank: int, error: InputError) -> None:
    """Leave for the launcher why a process stops; it shows one reason, once and last."""
    failure = {"step": getattr(error, "step", 0), "message": str(error)}
    write_json(work_folder / FAILURE_FILE.format(rank=rank), failure)


def installed_version(package: str) -> str | None:
    """Version of an installed package, None without it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _run(settings: TrainingSettings, files: TrainingFiles) -> bool:
    """Run the job's processes to their end; False if they ran out of memory."""
    work_folder = files.work_folder
    out_of_memory, failures = work_folder / OUT_OF_MEMORY_FILE, FAILURE_FILE.format(rank="*")
    for left_over in (work_folder / ROWS_FILE, out_of_memory, *work_folder.glob(failures)):
        left_over.unlink(missing_ok=True)
    # We hold the folder, so whoever compiled here last is gone, and its locks bar nobody but us.
    for lock in (work_folder / "extensions").rglob("lock"):
        lock.unlink()
    split = work_folder / SPLIT_FILE
    job = {
        "settings": settings.model_dump(exclude_none=True)
        | (read_json(split) if split.is_file() else {}),
        **files.as_json(),
        # On other nodes it is no ancestor of the processes; there srun ends them.
        "launcher": os.getpid() if settings.parallelism.nodes == 1 else None,
    }
    write_json(work_folder / JOB_FILE, job)
    command = worker_command(settings.parallelism, work_folder / JOB_FILE, files.program)
    environment = worker_environment(settings.parallelism, work_folder) | devices_apart(
        settings.gpus_beside
    )
    # srun passes SIGTERM on to its nodes.
    parent_death = signal.SIGKILL if settings.parallelism.nodes == 1 else signal.SIGTERM
    status = run_to_end(command, environment, parent_death=parent_death)
    if status == 0:
        return True
    if out_of_memory.is_file():
        return False
    if found := [read_json(path) for path in sorted(work_folder.glob(failures))]:
        # Of several processes the one whose loss broke first knows why; it breaks the others'.
        raise InputError(min(found, key=itemgetter("step"))["message"])
    # Not even for the process to say so.
    if leaves_no_room(settings, files.base_model, work_folder):
        raise _full_disk(settings, files)
    raise InputError(
        f"the training process ended with status {status}; what it said stands above. The same "
        f"command goes on from the last checkpoint in {work_folder}"
    )


def _halve_micro_batch(settings: TrainingSettings, work_folder: Path) -> None:
    """Take half the rows at a time and twice as many times: another split of the same step."""
    split = {
        "batch_size": settings.batch_size,
        "gradient_accumulation": settings.gradient_accumulation,
    }
    path = work_folder / SPLIT_FILE
    if path.is_file():
        split = read_json(path)
    rows = split["batch_size"]
    if rows % 2 or rows // 2 < settings.least_rows:
        is_least = rows == settings.least_rows > 1
        reason = f": kto takes at least {rows}" if is_least else ""
        raise InputError(
            f"memory does not hold {rows} row{'s' * (rows > 1)} at a time, which cannot be "
            f"halved{reason}; set gradient_checkpointing: true, a smaller packing_length or a parallelism "
            "that parts the model (zero2, zero3, megatron)"
        )
    split = {
        "batch_size": rows // 2,
        "gradient_accumulation": 2 * split["gradient_accumulation"],
    }
    write_json(path, split)
    LOG.info(
        f"out of memory with {rows} rows at a time: going on with {split['batch_size']} and "
        f"{split['gradient_accumulation']} accumulation steps, the same rows a step"
    )
