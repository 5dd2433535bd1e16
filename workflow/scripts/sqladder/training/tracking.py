"""What is sent to trackers, each measurement once: what was sent is kept by run and destination."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqladder.errors import LOG
from sqladder.files import read_json, write_json
from sqladder.metric.showing import shown
from sqladder.processes.lifetime import is_gone, this_process
from sqladder.processes.locks import try_lock
from sqladder.training.tracked_run import Measurement, RunReading, TrackedRun, read_live
from sqladder.training.trackers import Tracker, make_tracker

# What was sent of each run, and the lock by which one process at a time sends: two would make a run twice.
_SENT_FOLDER = ".sent"
_LOCK_FILE = "lock"
# Beside the parts: the process that has the run open. Libraries write with a delay, which a kill of it cuts off.
_OPEN_IN = "open_in"
SECONDS_BETWEEN_READINGS = 2.0
# After a failure; a server that is gone makes each call wait.
SECONDS_TO_REST = 60.0


class Tracking:
    """Sends runs to trackers. A tracker that fails is said in words, and tried again later; no failure is raised.

    Args:
        names: of the trackers.
        folder: where they write by default, and where it is kept what was sent.
    """

    def __init__(self, names: Sequence[str], folder: Path) -> None:
        self._names, self._folder = names, folder
        self._trackers: dict[str, Tracker] = {}
        self._resting: dict[str, float] = {}
        self._process = this_process()

    def send(self, reading: RunReading) -> dict[str, str]:
        """Send what is new of a run.

        Returns:
            What went wrong, by tracker.
        """
        problems = {}
        with _locked(self._folder / _SENT_FOLDER / _LOCK_FILE):
            for name in self._names:
                if self._resting.get(name, 0.0) > time.monotonic():
                    continue
                if problem := self._try(name, lambda own: self._send_new(own, reading)):
                    problems[name] = problem
                    self._resting[name] = time.monotonic() + SECONDS_TO_REST
        return problems

    def close(self, run: TrackedRun) -> dict[str, str]:
        """Leave a run, once all of it is sent; returns what went wrong, by tracker."""
        tried = {
            name: self._try(name, lambda own: self._close(own, run))
            for name in list(self._trackers)
        }
        return {name: problem for name, problem in tried.items() if problem}

    def destinations(self) -> dict[str, str]:
        """Where the trackers are that could be made."""
        return {name: own.destination for name, own in self._trackers.items()}

    def _try(self, name: str, action: Callable[[Tracker], None]) -> str:
        """Do something with a tracker; what went wrong, in words, or ""."""
        try:
            if name not in self._trackers:
                self._trackers[name] = make_tracker(name, self._folder)
            action(self._trackers[name])
        # Of four libraries, and of whatever they call: the training is not to end by any of it.
        except Exception as error:
            return shown(f"{type(error).__name__}: {error}").split("\n")[0]
        return ""

    def _send_new(self, tracker: Tracker, reading: RunReading) -> None:
        known = self._known(reading.run)
        sent = known.setdefault(tracker.destination, {})
        before = sent.get(_OPEN_IN)
        was_left_open = before is not None and is_gone(before)
        if was_left_open:
            _correct(sent, tracker.kept(reading.run))
        new = [own for own in reading.measured if _is_new(own, sent)]
        # One that was left open is to be closed, even if all of it is there.
        if not new and not was_left_open:
            return
        if before != self._process:
            sent[_OPEN_IN] = self._process
            write_json(self._path(reading.run), known)
        tracker.send(reading.run, new)
        for own in new:
            sent[own.part] = _mark(own)
        write_json(self._path(reading.run), known)

    def _close(self, tracker: Tracker, run: TrackedRun) -> None:
        tracker.close(run)
        with _locked(self._folder / _SENT_FOLDER / _LOCK_FILE):
            known = self._known(run)
            sent = known.get(tracker.destination, {})
            if sent.get(_OPEN_IN) == self._process:
                del sent[_OPEN_IN]
                write_json(self._path(run), known)

    def _path(self, run: TrackedRun) -> Path:
        return self._folder / _SENT_FOLDER / f"{run.id}.json"

    def _known(self, run: TrackedRun) -> dict[str, dict[str, Any]]:
        """How far each part of a run was sent, by destination."""
        path = self._path(run)
        return dict(read_json(path)) if path.is_file() else {}


def _correct(sent: dict[str, Any], kept: Mapping[str, int] | None) -> None:
    """Let what was sent say what is there."""
    if kept is None:
        return
    for part in {*sent, *kept} - {_OPEN_IN}:
        if part not in kept:
            del sent[part]
        elif part != "score":
            sent[part] = kept[part]


def _is_new(own: Measurement, sent: Mapping[str, Any]) -> bool:
    before = sent.get(own.part)
    if own.part == "score":
        return bool(_mark(own) != before)
    return before is None or own.step > before


def _mark(own: Measurement) -> int | str:
    """How far a part was sent: to a step, or, of scores, what they are."""
    if own.part != "score":
        return own.step
    return hashlib.sha256(json.dumps(own.values, sort_keys=True).encode()).hexdigest()[:16]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait until no other process sends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        while not try_lock(file):
            time.sleep(0.1)
        yield


def follow(
    tracking: Tracking, runs: Sequence[tuple[str, str]], results: Path, is_over: Callable[[], bool]
) -> None:
    """Send what trainings write while they are under way, until all is over.

    Args:
        tracking: to where.
        runs: name and key of each replicate.
        results: the folder of all results.
        is_over: asked between two readings; it may wait for `SECONDS_BETWEEN_READINGS`.
    """
    under_way: dict[str, TrackedRun] = {}
    said: set[tuple[str, str]] = set()
    over = False
    while not over:
        over = is_over()
        for name, key in runs:
            reading = read_live(name, key, results / name)
            problems: dict[str, str] = {}
            before = under_way.pop(name, None)
            if before and (reading is None or reading.run.id != before.id):
                problems |= tracking.close(before)
            if reading:
                problems |= tracking.send(reading)
                under_way[name] = reading.run
            for problem in problems.items():
                if problem not in said:
                    said.add(problem)
                    LOG.warning(
                        f"{name}: {problem[0]} does not take it ({problem[1]}); the training goes on"
                    )
    for run in under_way.values():
        tracking.close(run)
