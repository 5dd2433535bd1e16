"""Split the examples of one data set into training, validation and test, by database or by question.

Example: python split_examples.py --examples examples.jsonl --by question --validation 0.2 --test 0.3 --seed 42 \
             --output resources/datasets/mine
"""

import argparse
from pathlib import Path

from sqladder.data.corpus import read_examples
from sqladder.data.splits import split_examples
from sqladder.errors import LOG, run_main
from sqladder.files import write_jsonl


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", required=True, type=Path, help="id, db_id, question, sql")
    parser.add_argument("--by", required=True, choices=("database", "question"))
    parser.add_argument("--validation", required=True, type=float, help="share of the examples")
    parser.add_argument("--test", required=True, type=float, help="share of the examples")
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument(
        "--output", required=True, type=Path, help="folder of train, validation and test .jsonl"
    )
    args = parser.parse_args()
    shares = {"validation": args.validation, "test": args.test}
    splits = split_examples(read_examples(args.examples), args.by, shares, args.seed)
    for name, rows in splits.items():
        write_jsonl(args.output / f"{name}.jsonl", rows)
        databases = len({row["db_id"] for row in rows})
        LOG.info("%s: %d examples over %d databases", name, len(rows), databases)


if __name__ == "__main__":
    run_main(main)
