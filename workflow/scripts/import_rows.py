"""Take training rows that bring the text of their schema with them, so that they need no database.

Example: python import_rows.py --rows train.parquet --format parquet --output examples.jsonl \
             --columns '{"question": "prompt", "schema": "context", "sql": "answer"}'
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from tqdm import tqdm

from sqladder.data.formats import FORMATS, Incomplete, read_questions
from sqladder.errors import LOG, InputError, run_main
from sqladder.files import Row, with_unique_ids, write_jsonl


def with_schemas(rows: Iterable[Row], source: Path) -> Iterator[Row]:
    """Rows as they come; a row without schema is an error."""
    for row in rows:
        if "schema" not in row:
            raise InputError(f"{source}: row {row['id']!r} has no schema, and there is no database")
        yield row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", required=True, type=Path, help="the file, or folder of Parquet")
    parser.add_argument("--format", choices=sorted(FORMATS), default="jsonl")
    parser.add_argument(
        "--columns", type=json.loads, default={}, help='JSON: {"schema": "name of its column"}'
    )
    parser.add_argument(
        "--drop-incomplete-rows", action="store_true", help="leave out rows without a text"
    )
    parser.add_argument("--output", required=True, type=Path, help="writes the examples")
    args = parser.parse_args()
    incomplete = Incomplete()
    counted = incomplete if args.drop_incomplete_rows else None
    rows = read_questions(args.rows, args.format, args.columns, incomplete=counted)
    checked = with_unique_ids(with_schemas(rows, args.rows), args.rows)
    count = write_jsonl(args.output, tqdm(checked, desc="rows", unit="row", disable=None))
    LOG.info("%d rows, %d left out %s", count, incomplete.count, incomplete.first)


if __name__ == "__main__":
    run_main(main)
