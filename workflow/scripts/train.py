"""Fine-tune the base model for one variant with LLaMA-Factory and write the merged model.

Example: python train.py --method lora --rank 32 --alpha 64 --target-modules all
    --base-model resources/base_model --data resources/prompts/ddl/train.jsonl
    --learning-rate 1e-3 --epochs 3 --output results/lora_32r/model
    --facts results/lora_32r/train.json --work-folder results/lora_32r/training

Killed at any moment, the same command goes on from its last checkpoint in the work folder.
"""

import argparse
from dataclasses import fields
from pathlib import Path

from sqladder.errors import InputError, run_main
from sqladder.files import write_json
from sqladder.models.folders import check_model_folder
from sqladder.training.launch import TrainingFiles, fine_tune
from sqladder.training.settings import (
    KERNELS,
    METHODS,
    OPTIMIZERS,
    STRATEGIES,
    LoraSettings,
    Parallelism,
    TrainingSettings,
    check_settings,
    check_target_modules,
)
from sqladder.training.untrained import keep_base_model

LORA_OPTIONS = ("rank", "alpha", "dropout", "target_modules")
TRAINING_OPTIONS = ("data", "work_folder", "learning_rate", "epochs", "batch_size")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", required=True, choices=METHODS)
    parser.add_argument("--base-model", required=True, type=Path, help="Hugging Face folder")
    parser.add_argument("--output", required=True, type=Path, help="folder of the trained model")
    parser.add_argument("--facts", required=True, type=Path, help="train.json: cost and losses")
    train = parser.add_argument_group("training", "for the methods lora and full")
    train.add_argument("--data", type=Path, help="prompts with answers, JSON Lines")
    train.add_argument("--work-folder", type=Path, help="checkpoints and LLaMA-Factory's files")
    train.add_argument("--learning-rate", type=float)
    train.add_argument("--epochs", type=float)
    train.add_argument("--batch-size", type=int, help="rows at once on each GPU")
    train.add_argument("--gradient-accumulation", type=int, default=1, help="batches per step")
    train.add_argument("--cutoff-length", type=int, default=1024, help="in tokens")
    train.add_argument("--seed", type=int, default=42)
    train.add_argument("--save-steps", type=int, default=50, help="steps between checkpoints")
    train.add_argument("--packing-length", type=int, default=0, help="tokens of a packed row")
    train.add_argument("--min-learning-rate", type=float, default=0.0, help="after the decay")
    train.add_argument("--warmup", type=float, default=0.03, help="share of all steps")
    train.add_argument("--weight-decay", type=float, default=0.01)
    train.add_argument("--optimizer", choices=OPTIMIZERS, default="adamw")
    train.add_argument("--kernels", choices=KERNELS, default="plain")
    train.add_argument("--gradient-checkpointing", choices=("True", "False"), default="False")
    train.add_argument("--profile", type=Path, help="write where a step's GPU time goes")
    spread = parser.add_argument_group("parallelism")
    spread.add_argument("--parallelism", choices=STRATEGIES, default="single")
    spread.add_argument("--gpus", type=int, default=1, help="on each node")
    spread.add_argument("--nodes", type=int, default=1)
    spread.add_argument("--tensor", type=int, default=1, help="GPUs that share a layer (Megatron)")
    spread.add_argument("--pipeline", type=int, default=1, help="groups of layers (Megatron)")
    lora = parser.add_argument_group("adapters", "for the method lora")
    lora.add_argument("--rank", type=int)
    lora.add_argument("--alpha", type=int, help="the update is scaled by alpha / rank")
    lora.add_argument("--dropout", type=float)
    lora.add_argument("--target-modules", nargs="+", metavar="NAME", help="or 'all'")
    return parser.parse_args()


def lora_settings(args: argparse.Namespace) -> LoraSettings | None:
    given = {name: getattr(args, name) for name in LORA_OPTIONS}
    if args.method != "lora":
        unused = [name for name, value in given.items() if value is not None]
        if unused:
            raise InputError(f"--{unused[0].replace('_', '-')} needs --method lora")
        return None
    require(given)
    check_target_modules(args.target_modules)
    return LoraSettings(**given)


def require(given: dict[str, object]) -> None:
    missing = [name for name, value in given.items() if value is None]
    if missing:
        raise InputError(f"--{missing[0].replace('_', '-')} is missing for this method")


def training_settings(args: argparse.Namespace) -> TrainingSettings:
    require({name: getattr(args, name) for name in TRAINING_OPTIONS})
    given = {f.name: getattr(args, f.name) for f in fields(TrainingSettings) if f.name != "lora"}
    given["gradient_checkpointing"] = args.gradient_checkpointing == "True"
    given["parallelism"] = Parallelism(
        args.parallelism, args.gpus, args.nodes, args.tensor, args.pipeline
    )
    return check_settings(TrainingSettings(**given, lora=lora_settings(args)))


def main() -> None:
    args = parse_arguments()
    lora_settings(args)
    settings = None if args.method == "none" else training_settings(args)
    check_model_folder(args.base_model, "base model")
    if settings is None:
        facts = keep_base_model(args.base_model, args.output)
    else:
        files = TrainingFiles(
            args.base_model, args.data, args.output, args.work_folder, args.profile
        )
        facts = fine_tune(settings, files)
    write_json(args.facts, facts)


if __name__ == "__main__":
    run_main(main)
