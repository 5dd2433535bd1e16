"""Fine-tune the base model for one variant with LLaMA-Factory and write the merged model.

Example: python train.py --method lora --rank 32 --alpha 64 --dropout 0 --target-modules q_proj v_proj
    --base-model resources/base_model --data resources/prompts/ddl/train.jsonl
    --learning-rate 1e-3 --epochs 3 --batch-size 16 --gradient-accumulation 1 --cutoff-length 1024
    --seed 42 --output results/lora_32r/model --facts results/lora_32r/train.json
    --work-folder results/lora_32r/training

Killed at any moment, the same command goes on from its last checkpoint in the work folder.
"""

import argparse
from pathlib import Path

from sqladder.errors import InputError, run_main
from sqladder.files import read_object, write_json
from sqladder.models.folders import check_model_folder
from sqladder.settings.problems import settings_of
from sqladder.settings.program_flags import add_flags, from_flags
from sqladder.training.halved_candidate import add_rung_flags, rung_of, train_rung
from sqladder.training.launch import TrainingFiles, check_flags, fine_tune
from sqladder.training.settings import Method, TrainingSettings
from sqladder.training.sweep_budget import leave_out, share_of_budget
from sqladder.training.untrained import keep_base_model


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--base-model", required=True, type=Path, help="Hugging Face folder")
    parser.add_argument("--output", required=True, type=Path, help="folder of the trained model")
    parser.add_argument("--facts", required=True, type=Path, help="train.json: cost and losses")
    parser.add_argument("--data", type=Path, help="prompts with answers, JSON Lines")
    parser.add_argument("--work-folder", type=Path, help="checkpoints and LLaMA-Factory's files")
    parser.add_argument(
        "--start-from", help="the replicate whose model --base-model is, if not the base"
    )
    parser.add_argument("--learned", type=Path, help="facts of the answers that --data holds")
    parser.add_argument("--swept", type=Path, help="train.json whose chosen settings come first")
    add_rung_flags(parser)
    parser.add_argument(
        "--later-epochs", type=float, default=0.0, help="of --budget, left to later rungs"
    )
    parser.add_argument("--budget", type=float, help="hours of all the candidates in this folder")
    parser.add_argument("--profile", type=Path, help="write where a step's GPU time goes")
    parser.add_argument(
        "--judge",
        nargs=argparse.REMAINDER,
        default=[],
        metavar="PROGRAM",
        help="judges checkpoints, for --choose validation; it and its flags come last",
    )
    add_flags(parser, Method)
    return parser


def training_files(args: argparse.Namespace) -> TrainingFiles:
    for name in ("data", "work_folder"):
        if getattr(args, name) is None:
            raise InputError(f"--{name.replace('_', '-')} is missing; a training needs it")
    return TrainingFiles(
        args.base_model, args.data, args.output, args.work_folder, args.profile, tuple(args.judge)
    )


def main() -> None:
    args = make_parser().parse_args()
    settings = from_flags(args, Method)
    check_model_folder(args.base_model, "base model")
    if isinstance(settings, TrainingSettings):
        swept = read_object(args.swept, {"swept": dict})["swept"] if args.swept else {}
        # The context is in the rows already.
        chosen = {key: value for key, value in swept.items() if key != "context"}
        settings = settings_of(Method, settings.model_dump(exclude_none=True) | chosen)
        files = training_files(args)
        check_flags(settings, files)
        learning = read_object(args.learned) if args.learned else {}
        known = {
            "learning": learning,
            "swept": swept,
            "budget": args.budget,
            "start_from": args.start_from,
        }
        until = 1.0 if args.until is None else args.until
        epochs = until * settings.epochs
        with share_of_budget(args.facts, args.budget, epochs, args.later_epochs) as reason:
            if reason:
                facts = leave_out(reason, args.output)
            elif args.until is None:
                facts = fine_tune(settings, files)
            else:
                facts = train_rung(settings, files, rung_of(args))
        facts |= {key: value for key, value in known.items() if value}
    else:
        facts = keep_base_model(args.base_model, args.output)
    write_json(args.facts, facts)


if __name__ == "__main__":
    run_main(main)
