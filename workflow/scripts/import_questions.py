"""Take a data set of local files: check its questions, pair them with their databases.

Example: python import_questions.py --questions dev.jsonl --databases databases/ --all questions.jsonl \
             --output examples.jsonl --left-out left_out.jsonl --allow-missing-databases
"""

import argparse
import logging
from pathlib import Path

from sqladder.corpus import find_databases, read_examples, replace_gold, without_missing
from sqladder.errors import run_main
from sqladder.files import write_jsonl


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--questions", required=True, type=Path, help="JSON Lines: id, db_id, question, sql"
    )
    parser.add_argument(
        "--databases", required=True, type=Path, help="folder of <db_id>/<db_id>.sqlite"
    )
    parser.add_argument(
        "--gold", type=Path, help="gold SQL in the official format, instead of the questions'"
    )
    parser.add_argument(
        "--allow-missing-databases", action="store_true", help="leave out, do not stop"
    )
    parser.add_argument("--all", required=True, type=Path, help="writes every question, in order")
    parser.add_argument(
        "--output", required=True, type=Path, help="writes those that have a database"
    )
    parser.add_argument("--left-out", required=True, type=Path, help="writes those that have none")
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    questions = read_examples(args.questions)
    if args.gold:
        questions = replace_gold(questions, args.gold)
    databases = set(find_databases(args.databases))
    kept, left_out = without_missing(questions, databases, args.allow_missing_databases)
    write_jsonl(args.all, questions)
    write_jsonl(args.output, kept)
    write_jsonl(args.left_out, left_out)
    missing = sorted({row["db_id"] for row in left_out})
    logging.info(
        "%d questions, %d kept over %d databases, %d left out (%s)",
        len(questions),
        len(kept),
        len({row["db_id"] for row in kept}),
        len(left_out),
        ", ".join(missing) or "no database is missing",
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    run_main(main)
