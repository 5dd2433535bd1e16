"""Train a model by reward (GRPO): its answers to training questions are executed, and it learns from what they give.

Example: python reinforce.py --method full --base-model results/full/model --data train.1024.drop.jsonl
    --examples train.jsonl --databases databases --learning-rate 1e-6 --epochs 1 --batch-size 16
    --gradient-accumulation 4 --cutoff-length 1024 --over-cutoff drop --seed 42 --reinforcement
    --drawn-engine transformers --drawn-max-new-tokens 160 --drawn-batch-size 32 --output results/grpo/model
    --facts results/grpo/train.json --work-folder results/grpo/training

Killed at any moment, the same command goes on from its last checkpoint in the work folder.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

from sqladder.errors import run_main
from sqladder.files import write_json
from sqladder.metric.limit_flags import (
    add_gold_results_flag,
    add_limit_flags,
    add_quirks_flag,
    limits_from_flags,
)
from sqladder.models.folders import check_model_folder
from sqladder.reinforcement.settings import AnyReinforced
from sqladder.settings.program_flags import add_flags, from_flags
from sqladder.training.checkpoints import fingerprint
from sqladder.training.launch import TrainingFiles, check_flags, fine_tune

WORKER = Path(__file__).with_name("reinforce_worker.py")


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--base-model", required=True, type=Path, help="the model to start from")
    parser.add_argument("--output", required=True, type=Path, help="folder of the trained model")
    parser.add_argument("--facts", required=True, type=Path, help="train.json: cost and curves")
    parser.add_argument("--data", required=True, type=Path, help="prompts, JSON Lines")
    parser.add_argument("--examples", required=True, type=Path, help="questions with gold SQL")
    parser.add_argument("--databases", required=True, type=Path, help="<db_id>/<db_id>.sqlite")
    parser.add_argument("--work-folder", required=True, type=Path, help="checkpoints")
    parser.add_argument("--start-from", help="the replicate whose model --base-model is")
    parser.add_argument("--jobs", type=int, default=1, help="processes that judge answers")
    parser.add_argument(
        "--judge",
        nargs=argparse.REMAINDER,
        default=[],
        metavar="PROGRAM",
        help="judges checkpoints, for --choose validation; it and its flags come last",
    )
    add_gold_results_flag(parser, None)
    add_quirks_flag(parser)
    add_limit_flags(parser)
    add_flags(parser, AnyReinforced)
    return parser


def judging(args: argparse.Namespace) -> dict[str, object]:
    kept = args.gold_results
    return {
        "examples": str(args.examples),
        "databases": str(args.databases),
        "gold_results": kept and str(kept),
        "quirks": args.quirks,
        "limits": asdict(limits_from_flags(args)),
    }


def training_files(args: argparse.Namespace) -> TrainingFiles:
    return TrainingFiles(
        args.base_model,
        args.data,
        args.output,
        args.work_folder,
        None,
        tuple(args.judge),
        WORKER,
        {"judging": judging(args), "gold": fingerprint(args.examples)},
        # Another machine has another number of cores, and the verdicts are the same.
        {"judging_jobs": args.jobs},
    )


def main() -> None:
    args = make_parser().parse_args()
    settings = from_flags(args, AnyReinforced)
    check_model_folder(args.base_model, "base model")
    files = training_files(args)
    check_flags(settings, files)
    start = {"start_from": args.start_from} if args.start_from else {}
    write_json(args.facts, fine_tune(settings, files) | start)


if __name__ == "__main__":
    run_main(main)
