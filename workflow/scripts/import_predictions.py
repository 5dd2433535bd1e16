"""Bring predictions made elsewhere into the form of generated ones, so that they are scored like them.

Example: python import_predictions.py --predictions predict.sql --questions questions.jsonl \
             --examples examples.jsonl --output results/theirs/predictions.jsonl
"""

import argparse
from pathlib import Path

from sqladder.data.corpus import import_predictions, read_examples
from sqladder.errors import LOG, run_main
from sqladder.files import write_jsonl


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--predictions", required=True, type=Path, help=".jsonl, or official format"
    )
    parser.add_argument("--questions", required=True, type=Path, help="every question, in order")
    parser.add_argument(
        "--examples", required=True, type=Path, help="the questions that are scored"
    )
    parser.add_argument("--output", required=True, type=Path, help="JSON Lines of predictions")
    args = parser.parse_args()
    rows = import_predictions(
        args.predictions, read_examples(args.questions), read_examples(args.examples)
    )
    write_jsonl(args.output, rows)
    LOG.info("%d predictions from %s", len(rows), args.predictions)


if __name__ == "__main__":
    run_main(main)
