"""The main function of a program that is one process of a training job."""

import argparse
import faulthandler
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from sqladder.errors import LOG, InputError, show_log
from sqladder.processes.imports import leave_out_sklearn, leaving_out, uncollected
from sqladder.training.launch import write_failure


def work(about: str, load: Callable[[], Callable[[Path], None]]) -> NoReturn:
    """Do the job whose file is the only argument, and leave for the launcher why it failed.

    Args:
        about: what the program does.
        load: imports what does a job, and returns it.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("job", type=Path, help="job.json of the work folder")
    job = parser.parse_args().job
    show_log()
    faulthandler.enable()
    try:
        leave_out_sklearn()
        # transformers has a loss for pictures that uses it.
        with uncollected(), leaving_out("scipy"):
            run_job = load()
        run_job(job)
    except InputError as error:
        try:
            write_failure(job.parent, int(os.environ.get("RANK", "0")), error)
        except OSError:  # the disk is still full: without the file, the launcher repeats no reason
            LOG.error(f"error: {error}")
        _end(1)
    except Exception:
        sys.excepthook(*sys.exc_info())
        _end(1)
    # All files are written, and threads that talk to another process may abort a clean end.
    _end(0)


def _end(status: int) -> NoReturn:
    """End at once: a clean end may wait for processes that wait for this one."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
