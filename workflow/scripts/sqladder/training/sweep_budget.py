"""The hours that all candidates of a sweep may take together: who would exceed them is not started.

What a candidate will cost is estimated from those that have finished: the dearest epoch of theirs times its own epochs.
Until one has finished nobody can tell, so the others wait for the first. A candidate that has started keeps its share
over a kill, so that the same command goes on.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqladder.errors import LOG
from sqladder.files import read_json, write_json
from sqladder.processes.locks import try_lock

# In the candidate's folder, from its start on.
STARTED_FILE = "started.json"
# Beside it, locked while the candidate's program runs.
ALIVE_FILE = "alive.lock"
# Beside the candidates, locked while one of them looks at the others.
LOCK_FILE = "budget.lock"
POLL_SECONDS = 1.0


@contextmanager
def share_of_budget(
    facts: Path, hours: float | None, epochs: float, later_epochs: float = 0.0
) -> Iterator[str]:
    """Hold a candidate's share of the hours; yield why it may not start, "" where it may.

    Args:
        facts: the file that the candidate will leave, in its folder beside those of the others.
        hours: that all may take, None where nobody counts.
        epochs: passes over the rows that it wants to make.
        later_epochs: those that have to be left to the candidates that go on from here.
    """
    folder = facts.parent
    if hours is None:
        yield ""
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ALIVE_FILE).open("a") as held:
        # Another candidate that asks whether this one lives holds it for a moment.
        while not try_lock(held):
            time.sleep(POLL_SECONDS / 20)
        while (reason := _look(facts, hours, epochs, later_epochs)) is None:
            time.sleep(POLL_SECONDS)
        if reason:
            LOG.info(f"not started: {reason}")
        yield reason


def _look(facts: Path, hours: float, epochs: float, later_epochs: float) -> str | None:
    """Why a candidate may not start, "" where it may, and has its share then; None where it has to wait."""
    folder = facts.parent
    with (folder.parent / LOCK_FILE).open("a") as lock:
        if not try_lock(lock):
            return None
        own = folder / STARTED_FILE
        if own.is_file():
            return ""
        others = [path for path in folder.parent.iterdir() if path.is_dir() and path != folder]
        finished, running = _finished(others, facts.name), _unfinished(others, facts.name)
        if not finished and any(_is_alive(path) for path in running):
            return None
        dearest = max((spent / made for spent, made in finished), default=0.0)
        spent = sum(spent for spent, _ in finished)
        held = sum(read_json(path / STARTED_FILE)["epochs"] for path in running)
        reserved = dearest * (held + later_epochs)
        wanted = dearest * epochs
        if spent + reserved + wanted > hours:
            return f"{spent + reserved:.4g} of {hours:.4g} hours are spent or held, and it would take {wanted:.4g}"
        write_json(own, {"epochs": epochs})
        return ""


def _finished(folders: list[Path], name: str) -> list[tuple[float, float]]:
    """Hours and epochs of the candidates that have been trained, to their end or as far as this file says."""
    files = [[path / own for own in {"train.json", name}] for path in folders]
    known = [[read_json(path) for path in own if path.is_file()] for own in files]
    # The last rung may still say of one that has started since that it was left out.
    costs = [
        [(device_hours(facts), facts["epochs"]) for facts in own if "left_out" not in facts]
        for own in known
    ]
    return [max(own) for own in costs if own]


def _unfinished(folders: list[Path], name: str) -> list[Path]:
    """Folders of those that have started; killed ones will go on."""
    return [
        path for path in folders if (path / STARTED_FILE).is_file() and not (path / name).is_file()
    ]


def _is_alive(folder: Path) -> bool:
    with (folder / ALIVE_FILE).open("a") as file:
        return not try_lock(file)


def device_hours(facts: dict[str, Any]) -> float:
    """Hours of a training times its devices: GPUs, or the processor where there are none.

    Args:
        facts: its train.json.
    """
    return float(facts["seconds"] * facts["gpus"] * facts["nodes"] / 3600)


def leave_out(reason: str, output: Path) -> dict[str, Any]:
    """The facts of a candidate that was not started, whose model is an empty folder.

    Args:
        reason: why it was not.
        output: folder that its model would have.
    """
    output.mkdir(parents=True, exist_ok=True)
    return {"left_out": reason}
