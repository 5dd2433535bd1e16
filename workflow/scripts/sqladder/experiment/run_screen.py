"""A run on a terminal: a line for each job, and at the end the ranking with where the report lies.

Snakemake tells of its jobs by log records with an `event`; how far a job is stands at the end of its own log, how long
it will take there too, or in the measurement that its last run left.
"""

import atexit
import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from sqladder.experiment.sweep_progress import SweepProgress
from sqladder.metric.showing import showable
from sqladder.texts.numbers import clock

_TAIL = 4096
"""Bytes at the end of a log that are looked at."""

_DONE = re.compile(r"\b(\d[\d,]*)/(\d[\d,]*)\b")
# As our own lines have it, and as tqdm's bars do.
_LEFT = re.compile(r"(\d+(?::\d\d)+) left|<(\d+(?::\d\d)+)[,\]]")

# What jobs say of themselves: a line for each, instead of the paragraphs that Snakemake writes.
_REPLACED = frozenset(
    {
        "job_info",
        "job_started",
        "job_finished",
        "progress",
        "shellcmd",
        "resources_info",
        "run_info",
    }
)


@dataclass
class RunningJob:
    """A job that runs.

    Attributes:
        name: its rule and wildcards.
        log: the file that its program writes.
        usual: seconds that it took last time, None if it never ran here.
        replicate: whose job it is, "" where it is nobody's.
        started: on the monotonic clock.
    """

    name: str
    log: Path | None
    usual: float | None
    replicate: str = ""
    started: float = field(default_factory=time.monotonic)

    def line(self) -> str:
        """What it does, how far it is, and how long it will take as far as that is known."""
        passed = time.monotonic() - self.started
        parts = [self.name, *_progress(self.log), clock(passed)]
        if "left" not in "".join(parts) and self.usual:
            parts.append(f"{clock(max(0.0, self.usual - passed))} left, as last time")
        return "  ".join(parts)


class RunScreen(logging.Handler):
    """Draws the lines of the jobs that run, and leaves one for each that has ended.

    Args:
        jobs: how many there will be.
        console: the terminal.
        sweeps: whose candidates are among them.
    """

    def __init__(self, jobs: int, console: Console, sweeps: Sequence[SweepProgress] = ()) -> None:
        super().__init__()
        self._sweeps = dict.fromkeys(sweeps, "")
        self._jobs, self._ended = jobs, 0
        self._running: dict[int, RunningJob] = {}
        self._live = Live(
            console=console,
            get_renderable=self._drawn,
            refresh_per_second=2,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Follow a job from its start to its end."""
        told = vars(record)
        match str(told.get("event")):
            case "job_info":
                self._running[told["jobid"]] = started_job(told)
                self._begin_sweeps(told)
            case "job_finished":
                self._end(told["job_id"], "done")
            case "job_error":
                self._end(told["jobid"], "FAILED")
            case "progress":
                # More than at the start, once a sweep has chosen a context.
                self._jobs = told["total"]

    def close(self) -> None:
        """Leave the terminal to what comes after."""
        self._live.stop()
        super().close()

    def _end(self, number: int, how: str) -> None:
        job = self._running.pop(number, None)
        if job is None:
            return
        self._ended += how == "done"
        passed = clock(time.monotonic() - job.started)
        self._live.console.print(
            self._text(f"[{self._ended}/{self._jobs}] {job.name}: {how} in {passed}")
        )

        for sweep in self._sweeps:
            self._sweeps[sweep] = sweep.line()
            if sweep.owns(job.replicate) and self._sweeps[sweep]:
                self._live.console.print(self._text(f"        {self._sweeps[sweep]}"))

    def _begin_sweeps(self, told: Mapping[str, Any]) -> None:
        replicate = replicate_in(told)
        for sweep in self._sweeps:
            if sweep.owns(replicate):
                sweep.begin()
                self._sweeps[sweep] = sweep.line()

    def _drawn(self) -> Group:
        lines = [job.line() for job in list(self._running.values())]
        return Group(*map(self._text, [*lines, *filter(None, list(self._sweeps.values()))]))

    def _text(self, line: str) -> Text:
        return Text(showable(line), no_wrap=True, overflow="ellipsis")


def quieten(logger: logging.Logger) -> None:
    """Keep Snakemake's paragraphs on jobs from the terminal or pipe; its own log, and failures, stay whole."""
    for handler in logger.handlers:
        if not isinstance(handler, logging.FileHandler):
            handler.addFilter(_is_not_replaced)


def attach(logger: logging.Logger, jobs: int, sweeps: Sequence[SweepProgress]) -> None:
    """Draw the lines of a run of so many jobs and of its sweeps, where there is a terminal."""
    console = Console(stderr=True)
    if console.is_terminal:
        screen = RunScreen(jobs, console, sweeps)
        logger.addHandler(screen)
        # Whatever ends the run, the cursor has to come back.
        atexit.register(screen.close)


def detach(logger: logging.Logger) -> None:
    """End the lines of a run."""
    for handler in logger.handlers:
        if isinstance(handler, RunScreen):
            handler.close()


def _is_not_replaced(record: logging.LogRecord) -> bool:
    is_heading = record.getMessage().startswith("Select jobs to execute")
    return not is_heading and str(vars(record).get("event")) not in _REPLACED


def started_job(told: Mapping[str, Any]) -> RunningJob:
    """The job that a record of Snakemake's tells of."""
    wildcards = [*map(str, (told.get("wildcards") or {}).values())]
    name = " ".join([told["rule_name"].replace("_", " "), *wildcards])
    log, benchmark = (told.get("log") or [])[:1], told.get("benchmark")
    file = Path(log[0]) if log else None
    return RunningJob(name, file, _usual(benchmark), replicate_in(told))


def replicate_in(told: Mapping[str, Any]) -> str:
    """Whose job a record of Snakemake's tells of, "" where it is nobody's."""
    return str(dict(told.get("wildcards") or {}).get("replicate", ""))


def _usual(benchmark: str | None) -> float | None:
    """Seconds of Snakemake's last measurement of a job."""
    try:
        header, *rows = Path(benchmark or "").read_text(encoding="utf-8").splitlines()
        return float(rows[-1].split("\t")[header.split("\t").index("s")])
    except (OSError, ValueError, IndexError):
        return None


def _progress(log: Path | None) -> Iterator[str]:
    """How far the last line of a log that tells it says that its program is, and how long it will take."""
    for line in reversed(re.split(r"[\r\n]+", _tail(log))):
        if done := _DONE.search(line):
            yield f"{done[1]} of {done[2]}"
            if left := _LEFT.search(line):
                yield f"{left[1] or left[2]} left"
            return


def _tail(log: Path | None) -> str:
    if log is None or not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        return file.read().decode("utf-8", errors="replace")


def last_screen(report: Path) -> str:
    """The ranking of a report as plain text, and the two files to read on in; "" without a report."""
    if not report.is_file():
        return ""
    ranking = report.read_text(encoding="utf-8").partition("\n## Ranking\n")[2]
    lines = [line for line in ranking.partition("\n## ")[0].splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    rows = [row for row in cells if not set("".join(row)) <= set(":- ")]
    widths = [max(map(len, column)) for column in zip(*rows, strict=False)]
    table = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    page = report.with_suffix(".html")
    return showable("\n".join(["", *table, "", f"report: {report}", f"page:   {page}", ""]))
