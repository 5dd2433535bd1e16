"""One process of a training job, started by train.py: trains, and the first one writes the model.

Example: python train_worker.py results/full/training/job.json
"""

import argparse
from pathlib import Path

from sqladder.errors import run_main
from sqladder.training.run import run_job


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("job", type=Path, help="job.json of the work folder")
    run_job(parser.parse_args().job)


if __name__ == "__main__":
    run_main(main)
