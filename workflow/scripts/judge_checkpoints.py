"""Judge the checkpoints of a training by the questions of the validation split, one for each line of standard input.

Started by train.py, which sends the folder of each checkpoint and reads a line of marks: 1 for each right answer.
Example: python judge_checkpoints.py --base-model resources/base_model --prompts resources/prompts/ddl/validation.jsonl
    --examples validation.jsonl --databases databases --max-new-tokens 160 --batch-size 32 --seed 42
"""

import argparse
import json
import sys
from pathlib import Path

from sqladder.errors import run_main
from sqladder.generation.settings import DecodingSettings
from sqladder.metric.limit_flags import (
    add_gold_results_flag,
    add_limit_flags,
    add_quirks_flag,
    limits_from_flags,
)
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.scoring import Task
from sqladder.metric.suite import Options
from sqladder.processes.imports import leave_out_sklearn, uncollected
from sqladder.settings.program_flags import add_flags, from_flags


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--base-model", required=True, type=Path, help="Hugging Face folder")
    parser.add_argument("--prompts", required=True, type=Path, help="id and messages")
    parser.add_argument("--examples", required=True, type=Path, help="questions with gold SQL")
    parser.add_argument("--databases", required=True, type=Path, help="<db_id>/<db_id>.sqlite")
    parser.add_argument("--jobs", type=int, default=1, help="worker processes")
    add_gold_results_flag(parser, None)
    add_quirks_flag(parser)
    add_limit_flags(parser)
    add_flags(parser, DecodingSettings)
    return parser


def say(line: str) -> None:
    """Tell the training, which waits for it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    args = make_parser().parse_args()
    leave_out_sklearn()
    with uncollected():
        from sqladder.generation.checkpoint_answers import CheckpointExam
    decoding = from_flags(args, DecodingSettings)
    options = Options(repairs=QUIRKS[args.quirks])
    limits, kept = limits_from_flags(args), args.gold_results
    task = Task(args.databases, options, limits, args.jobs, gold_results=kept)
    exam = CheckpointExam(args.base_model, args.prompts, args.examples, decoding, task)
    say(json.dumps(exam.about()))
    for line in sys.stdin:
        marks = exam.marks(Path(line.removesuffix("\n")))
        say("".join("1" if mark else "0" for mark in marks))


if __name__ == "__main__":
    run_main(main)
