"""Refuse to choose checkpoints by questions, or on databases, of the test; no training waits for this.

Example: python check_validation.py --validation validation.jsonl --test test.jsonl --output results/validation.json
"""

import argparse
from pathlib import Path

from sqladder.data.corpus import read_examples
from sqladder.data.validation_check import checked
from sqladder.errors import run_main
from sqladder.files import write_json


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--validation", required=True, type=Path, help="id, db_id, question, sql")
    parser.add_argument("--test", required=True, type=Path, help="id, db_id, question, sql")
    parser.add_argument("--one-set", action="store_true", help="both are parts of one data set")
    parser.add_argument("--output", required=True, type=Path, help="how many there are")
    return parser


def main() -> None:
    args = make_parser().parse_args()
    validation, test = read_examples(args.validation), read_examples(args.test)
    found = checked(validation, test, is_one_set=args.one_set)
    write_json(args.output, found._asdict())


if __name__ == "__main__":
    run_main(main)
