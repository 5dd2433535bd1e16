"""The process of a training by reward, started by reinforce.py: draws, judges, trains, and writes the model.

Example: python reinforce_worker.py results/grpo/training/job.json
"""

from collections.abc import Callable
from pathlib import Path

from sqladder.training.worker_process import work


def load() -> Callable[[Path], None]:
    from sqladder.reinforcement.reinforced_run import run_job

    return run_job


if __name__ == "__main__":
    work(__doc__.splitlines()[0], load)
