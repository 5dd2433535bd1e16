"""Take training rows that bring the text of their schema with them, so that they need no database.

Example: python import_rows.py --rows train.parquet --format parquet --output examples.jsonl \
             --columns-question prompt --columns-schema context --columns-sql answer
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from tqdm import tqdm

from sqladder.data.formats import Incomplete, read_questions
from sqladder.data.settings import Reading
from sqladder.errors import LOG, InputError, run_main
from sqladder.files import Row, write_jsonl
from sqladder.settings.program_flags import add_flags, from_flags


def with_schemas(rows: Iterable[Row], source: Path) -> Iterator[Row]:
    """Rows as they come; a row without schema is an error."""
    for row in rows:
        if "schema" not in row:
            raise InputError(f"{source}: row {row['id']!r} has no schema, and there is no database")
        yield row


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--rows", required=True, type=Path, help="the file, or folder of Parquet")
    parser.add_argument("--output", required=True, type=Path, help="writes the examples")
    add_flags(parser, Reading)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    settings = from_flags(args, Reading)
    incomplete = Incomplete()
    counted = incomplete if settings.incomplete_rows == "drop" else None
    columns = settings.columns.given()
    rows = read_questions(args.rows, settings.format, columns, incomplete=counted)
    checked = with_schemas(rows, args.rows)
    count = write_jsonl(args.output, tqdm(checked, desc="rows", unit="row", disable=None))
    LOG.info("%d rows, %d left out %s", count, incomplete.count, incomplete.first)


if __name__ == "__main__":
    run_main(main)
