"""Choose the candidates of a sweep that go on after a rung of successive halving, by validation questions.

Example: python choose_rung.py --candidates results/full/candidates/0a1b2c3d/rung_1.json
    results/full/candidates/4e5f6a7b/rung_1.json results/full/candidates/8c9d0e1f/rung_1.json --keep 1 --after 0.3333
    --output results/full/candidates/rung_1.json
"""

import argparse
from pathlib import Path

from sqladder.errors import run_main
from sqladder.files import write_json
from sqladder.training.rung_choice import choose_rung


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument(
        "--candidates", required=True, nargs="+", type=Path, help="facts of each at the rung's end"
    )
    parser.add_argument("--keep", required=True, type=int, help="candidates that go on")
    parser.add_argument("--after", required=True, type=float, help="share of the training by then")
    parser.add_argument("--output", required=True, type=Path, help="who goes on, JSON")
    args = parser.parse_args()
    write_json(args.output, choose_rung(args.candidates, args.keep, args.after))


if __name__ == "__main__":
    run_main(main)
