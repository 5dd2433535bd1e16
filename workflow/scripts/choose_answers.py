"""Choose one of several samples as the answer to each question, and write the predictions.

Example: python choose_answers.py --samples results/full/samples.jsonl --examples resources/datasets/demo/test.jsonl \
    --databases resources/datasets/demo/databases --choose vote --output results/full/predictions.jsonl
"""

import argparse
import os
from pathlib import Path

from tqdm import tqdm

from sqladder.errors import LOG, run_main
from sqladder.files import Fields, Row, join_by_id, read_jsonl, write_jsonl
from sqladder.generation.choice import with_choice
from sqladder.metric.grouping import Answered, group_by_result
from sqladder.metric.limit_flags import add_limit_flags, add_quirks_flag, limits_from_flags
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.scoring import suite_files
from sqladder.metric.suite import Options

SAMPLES_FIELDS: Fields = {"id": str, "samples": list}
EXAMPLE_FIELDS: Fields = {"id": str, "db_id": str}


def vote(rows: list[Row], args: argparse.Namespace) -> list[Row]:
    """Execute the samples, each on the original file of its question's database, and take the vote."""
    examples = read_jsonl(args.examples, EXAMPLE_FIELDS)
    paired = join_by_id(rows, examples, str(args.samples), str(args.examples))
    names = {example["db_id"] for _, example in paired}
    originals = {name: suite_files(args.databases, name)[0] for name in names}
    questions = [
        Answered(originals[example["db_id"]], [sample["sql"] for sample in row["samples"]])
        for row, example in paired
    ]
    options = Options(repairs=QUIRKS[args.quirks])
    with tqdm(total=len(questions), desc="vote", unit="question", disable=None) as bar:
        group_by_result(questions, options, limits_from_flags(args), args.jobs, bar.update)
    return [
        with_choice(row, question.groups) for row, question in zip(rows, questions, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--samples", required=True, type=Path, help="JSON Lines: id, samples")
    parser.add_argument("--examples", required=True, type=Path, help="the questions: id, db_id")
    parser.add_argument("--databases", required=True, type=Path, help="<db_id>/<db_id>.sqlite")
    parser.add_argument("--choose", required=True, choices=("likeliest", "vote"))
    parser.add_argument("--output", required=True, type=Path, help="predictions, JSON Lines")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worker processes")
    add_quirks_flag(parser)
    add_limit_flags(parser)
    args = parser.parse_args()
    rows = read_jsonl(args.samples, SAMPLES_FIELDS)
    predictions = vote(rows, args) if args.choose == "vote" else [with_choice(row) for row in rows]
    write_jsonl(args.output, predictions)
    others = sum(row["chosen"] > 0 for row in predictions)
    LOG.info("%d questions; the answer is another sample than the first for %d", len(rows), others)


if __name__ == "__main__":
    run_main(main)
