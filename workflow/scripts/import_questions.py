"""Take a data set's questions, in whichever form they are kept, and pair them with their databases.

Example: python import_questions.py --questions dev.json --format bird --databases databases/ --all questions.jsonl \
             --output examples.jsonl --left-out left_out.jsonl --allow-missing-databases
"""

import argparse
import json
from pathlib import Path

from sqladder.data.corpus import find_databases, replace_gold, without_missing
from sqladder.data.formats import FORMATS, Incomplete, read_questions
from sqladder.errors import LOG, run_main
from sqladder.files import Row, by_id, write_jsonl


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", required=True, type=Path, help="the file")
    parser.add_argument("--format", choices=sorted(FORMATS), default="jsonl")
    parser.add_argument(
        "--columns", type=json.loads, default={}, help='JSON: {"question": "name of its column"}'
    )
    parser.add_argument(
        "--drop-incomplete-rows", action="store_true", help="leave out rows without a text"
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


def read(args: argparse.Namespace, databases: set[str]) -> list[Row]:
    """Read the questions; where there is one database, those that name none are about it."""
    incomplete = Incomplete()
    only = next(iter(databases)) if len(databases) == 1 else None
    counted = incomplete if args.drop_incomplete_rows else None
    rows = list(read_questions(args.questions, args.format, args.columns, only, counted))
    if incomplete.count:
        LOG.info("%d rows left out, first %s", incomplete.count, incomplete.first)
    by_id(rows, args.questions)
    return replace_gold(rows, args.gold) if args.gold else rows


def main() -> None:
    args = parse_arguments()
    databases = set(find_databases(args.databases))
    questions = read(args, databases)
    kept, left_out = without_missing(questions, databases, args.allow_missing_databases)
    write_jsonl(args.all, questions)
    write_jsonl(args.output, kept)
    write_jsonl(args.left_out, left_out)
    missing = sorted({row["db_id"] for row in left_out})
    LOG.info(
        "%d questions, %d kept over %d databases, %d left out (%s)",
        len(questions),
        len(kept),
        len({row["db_id"] for row in kept}),
        len(left_out),
        ", ".join(missing) or "no database is missing",
    )


if __name__ == "__main__":
    run_main(main)
