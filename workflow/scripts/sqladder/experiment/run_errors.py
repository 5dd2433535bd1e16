"""What ended a run, in one last line: what happened, which log tells more, and what to do.

Snakemake tells of an error in paragraphs: they stay, and this line comes after them.
"""

import atexit
import itertools
import logging
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqladder.errors import InputError
from sqladder.experiment.run_screen import started_job
from sqladder.metric.showing import shown

_TAIL = 65536
"""Bytes at the end of a log in which a program's own error is looked for."""
_SHOWN_JOBS = 3
_AGAIN = "the same command goes on where this one ended"


def _missing_input(told: re.Match[str]) -> str:
    files = [line.strip() for line in told[2].splitlines() if line.strip()]
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return (
        f"the rule {told[1]} needs {files[0]}{more}, which is not there and which no rule makes: "
        "put it there, or correct its path in the config"
    )


# In Snakemake's words, and in ours.
_MEANINGS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"Missing input files.*?for rule (\w+):.*?affected files:\n(.*)", re.DOTALL),
        _missing_input,
    ),
    (
        re.compile(r"(?:No rule to produce|Missing rule\(s\) for) (\S+)"),
        r"nothing makes \1: name results/report.md (all), results/<variant>/metrics.json (one variant) or a rule; "
        "--list-target-rules lists rules, and the config's variants: has their names",
    ),
    (
        re.compile(r"Directory cannot be locked.*?directory:\n(.*?)\n", re.DOTALL),
        r"another Snakemake works in \1, or one was killed there: wait for it, or where none runs any more, give the "
        "same command once with --unlock; the workflow's own profiles need no such lock",
    ),
    (
        re.compile(r"[Cc]ores have to be specified|--cores.*(?:needs|required)|number of cores"),
        "say how many processors the run may use: --cores 4, or --cores all",
    ),
    (
        re.compile(r"profile directory given \(([^)]*)\)"),
        r"there is no profile \1: the workflow's own are --workflow-profile gpu and --workflow-profile slurm",
    ),
    (
        re.compile(
            r"(?:No such file or directory: '(\S+\.(?:ya?ml|json))'|Config file (\S+) not found)"
        ),
        lambda told: (
            f"there is no config file {told[1] or told[2]}: correct the path after --configfile; "
            "sqladder init writes one"
        ),
    ),
    (
        re.compile(r"defines configfile (\S+) but it is not present"),
        r"there is no \1 in this folder: name a config (--configfile my.yaml), go to the folder that has one, or write "
        "one with sqladder init",
    ),
    (
        re.compile(r"No Snakefile found"),
        "this folder has no workflow: go to a clone of it, or use sqladder run, which brings its own",
    ),
    (
        re.compile(r"seem to be incomplete.*Incomplete files:\n(\S+)", re.DOTALL),
        r"\1 was left half-made by a run that was killed: give the same command with --rerun-incomplete",
    ),
    (
        re.compile(r"Write-protected output files.*affected files:\n\s*(\S+)", re.DOTALL),
        r"\1 is write-protected: chmod u+w lets the run replace it",
    ),
    (
        re.compile(
            r"^\[Errno \d+\] (.*?): '(.*)'|^(?:Permission|FileExists)Error.*?\] (.*?): '(.*)'", re.M
        ),
        lambda told: f"{told[2] or told[4]}: {(told[1] or told[3]).lower()}",
    ),
)
# What stands before a message, and the places in the code after it.
_HEADING = re.compile(r"^(?:\w+(?:Error|Exception)\b.*:|Error:)\s*$|^Error: ")
_PLACE = re.compile(r'^\s+File "')


