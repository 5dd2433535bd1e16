"""One process of a training job, started by train.py: trains, and the first one writes the model.

Example: python train_worker.py results/full/training/job.json
"""

from collections.abc import Callable
from pathlib import Path

from sqladder.training.worker_process import work


def load() -> Callable[[Path], None]:
    from sqladder.training.run import run_job

    return run_job


if __name__ == "__main__":
    work(__doc__.splitlines()[0], load)
