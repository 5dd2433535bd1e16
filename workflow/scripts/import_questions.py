"""Take a data set's questions, in whichever form they are kept, and pair them with their databases.

Example: python import_questions.py --questions dev.json --format bird --databases databases/ --all questions.jsonl \
             --output examples.jsonl --left-out left_out.jsonl --allow-missing-databases
"""

import argparse
from pathlib import Path

from sqladder.data.corpus import replace_gold, without_missing
from sqladder.data.database_folders import find_databases
from sqladder.data.formats import Incomplete, forgiven_fields, read_questions
from sqladder.data.settings import ImportSettings
from sqladder.errors import LOG, run_main
from sqladder.files import Row, write_jsonl
from sqladder.settings.program_flags import add_flags, from_flags


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--questions", required=True, type=Path, help="the file")
    parser.add_argument(
        "--databases", required=True, type=Path, help="folder of <db_id>/<db_id>.sqlite"
    )
    parser.add_argument(
        "--gold", type=Path, help="gold SQL in the official format, instead of the questions'"
    )
    parser.add_argument("--all", required=True, type=Path, help="writes every question, in order")
    parser.add_argument(
        "--output", required=True, type=Path, help="writes those that have a database"
    )
    parser.add_argument("--left-out", required=True, type=Path, help="writes those that have none")
    add_flags(parser, ImportSettings)
    return parser


def read(args: argparse.Namespace, settings: ImportSettings, databases: set[str]) -> list[Row]:
    """Read the questions; where there is one database, those that name none are about it."""
    incomplete = Incomplete()
    only = next(iter(databases)) if len(databases) == 1 else None
    counted = incomplete if settings.incomplete_rows == "drop" else None
    columns = settings.columns.given()
    rows = list(read_questions(args.questions, settings.format, columns, only, counted))
    if incomplete.count:
        LOG.info("%d rows left out, first %s", incomplete.count, incomplete.first)
    usual = forgiven_fields("forgiven", settings.forgiven.model_dump())
    rows = [{**usual, **row} for row in rows]
    return replace_gold(rows, args.gold) if args.gold else rows


def main() -> None:
    args = make_parser().parse_args()
    settings = from_flags(args, ImportSettings)
    databases = set(find_databases(args.databases))
    questions = read(args, settings, databases)
    kept, left_out = without_missing(questions, databases, settings.allow_missing_databases)
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
