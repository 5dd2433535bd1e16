"""Name what went wrong in every answer that is not right: no SQL, an unknown column, a missing join, ...

Example: python sort_failures.py --questions resources/datasets/demo/test.jsonl \
    --databases resources/datasets/demo/databases \
    --verdicts results/baseline/verdicts.jsonl results/full/verdicts.jsonl \
    --predictions results/baseline/predictions.jsonl results/full/predictions.jsonl \
    --output results/failures.jsonl
"""

import argparse
from collections.abc import Hashable, Iterator
from pathlib import Path

from sqladder.data.corpus import read_answers, read_examples
from sqladder.databases.dialect_marks import NAMES
from sqladder.databases.schema import read_schema
from sqladder.errors import LOG, InputError, run_main
from sqladder.files import Fields, Row, by_id, read_jsonl, write_jsonl
from sqladder.report.taxonomy import Columns, Failure, columns_of, sort_failures
from sqladder.statistics.replicates import replicate_of

VERDICT_FIELDS: Fields = {
    "id": str,
    "db_id": str,
    "verdict": str,
    "reason": str,
    "expected": int | float | None,
    "found": int | str | None,
}


def read_columns(databases: Path, names: set[str]) -> dict[str, Columns]:
    """Read the columns of each database, <db_id>/<db_id>.sqlite."""
    return {
        name: columns_of(read_schema(databases / name / f"{name}.sqlite")) for name in sorted(names)
    }


def failures(args: argparse.Namespace) -> Iterator[Row]:
    """The failures of all variants, and seeds, each named after the folder of its verdicts."""
    questions = read_examples(args.questions)
    answers = {replicate_of(path).name: path for path in args.predictions}
    columns: dict[str, Columns] = {}
    known: dict[Hashable, Failure] = {}
    for path in args.verdicts:
        variant = replicate_of(path).name
        if variant not in answers:
            raise InputError(f"no predictions.jsonl was given for variant {variant!r}")
        rows = by_id(read_jsonl(path, VERDICT_FIELDS), path)
        used = {row["db_id"] for row in rows.values()}
        columns |= read_columns(args.databases, used - columns.keys())
        predictions = read_answers(answers[variant], rows)
        for row in sort_failures(questions, rows, predictions, columns, known, args.dialect):
            yield {"variant": variant, **row}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=Path, required=True, help="questions with gold SQL")
    parser.add_argument("--databases", type=Path, required=True, help="<db_id>/<db_id>.sqlite")
    for name in ("verdicts", "predictions"):
        text = f"{name}.jsonl of each variant"
        parser.add_argument(f"--{name}", type=Path, nargs="+", required=True, help=text)
    parser.add_argument(
        "--dialect", choices=tuple(NAMES), default="sqlite", help="of the engine that judged"
    )
    parser.add_argument("--output", type=Path, required=True, help="JSON Lines to write")
    args = parser.parse_args()
    LOG.info(f"{args.output}: {write_jsonl(args.output, failures(args)):,} failures")


if __name__ == "__main__":
    run_main(main)