class RunErrors(logging.Filter):
    """Keeps what went wrong of all that is logged, and lets everything pass.

    A filter, because Snakemake throws the handlers away that others gave its logger.
    """

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[Any, str] = {}
        self._failed: dict[Any, str] = {}
        self._message = ""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take note of an error."""
        told = vars(record)
        match str(told.get("event")):
            case "job_info":
                self._names[told["jobid"]] = started_job(told).name
            case "job_finished":
                # One that failed may be tried again.
                self._failed.pop(told["job_id"], None)
            case "job_error":
                number = told.get("jobid")
                name = self._names.get(number, str(told.get("rule_name")))
                self._failed[number] = failed_job(name, told.get("log") or [])
            case _ if record.levelno >= logging.ERROR:
                # The first one: what comes after it is of its making.
                self._message = self._message or meaning(record.getMessage())
        return True

    def last_line(self) -> str:
        """What ended the run, "" where nothing went wrong."""
        if self._failed:
            jobs = [*self._failed.values()]
            rest = len(jobs) - _SHOWN_JOBS
            more = f"; and {rest} more failed" if rest > 0 else ""
            return f"error: {'; '.join(jobs[:_SHOWN_JOBS])}{more}. Mend that; {_AGAIN}"
        return f"error: {self._message}" if self._message else ""


def watch(logger: logging.Logger) -> None:
    """Have the last line written to standard error when this process ends, whoever asks for it first."""
    if not any(isinstance(each, RunErrors) for each in logger.filters):
        errors = RunErrors()
        logger.addFilter(errors)
        atexit.register(_write_last_line, errors)


def _write_last_line(errors: RunErrors) -> None:
    if line := errors.last_line():
        sys.stdout.flush()
        sys.stderr.write(f"{line}\n")


def meaning(message: str) -> str:
    """An error of Snakemake's in one line; "" for a line that only says that there was one."""
    for pattern, words in _MEANINGS:
        if told := pattern.search(message):
            return _one_line(words(told) if callable(words) else told.expand(words))
    lines = [line for line in message.splitlines() if line.strip()]
    if lines and _HEADING.match(lines[0]):
        lines[0] = lines[0].removeprefix("Error: ") if lines[0].startswith("Error: ") else ""
    kept: list[str] = []
    for line in lines:
        if _PLACE.match(line):
            break
        kept.append(line.strip())
    text = _one_line(" ".join(filter(None, kept)))
    return "" if text.startswith(("Exiting because", "At least one job")) else text


def failed_job(name: str, logs: Iterable[str | Path]) -> str:
    """A failed job in a few words: which, why as its program says it, and its log."""
    written = [Path(log) for log in logs if Path(log).is_file()]
    why = next(filter(None, map(_own_error, written)), "")
    where = f" (log: {written[0]})" if written else ""
    return _one_line(f"{name} failed{': ' + why if why else ''}{where}")


def _own_error(log: Path) -> str:
    """The last line of a log that says what was wrong: our own, or the end of a traceback."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        lines = file.read().decode("utf-8", errors="replace").splitlines()
    written = [line.strip() for line in lines if line.strip()]
    own = [line.removeprefix("error: ") for line in written if line.startswith("error: ")]
    return (own or written or [""])[-1].rstrip(".")


def _one_line(text: str) -> str:
    return shown(re.sub(r"\s+", " ", text)).strip()


def check_profile(words: Sequence[str], places: Iterable[Path]) -> None:
    """Refuse a workflow profile that is not there: Snakemake would run without it, and say nothing.

    Args:
        words: a command line of Snakemake's.
        places: folders in which it looks for `<name>` and for `profiles/<name>`.

    Raises:
        InputError: the profile is in none of them.
    """
    name = given(words, "--workflow-profile")
    tried = [place / part for place in places for part in (name, f"profiles/{name}")]
    if name and name != "none" and not any(path.exists() for path in tried):
        raise InputError(
            f"there is no profile {name}: the workflow's own are --workflow-profile gpu and --workflow-profile slurm"
        )


def check_limits(numbers: Mapping[str, int | None]) -> None:
    """Refuse a limit that lets no job run: Snakemake would wait for ever.

    Args:
        numbers: jobs or cores at a time, by the option that says how many; None where it does not.

    Raises:
        InputError: one of them is less than 1.
    """
    for option, number in numbers.items():
        if number is not None and number < 1:
            raise InputError(
                f"{option} {number} lets no job run: give at least 1, such as {option} 4"
            )


def given(words: Sequence[str], option: str) -> str:
    """What stands after an option, "" where it is not given."""
    after = dict(itertools.pairwise(words)).get(option, "")
    joined = [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
    return joined[-1] if joined else after
