"""Run questions on worker processes, and outlive what their queries do to those."""

import contextlib
import json
import mmap
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from sqladder.metric.allowances import Allowances
from sqladder.metric.bird import BirdMarks
from sqladder.metric.first_rows import FirstRows
from sqladder.metric.limits import Limits
from sqladder.metric.outlines import Outline
from sqladder.metric.reasons import Expected, Found
from sqladder.metric.suite import GOLD_ERROR, Judgement, Options
from sqladder.metric.worker import NOTE

_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])
# Programs of their own rather than forks: their address space starts small, so that a limit on it
# means the same in every caller, and threads of the caller do no harm.
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from sqladder.metric.worker import main; main()"
)
# Questions handed to a worker at once: few enough to share work out, enough to keep files open.
_BATCH = 16


@dataclass
class Question:
    """One gold query on one database, with the predictions to judge.

    Attributes:
        files: database files, the original one first.
        gold: the gold query.
        candidates: distinct predictions, each with whether gold's values are plugged in.
        judgements: one a candidate, filled in by `run`.
        outlines: of gold's results by the numbers of the files on which they are known; `run` adds those that it finds
            and that will be the same the next time.
        right: names of programs that give gold's results on all files, and will the next time; `run` adds to them.
        allowances: what the question forgives, as metrics beside the verdict.
    """

    files: list[str]
    gold: str
    candidates: list[tuple[str, bool]]
    judgements: list[Judgement | None]
    outlines: dict[int, Outline] = field(default_factory=dict)
    allowances: Allowances | None = None
    right: list[str] = field(default_factory=list)

    def open_candidates(self) -> list[int]:
        """Positions of the candidates without judgement."""
        return [i for i, judgement in enumerate(self.judgements) if judgement is None]

    def judgement(self, place: int) -> Judgement:
        """The judgement of a candidate, which `run` has made."""
        judgement = self.judgements[place]
        assert judgement is not None, "asked for before `run`"
        return judgement


class WorkerError(RuntimeError):
    """A worker could not start or its own code failed; the message says how."""


def run(
    questions: Iterable[Question],
    options: Options,
    limits: Limits,
    jobs: int,
    progress: Callable[[int], object] = lambda judged: None,
    keep_rows: bool = False,
) -> None:
    """Judge all candidates of all questions on `jobs` processes.

    Args:
        questions: what to judge; their `judgements` are filled in.
        options: how texts are compared.
        limits: what one execution may cost.
        jobs: number of processes.
        progress: called with the number of candidates of each question as it is finished.
        keep_rows: judgements hold the first rows of gold and of wrong results.

    Raises:
        WorkerError: a worker did not start, or reported an exception of its own code.
    """
    with WorkerPool(options, limits, jobs, keep_rows) as pool:
        pool.judge(questions, progress)


