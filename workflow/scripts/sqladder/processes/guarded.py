"""Work that may not outlive itself, in a process of its own: what it answers, and how it died if it did."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# Beyond the limits inside the process, for starting it and opening what it needs.
_GRACE_SECONDS = 20

Serve = Callable[..., None]
"""Called in the process with a connection and the arguments; it sends one answer for each piece of work."""


@dataclass(frozen=True)
class Death:
    """The process ended before its next answer: by itself with this exit status, or by us (None) after too long."""

    status: int | None


def guarded(
    serve: Serve, arguments: Sequence[Any], count: int, seconds: float
) -> Iterator[Any | Death]:
    """Yield the answers of a process until there are `count`; a death is the last of them.

    Args:
        serve: what runs in the process; a function of a module, not a nested one.
        arguments: what it is called with, after the connection.
        count: answers that are expected.
        seconds: wall time after which an answer is no longer waited for.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        for _ in range(count):
            if not ours.poll(seconds + _GRACE_SECONDS):
                yield Death(None)
                return
            try:
                answer = ours.recv()
            except EOFError:
                process.join()
                yield Death(process.exitcode)
                return
            yield answer
    finally:
        process.kill()
        process.join()
        ours.close()
