"""One process of a training job, started by train.py: trains, and the first one writes the model.

Example: python train_worker.py results/full/training/job.json
"""

import argparse
import faulthandler
import os
import sys
from pathlib import Path
from typing import NoReturn

from sqladder.errors import LOG, InputError, show_log
from sqladder.processes.imports import leave_out_sklearn, uncollected
from sqladder.training.launch import write_failure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("job", type=Path, help="job.json of the work folder")
    job = parser.parse_args().job
    show_log()
    faulthandler.enable()
    try:
        leave_out_sklearn()
        with uncollected():
            from sqladder.training.run import run_job
        run_job(job)
    except InputError as error:
        try:
            write_failure(job.parent, int(os.environ.get("RANK", "0")), error)
        except OSError:  # the disk is still full: without the file, train.py repeats no reason
            LOG.error(f"error: {error}")
        end(1)
    except Exception:
        sys.excepthook(*sys.exc_info())
        end(1)
    # All files are written, and threads that talk to another process may abort a clean end.
    end(0)


def end(status: int) -> NoReturn:
    """End at once: a clean end may wait for processes that wait for this one."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