class WorkerPool:
    """Worker processes that stay for several calls, with the database open that they had last.

    Example::

        with WorkerPool(options, limits, jobs=4) as pool:
            pool.judge(some)
            pool.judge(others)

    Args:
        options: how texts are compared.
        limits: what one execution may cost.
        jobs: number of processes, which start as there is work for them.
        keep_rows: judgements hold the first rows of gold and of wrong results.
    """

    def __init__(
        self, options: Options, limits: Limits, jobs: int, keep_rows: bool = False
    ) -> None:
        self._options, self._limits = options, limits
        self._jobs, self._keep_rows = jobs, keep_rows
        self._processes: list[_Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def judge(
        self,
        questions: Iterable[Question],
        progress: Callable[[int], object] = lambda judged: None,
    ) -> None:
        """Judge all candidates of all questions.

        Args:
            questions: what to judge; their `judgements` are filled in.
            progress: called with the number of candidates of each question as it is finished.

        Raises:
            WorkerError: a worker did not start, or reported an exception of its own code; the pool is closed then.
        """
        batches = _Batches(questions)
        try:
            self._start(min(self._jobs, batches.count))
            with selectors.DefaultSelector() as selector:
                for process in self._processes:
                    if process.offer(batches):
                        selector.register(process.output, selectors.EVENT_READ, process)
                while selector.get_map():
                    for key, _ in selector.select():
                        _attend(key, selector, batches, progress)
        except BaseException:
            # What a worker still has to say belongs to this call.
            self.close()
            raise

    def close(self) -> None:
        """End the processes; a later call starts others."""
        for process in self._processes:
            process.stop()
        self._processes = []

    def _start(self, needed: int) -> None:
        while len(self._processes) < needed:
            self._processes.append(_Process(self._options, self._limits, self._keep_rows))


def _attend(
    key: selectors.SelectorKey,
    selector: selectors.BaseSelector,
    batches: "_Batches",
    progress: Callable[[int], object],
) -> None:
    """Take what one process has to say; give it more work, or let it go."""
    process = key.data
    # A successor's pipe may get the number of the closed one, so always register anew.
    selector.unregister(key.fd)
    for question in process.listen():
        progress(len(question.candidates))
    if process.busy or process.offer(batches):
        selector.register(process.output, selectors.EVENT_READ, process)


class _Batches:
    """Questions by database; a worker gets those of the database that it has open, if any."""

    def __init__(self, questions: Iterable[Question]) -> None:
        self._waiting: dict[str, deque[list[Question]]] = {}
        for question in questions:
            batches = self._waiting.setdefault(question.files[0], deque())
            if not batches or len(batches[-1]) == _BATCH:
                batches.append([])
            batches[-1].append(question)
        self.count = sum(map(len, self._waiting.values()))

    def next(self, database: str) -> deque[Question]:
        """Questions of `database` or else of the one with most left; empty at the end."""
        if not self._waiting:
            return deque()
        if database not in self._waiting:
            database = max(self._waiting, key=lambda name: len(self._waiting[name]))
        batches = self._waiting[database]
        batch = batches.popleft()
        if not batches:
            del self._waiting[database]
        return deque(batch)


class _Process:
    """A worker process and its unanswered questions; it starts a successor when it dies."""

    def __init__(self, options: Options, limits: Limits, keep_rows: bool) -> None:
        self._options, self._limits, self._keep_rows = options, limits, keep_rows
        self._database = ""
        self._unread = b""
        self._questions: deque[Question] = deque()
        self._start()

    @property
    def busy(self) -> bool:
        """Whether it has questions to answer."""
        return bool(self._questions)

    @property
    def output(self) -> int:
        """Descriptor of the pipe on which it answers."""
        return self._answers.fileno()

    def offer(self, batches: _Batches) -> bool:
        """Hand over the next batch; false if there is none."""
        self._questions = batches.next(self._database)
        if self._questions:
            self._database = self._questions[0].files[0]
            self._send_questions()
        return self.busy

    def listen(self) -> list[Question]:
        """Read what there is to read; the questions that are finished by it."""
        chunk = os.read(self.output, 1 << 16)
        if not chunk:
            self._blame()
            self._start()
            finished = self._drop_finished()
            self._send_questions()
            return finished
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        for line in lines:
            self._take(json.loads(line))
        return self._drop_finished()

    def stop(self) -> None:
        """End the process and free what it holds."""
        self._process.kill()
        self._process.wait()
        self._answers.close()
        # What it did not read is still in our buffer, and closing tries to send that.
        with contextlib.suppress(BrokenPipeError):
            self._requests.close()
        self._note.close()

    def _start(self) -> None:
        self._ready, self._unread = False, b""
        with tempfile.TemporaryFile() as note:
            note.truncate(NOTE.size)
            self._note = mmap.mmap(note.fileno(), NOTE.size)
            self._process = subprocess.Popen(
                # Without site packages, which the worker does not need, the start takes half as long.
                [sys.executable, "-I", "-S", "-c", _START, _PACKAGE_ROOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=[note.fileno()],
            )
            stdin, stdout = self._process.stdin, self._process.stdout
            assert stdin is not None and stdout is not None, "both were asked for as pipes"
            self._requests, self._answers = stdin, stdout
            options = asdict(self._options) | {"repairs": sorted(self._options.repairs)}
            setup = {"note": note.fileno(), "options": options, "limits": asdict(self._limits)}
            self._send({**setup, "keep_rows": self._keep_rows})

    def _send_questions(self) -> None:
        """Send all unanswered questions as one line, which the worker reads whole before it answers.

        Neither side therefore ever waits for the other to empty a full pipe.
        """
        requests = [
            {
                "files": question.files,
                "gold": question.gold,
                "candidates": [question.candidates[i] for i in question.open_candidates()],
                "outlines": list(question.outlines.items()),
                "allowances": question.allowances and asdict(question.allowances),
                "right": question.right,
            }
            for question in self._questions
        ]
        if requests:
            self._send(requests)

    def _send(self, message: object) -> None:
        # A worker that is already dead is noticed by the end of its output.
        with contextlib.suppress(BrokenPipeError):
            self._requests.write(json.dumps(message).encode() + b"\n")
            self._requests.flush()

    def _take(self, answer: dict[str, Any]) -> None:
        if "bug" in answer:
            raise WorkerError(answer["bug"])
        if "ready" in answer:
            self._ready = True
            return
        question = next(q for q in self._questions if q.open_candidates())
        question.judgements[question.open_candidates()[0]] = _judgement(answer["judgement"])
        question.outlines |= {number: Outline(*known) for number, known in answer["outlines"]}
        question.right += answer["right"]

    def _drop_finished(self) -> list[Question]:
        finished = []
        while self._questions and not self._questions[0].open_candidates():
            finished.append(self._questions.popleft())
        return finished

    def _blame(self) -> None:
        """Put down the worker's death as the verdict of the query that it was on."""
        code = self._process.wait()
        number, on_gold, plugged = NOTE.unpack(self._note[:])
        self.stop()
        # Not a query's fault, and starting another would end the same way.
        if not self._ready:
            raise WorkerError(f"a worker ended with status {code} before it could start")
        verdict, reason, expected, found = self._meaning(code)
        question = next(q for q in self._questions if q.open_candidates())
        file = Path(question.files[number]).name if number >= 0 else None
        waiting = question.open_candidates()
        if on_gold:
            for i in waiting:
                question.judgements[i] = Judgement(GOLD_ERROR, file, reason, expected, found)
        elif plugged:
            # Its own values were fine so far: judge it again without others.
            sql, _ = question.candidates[waiting[0]]
            question.candidates[waiting[0]] = (sql, False)
        else:
            question.judgements[waiting[0]] = Judgement(verdict, file, reason, expected, found)

    def _meaning(self, code: int) -> tuple[str, str, Expected, Found]:
        """Verdict, reason, expected and found of the query that ended the process with a status."""
        if code == -signal.SIGALRM:
            return "timeout", "seconds", self._limits.timeout, None
        # An exception ended it, and of these the worker lets only MemoryError through.
        if code > 0:
            return "refused", "memory", self._limits.memory_mb, None
        return "refused", "process", None, -code


def _judgement(fields: dict[str, Any]) -> Judgement:
    rows = {key: fields[key] and FirstRows(**fields[key]) for key in ("gold_rows", "answer_rows")}
    bird = fields["bird"] and BirdMarks(*fields["bird"])
    return Judgement(**{**fields, **rows, "bird": bird})
