"""The rows of one query for people, from a process of its own that can be ended: nothing is judged.

The process is confined as those that judge are (worker.py), executes one query, and ends.
"""

import json
import marshal
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from sqladder.metric.limits import Limits
from sqladder.metric.reasons import sentence
from sqladder.metric.sandbox import QueryError, Row, Sandbox
from sqladder.metric.worker import confine

_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])
_START = "import sys; sys.path.insert(0, sys.argv[1]); from sqladder.metric.asked_rows import main; main()"


class AskedRows(NamedTuple):
    """What a query gave.

    Attributes:
        names: of the columns.
        rows: the first rows.
        complete: whether these are all.
        problem: why there is no result, "" if there is one.
    """

    names: list[str]
    rows: list[Row]
    complete: bool
    problem: str = ""


def fetch(database: str, sql: str, limits: Limits, most: int) -> AskedRows:
    """Execute a query that is not trusted, for reading only.

    Args:
        database: the SQLite file.
        sql: the query.
        limits: what it may cost.
        most: rows that are wanted at most.
    """
    request = {"database": database, "sql": sql, "limits": vars(limits), "most": most}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _START, _PACKAGE_ROOT],
        input=json.dumps(request).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode == 0:
        names, rows, complete, problem = marshal.loads(done.stdout)
        return AskedRows(names, rows, complete, problem)
    return AskedRows([], [], True, _why_ended(done.returncode, limits))


def _why_ended(status: int, limits: Limits) -> str:
    if status == -signal.SIGALRM:
        return sentence("seconds", limits.timeout)
    if status > 0:
        return sentence("memory", limits.memory_mb)
    return sentence("process", found=-status)


def main() -> None:
    """Execute the query that standard input holds, and write its rows."""
    # Ctrl-C reaches the whole process group; whoever started this ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    request = json.load(sys.stdin)
    limits = Limits(**request["limits"])
    confine(limits)
    signal.setitimer(signal.ITIMER_REAL, limits.timeout)
    database = Path(request["database"])
    try:
        sandbox = Sandbox(database, limits)
    except sqlite3.Error as error:
        # Whoever asks knows the file by its own name, not by that of a link to it.
        name = database.resolve().name
        problem = f"the database {name} cannot be opened any more ({error}): is it still there?"
        sys.stdout.buffer.write(marshal.dumps([[], [], True, problem]))
        return
    try:
        result = sandbox.execute(request["sql"], request["most"])
        answer = [list(result.names), result.rows[: request["most"]], result.complete, ""]
    except QueryError as error:
        answer = [[], [], True, sentence(error.reason, error.expected, error.found)]
    sys.stdout.buffer.write(marshal.dumps(answer))
