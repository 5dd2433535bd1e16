"""Train the demonstration's base model from nothing on prompts with answers.

Example: python train_base.py --prompts resources/prompts/ddl/pretrain.jsonl
    --vocab-size 2048 --hidden-size 128 --layers 4 --heads 4
    --learning-rate 3e-3 --epochs 4 --batch-size 32
    --output resources/base_model --facts resources/base_model.json
    --work-folder resources/base_model_training

Killed at any moment, the same command goes on from its last checkpoint in the work folder.
"""

import argparse
import shutil
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from sqladder.errors import LOG, run_main
from sqladder.files import read_jsonl, write_json
from sqladder.models.folders import replacing_folder
from sqladder.models.turns import Turns
from sqladder.processes.imports import leave_out_sklearn, uncollected
from sqladder.processes.lifetime import end_with_workflow, holding
from sqladder.prompts.rendering import PROMPT_FIELDS
from sqladder.training.checkpoints import fingerprint, prepare_work_folder
from sqladder.training.pairs import lengths, token_pairs


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", required=True, type=Path, help="prompts with answers")
    parser.add_argument("--output", required=True, type=Path, help="Hugging Face folder")
    parser.add_argument("--facts", required=True, type=Path, help="cost and losses, JSON")
    parser.add_argument("--work-folder", required=True, type=Path, help="checkpoints")
    parser.add_argument("--vocab-size", type=int, default=2048)
    parser.add_argument("--hidden-size", type=int, default=128)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--epochs", type=float, default=4)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--save-steps", type=int, default=50, help="steps between checkpoints")
    parser.add_argument("--seed", type=int, default=42)
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    end_with_workflow()
    leave_out_sklearn()
    with uncollected():
        from sqladder.demo.base_model import (
            NetworkSize,
            Recipe,
            new_model,
            pretrain,
            train_tokenizer,
        )
        from sqladder.training.record import training_facts
    shape = NetworkSize(args.vocab_size, args.hidden_size, args.layers, args.heads)
    recipe = Recipe(args.learning_rate, args.epochs, args.batch_size, args.save_steps, args.seed)
    rows = read_jsonl(args.prompts, PROMPT_FIELDS)
    tokenizer = train_tokenizer(
        (m["content"] for row in rows for m in row["messages"]), args.vocab_size
    )
    pairs = token_pairs(Turns(tokenizer), rows, args.prompts)
    sizes = lengths(pairs)
    model = new_model(tokenizer, shape, args.seed)
    LOG.info(
        f"{model.num_parameters():,} parameters, {len(tokenizer)} tokens; {len(rows)} rows of up to "
        f"{max(sizes)} tokens, {sum(sizes) / len(rows):.0f} on average"
    )
    versions = {name: version(name) for name in ("torch", "transformers", "tokenizers")}
    settings = asdict(shape) | asdict(recipe) | {"data": fingerprint(args.prompts)} | versions
    with holding(args.work_folder):
        step = prepare_work_folder(args.work_folder, settings)
        watch = pretrain(model, tokenizer, pairs, recipe, args.work_folder, resume=step > 0)
    with replacing_folder(args.output) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    tokens = round(sum(sizes) * args.epochs)
    facts = training_facts(watch, args.epochs, tokens, args.output) | {"versions": versions}
    write_json(args.facts, {"method": "base"} | facts)
    shutil.rmtree(args.work_folder)


if __name__ == "__main__":
    run_main(main)
