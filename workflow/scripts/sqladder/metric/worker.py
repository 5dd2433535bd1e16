"""The process in which queries are executed; the scheduler replaces it when it dies.

It reads batches of questions from standard input, one JSON list a line, and answers each candidate
with one JSON line on standard output. Before each execution it notes in a small shared file what
it runs, so that after its death the scheduler knows whose query it was. Its address space is
limited, it can write no file, and an alarm that it does not catch ends it when one execution
exceeds the last wall limit.
"""

import json
import mmap
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqladder.metric.allowances import Allowances
from sqladder.metric.bird import BirdQuery
from sqladder.metric.limits import Limits
from sqladder.metric.outlines import Outline
from sqladder.metric.sandbox import Sandbox
from sqladder.metric.suite import GoldQuery, Judgement, Options

# What a note says: the number of the database file, -1 before any, whether gold is being executed, and whether values
# are being plugged in.
NOTE = struct.Struct("i??")


class Notebook:
    """Says what the next statement is, and arms the alarm for it."""

    def __init__(self, descriptor: int, timeout: float) -> None:
        self._shared = mmap.mmap(descriptor, NOTE.size)
        self._timeout = timeout

    def before_execution(self, number: int, gold: bool, plugged: bool) -> None:
        """Grant the next execution, comparison included, its wall time."""
        NOTE.pack_into(self._shared, 0, number, gold, plugged)
        signal.setitimer(signal.ITIMER_REAL, self._timeout)


class Worker:
    """Answers requests; keeps the files of the last database open."""

    def __init__(
        self, options: Options, limits: Limits, notebook: Notebook, keep_rows: bool
    ) -> None:
        self.options, self.limits, self.notebook = options, limits, notebook
        self.keep_rows = keep_rows
        self._folder = ""
        self._files: list[Sandbox] = []

    def answer(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Judge the candidates of one gold query, in their order; with each, what was found out of gold."""
        question = GoldQuery(
            self._open(request["files"]),
            request["gold"],
            self.options,
            self.limits,
            self.notebook.before_execution,
            self.keep_rows,
            {number: Outline(*known) for number, known in request["outlines"]},
            request["allowances"] and Allowances(**request["allowances"]),
            request["right"],
        )
        known, right = len(question.outlines), len(question.right)
        bird = BirdQuery(question.files[0], request["gold"], self._before_bird)
        for prediction, plug in request["candidates"]:
            self.notebook.before_execution(-1, gold=False, plugged=False)
            judgement = _fields(question.judge(prediction, plug))
            if self.options.bird:
                judgement["bird"] = bird.marks(prediction)
            # Both are only ever added to, behind what is there.
            found = list(question.outlines.items())[known:], list(question.right)[right:]
            yield {"judgement": judgement, "outlines": found[0], "right": found[1]}
            known, right = len(question.outlines), len(question.right)
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _before_bird(self) -> None:
        self.notebook.before_execution(0, gold=False, plugged=False)

    def _open(self, paths: list[str]) -> list[Sandbox]:
        if paths[0] != self._folder:
            for file in self._files:
                file.close()
            self._files = [Sandbox(Path(path), self.limits) for path in paths]
            self._folder = paths[0]
        return self._files


def confine(limits: Limits) -> None:
    """Limit this process: memory, no file written, no core dump, an alarm that ends it."""
    size = limits.memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Both are inherited from whoever started us, and either would disarm the alarm.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})


def main() -> None:
    """Serve until standard input ends."""
    setup = json.loads(sys.stdin.readline())
    limits = Limits(**setup["limits"])
    setup["options"]["repairs"] = frozenset(setup["options"]["repairs"])
    notebook = Notebook(setup["note"], limits.timeout)
    worker = Worker(Options(**setup["options"]), limits, notebook, setup["keep_rows"])
    confine(limits)
    # Ctrl-C reaches the whole process group; the scheduler ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _say({"ready": True})
    for line in sys.stdin:
        for request in json.loads(line):
            try:
                for answer in worker.answer(request):
                    _say(answer)
            except MemoryError:
                # The heap is no longer to be trusted: end, and be replaced.
                raise
            except Exception:
                # Only here: hardly any process needs it.
                import traceback

                # A fault of ours is reported as one and never becomes a verdict.
                _say({"bug": traceback.format_exc()})


def _fields(judgement: Judgement) -> dict[str, Any]:
    # Not dataclasses.asdict: its deep copy takes longer than many a query.
    rows = {"gold_rows": judgement.gold_rows, "answer_rows": judgement.answer_rows}
    return vars(judgement) | {name: kept and vars(kept) for name, kept in rows.items()}


def _say(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
