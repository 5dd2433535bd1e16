"""How a program shows what its user can mend. The error itself is the metric's, which needs nothing of this package."""

import logging
import os
import sys
import traceback
from collections.abc import Callable
from io import TextIOWrapper
from types import TracebackType

from sqladder.metric.input_error import InputError as InputError
from sqladder.metric.showing import shown

LOG = logging.getLogger("sqladder")
"""What the programs say while they work; libraries keep their own levels."""
LOG.setLevel(logging.INFO)

INTERRUPTED, NOBODY_READS = 130, 141
"""Exit statuses, as shells give them, of a program that Ctrl-C or the end of its reader ended."""


class _ShownLines(logging.Formatter):
    """Messages alone, without secrets and control characters."""

    def format(self, record: logging.LogRecord) -> str:
        return shown(super().format(record))


def show_log() -> None:
    """Have the log, and the traceback of a fault of our own, written to standard error, as plain lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(_ShownLines())
    logging.basicConfig(handlers=[handler])
    sys.excepthook = _show_traceback


def _show_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    sys.stderr.write(shown("".join(traceback.format_exception(kind, error, trace))))


def run_main(main: Callable[[], None]) -> None:
    """Run a program's main function: its log as plain lines on standard error, what its user can mend as one more.

    The program ends with status 1 after an InputError, or an error of the operating system that names a file; with 130
    after Ctrl-C, and with 141, in silence, where nobody reads its output to the end.
    """
    show_log()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # The name of a file may hold bytes that are no text.
            stream.reconfigure(errors="backslashreplace")
    try:
        main()
        sys.stdout.flush()
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        LOG.error("interrupted")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Else Python flushes once more at its end, and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(NOBODY_READS)
    except OSError as error:
        if error.filename is None:
            raise
        sys.exit(shown(f"error: {error.filename}: {error.strerror}"))
