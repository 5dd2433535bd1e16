"""One process of a training job, started by train.py: trains, and the first one writes the model.

Example: python train_worker.py results/full/training/job.json
"""

import argparse
import sys
from pathlib import Path

from sqladder.errors import InputError
from sqladder.files import write_json
from sqladder.training.launch import FAILURE_FILE
from sqladder.training.run import run_job


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("job", type=Path, help="job.json of the work folder")
    job = parser.parse_args().job
    try:
        run_job(job)
    except InputError as error:
        # train.py shows it, once and last, however many processes met it.
        write_json(job.with_name(FAILURE_FILE), str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
