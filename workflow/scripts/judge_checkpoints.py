"""Judge the checkpoints of a training by the questions of the validation split, one for each line of standard input.

Started by train.py, which sends the folder of each checkpoint and reads a line of marks: 1 for each right answer.
Example: python judge_checkpoints.py --base-model resources/base_model --prompts resources/prompts/ddl/validation.jsonl
    --examples validation.jsonl --databases databases --max-new-tokens 160 --batch-size 32 --seed 42
"""

import argparse
import json
import os
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
from sqladder.processes.answer_pipe import answers_alone
from sqladder.processes.imports import leave_out_sklearn, uncollected
from sqladder.settings.program_flags import add_flags, from_flags


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--base-model", required=True, type=Path, help="Hugging Face folder")
    parser.add_argument("--prompts", required=True, type=Path, help="id and messages")
    parser.add_argument("--examples", required=True, type=Path, help="questions with gold SQL")
    parser.add_argument("--databases", required=True, type=Path, help="<db_id>/<db_id>.sqlite")
    parser.add_argument(
        "--jobs", type=int, default=min(4, os.cpu_count() or 1), help="worker processes"
    )
    parser.add_argument("--adapters", action="store_true", help="checkpoints are such")
    parser.add_argument("--cache-folder", type=Path, help="for what vLLM compiles")
    add_gold_results_flag(parser, None)
    add_quirks_flag(parser)
    add_limit_flags(parser)
    add_flags(parser, DecodingSettings)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    training = answers_alone()
    # Models are folders: nothing is asked of a hub.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    leave_out_sklearn()
    with uncollected():
        from sqladder.generation.checkpoint_answers import CheckpointExam, with_engine_here
    asked = from_flags(args, DecodingSettings)
    decoding = with_engine_here(asked, args.adapters)
    options = Options(repairs=QUIRKS[args.quirks])
    limits, kept = limits_from_flags(args), args.gold_results
    task = Task(args.databases, options, limits, args.jobs, gold_results=kept)
    exam = CheckpointExam(args.base_model, args.prompts, args.examples, decoding, task)
    fallback = {} if decoding == asked else {"instead_of": asked.engine}
    # The training begins now, and vLLM starts beside it.
    training.write(f"{json.dumps(exam.about() | fallback)}\n")
    with uncollected():
        exam.start(args.cache_folder)
    for line in sys.stdin:
        marks = exam.marks(Path(line.removesuffix("\n")))
        training.write("".join("1" if mark else "0" for mark in marks) + "\n")
    # All is said, and the training waits: to take vLLM apart would take seconds and give the GPU back no sooner.
    os._exit(0)


if __name__ == "__main__":
    run_main(main)
