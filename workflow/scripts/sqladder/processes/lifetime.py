"""Which processes may go on: no worker without its launcher, no launcher without its Snakemake.

What a kill leaves behind would train on beside the run that follows it, and hold its GPUs.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqladder.errors import LOG, InputError
from sqladder.processes.locks import sign, signature, try_lock

# The process that runs the workflow, as `this_process` writes it; its jobs inherit it.
OWNER_VARIABLE = "SQLADDER_WORKFLOW_PROCESS"
SECONDS_BETWEEN_LOOKS = 0.5
# A launcher whose Snakemake was killed notices it within a second; its processes end with it.
SECONDS_TO_LEAVE = 30

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Stat(NamedTuple):
    """What the kernel tells of a process; `started` in clock ticks since the machine's start."""

    state: str
    parent: int
    started: int


def read_stat(pid: int) -> Stat | None:
    """State of a process, None if there is none of this number (proc(5), /proc/pid/stat)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in parentheses, may hold spaces and parentheses itself.
    fields = text.rpartition(")")[2].split()
    return Stat(fields[0], int(fields[1]), int(fields[19]))


def this_process() -> str:
    """This process as text that no other process will ever match: host, number, start."""
    own = read_stat(os.getpid())
    return f"{socket.gethostname()} {os.getpid()} {own.started if own else 0}"


def is_gone(process: str) -> bool:
    """Whether a process, as `this_process` wrote it, has ended; False on another host."""
    host, pid, started = process.split()
    if host != socket.gethostname() or not Path("/proc/self/stat").is_file():
        return False
    found = read_stat(int(pid))
    # A killed process whose parent has not noticed yet is a zombie.
    return found is None or found.state in "ZX" or found.started != int(started)


def end_with_parent(sent: int = signal.SIGKILL) -> None:
    """Have the kernel send this process a signal when its parent ends (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(sent))


def end_with_launcher(launcher: int | None) -> None:
    """End this process with the one that started it; at once if its launcher has ended already.

    Args:
        launcher: process that this one descends from, None if it is on another node.
    """
    end_with_parent()
    if launcher and sys.platform == "linux" and launcher not in ancestors():
        sys.exit(f"error: process {launcher}, which started this one, has ended")


def ancestors() -> list[int]:
    """Numbers of the parent of this process, its parent, and so on."""
    found = [os.getppid()]
    while (above := read_stat(found[-1])) and above.parent:
        found.append(above.parent)
    return found


def run_to_end(
    command: Sequence[str], environment: dict[str, str], *, parent_death: int = signal.SIGKILL
) -> int:
    """Run a command that ends with this process, and this process with its workflow's.

    Args:
        command: a program and its arguments.
        environment: of the command.
        parent_death: the signal that the command gets when this process ends.

    Raises:
        InputError: the workflow's process was killed.
    """
    refuse_without_workflow()
    with subprocess.Popen(command, env=environment, preexec_fn=dying_with_us(parent_death)) as run:
        try:
            while True:
                try:
                    return run.wait(timeout=SECONDS_BETWEEN_LOOKS)
                except subprocess.TimeoutExpired:
                    refuse_without_workflow()
        except BaseException:
            run.send_signal(parent_death)
            raise


def end_with_workflow() -> None:
    """End this process, whatever it is at, within a second of the kill of its workflow's.

    For a program that works by itself, without a command that it waits for.

    Raises:
        InputError: the workflow's process was killed already.
    """
    refuse_without_workflow()
    threading.Thread(target=_watch_workflow, daemon=True).start()


def _watch_workflow() -> None:
    try:
        while True:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            refuse_without_workflow()
    except InputError as error:
        LOG.error(f"error: {error}")
        os._exit(1)  # an exception of this thread would end this thread alone


def refuse_without_workflow() -> None:
    """Raise an InputError if the workflow that this job belongs to has been killed."""
    owner = os.environ.get(OWNER_VARIABLE)
    if owner and is_gone(owner):
        raise InputError(
            f"Snakemake (process {owner.split()[1]}) was killed, so this job of its ends too; the "
            "same snakemake command goes on from what was finished, a training from its last checkpoint"
        )


def dying_with_us(sent: int = signal.SIGKILL) -> Callable[[], None]:
    """The `preexec_fn` of a process that gets a signal when this one ends, even by a kill."""
    parent = os.getpid()

    def prepare() -> None:
        end_with_parent(sent)
        if os.getppid() != parent:  # it ended before the kernel was told
            os._exit(1)

    return prepare


@contextmanager
def holding(work_folder: Path) -> Iterator[None]:
    """Train alone in a work folder: wait for the process that still does, for half a minute.

    The lock lies beside the folder, which may be removed, and goes with its process.

    Raises:
        InputError: another process trains there and does not end; it is named.
    """
    work_folder.parent.mkdir(parents=True, exist_ok=True)
    path = work_folder.with_name(f".{work_folder.name}.lock")
    with path.open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + SECONDS_TO_LEAVE
        waiting = False
        while not try_lock(file):
            host, _, rest = signature(file).partition(" ")
            pid = rest.partition(" ")[0]
            if time.monotonic() > deadline:
                raise InputError(
                    f"process {pid} on {host} is training in {work_folder}; wait for it, or end it "
                    f"(kill {pid}): its checkpoints stay"
                )
            if not waiting:
                LOG.info(f"waiting for process {pid}, which trains in {work_folder}")
                waiting = True
            time.sleep(SECONDS_BETWEEN_LOOKS)
        sign(file, this_process())
        yield
