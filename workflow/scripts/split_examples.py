"""Split the examples of one data set into training, validation and test, by database or by question.

Example: python split_examples.py --examples examples.jsonl --by question --validation 0.2 --test 0.3 --seed 42 \
             --output resources/datasets/mine
"""

import argparse
from pathlib import Path

from sqladder.data.corpus import read_examples
from sqladder.data.settings import SplitSettings
from sqladder.data.splits import split_examples
from sqladder.errors import LOG, run_main
from sqladder.files import write_jsonl
from sqladder.settings.program_flags import add_flags, from_flags


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--examples", required=True, type=Path, help="id, db_id, question, sql")
    parser.add_argument(
        "--output", required=True, type=Path, help="folder of train, validation and test .jsonl"
    )
    add_flags(parser, SplitSettings)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    settings = from_flags(args, SplitSettings)
    shares = {"validation": settings.validation, "test": settings.test}
    splits = split_examples(read_examples(args.examples), settings.by, shares, settings.seed)
    for name, rows in splits.items():
        write_jsonl(args.output / f"{name}.jsonl", rows)
        databases = len({row["db_id"] for row in rows})
        LOG.info("%s: %d examples over %d databases", name, len(rows), databases)


if __name__ == "__main__":
    run_main(main)
