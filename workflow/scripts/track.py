"""Send trainings and the scores of their models to trackers: TensorBoard, MLflow, Weights & Biases, Trackio.

Example: python track.py --tracker tensorboard mlflow --run lora_32r 1f3a --output results/tracking/lora_32r.json

With --follow it sends what trainings write while they are under way, until its standard input ends. A tracker that
fails is said in words and in the output; the program ends well.
"""

import argparse
import os
import select
import sys
from pathlib import Path

from sqladder.errors import LOG, run_main
from sqladder.files import write_json
from sqladder.training.tracked_run import read_finished
from sqladder.training.tracking import SECONDS_BETWEEN_READINGS, Tracking, follow


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--tracker", nargs="+", required=True, help="where it is shown")
    parser.add_argument(
        "--run",
        nargs=2,
        action="append",
        required=True,
        metavar=("NAME", "KEY"),
        help="folder below the results, and a digest of what the config says of it",
    )
    parser.add_argument("--results", type=Path, default=Path("results"), help="all results")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("results/tracking"),
        help="where trackers write that the environment sends nowhere else",
    )
    parser.add_argument("--failures", type=int, default=0, help="how often it failed before")
    parser.add_argument("--output", type=Path, help="where it was sent, and what went wrong")
    parser.add_argument("--follow", action="store_true", help="while trainings are under way")
    return parser


def is_over() -> bool:
    """Whether standard input has ended; waits a moment for that."""
    ready, _, _ = select.select([sys.stdin], [], [], SECONDS_BETWEEN_READINGS)
    return bool(ready) and not os.read(sys.stdin.fileno(), 1)


def main() -> None:
    args = make_parser().parse_args()
    tracking = Tracking(args.tracker, args.folder)
    if args.follow:
        follow(tracking, args.run, args.results, is_over)
        return
    problems: dict[str, str] = {}
    for name, key in args.run:
        reading = read_finished(name, key, args.results / name)
        problems |= tracking.send(reading)
        problems |= tracking.close(reading.run)
    for tracker, problem in problems.items():
        LOG.warning(f"{tracker} did not take it: {problem}")
    facts = {
        "sent_to": tracking.destinations(),
        "problems": problems,
        "failures": args.failures + bool(problems),
    }
    write_json(args.output, facts)


if __name__ == "__main__":
    run_main(main)
