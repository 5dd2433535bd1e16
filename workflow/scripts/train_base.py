"""Train the demonstration's base model from nothing on prompts with answers.

Example: python train_base.py --prompts resources/prompts/ddl/pretrain.jsonl
    --vocab-size 2048 --hidden-size 128 --layers 4 --heads 4
    --learning-rate 3e-3 --epochs 4 --batch-size 32 --seed 42
    --output resources/base_model --facts resources/base_model.json
    --work-folder resources/base_model_training

Killed at any moment, the same command goes on from its last checkpoint in the work folder.
"""

import argparse
import shutil
from importlib.metadata import version
from pathlib import Path

from sqladder.demo.settings import Recipe
from sqladder.errors import LOG, run_main
from sqladder.files import read_jsonl, write_json
from sqladder.models.folders import replacing_folder
from sqladder.models.turns import Turns
from sqladder.processes.imports import leave_out_sklearn, leaving_out, uncollected
from sqladder.processes.lifetime import end_with_workflow, holding
from sqladder.prompts.prompt_fields import PROMPT_FIELDS
from sqladder.settings.program_flags import add_flags, from_flags
from sqladder.training.checkpoints import fingerprint, prepare_work_folder
from sqladder.training.pairs import lengths, token_pairs


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--prompts", required=True, type=Path, help="prompts with answers")
    parser.add_argument("--output", required=True, type=Path, help="Hugging Face folder")
    parser.add_argument("--facts", required=True, type=Path, help="cost and losses, JSON")
    parser.add_argument("--work-folder", required=True, type=Path, help="checkpoints")
    add_flags(parser, Recipe)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    recipe = from_flags(args, Recipe)
    end_with_workflow()
    leave_out_sklearn()
    # transformers has a loss for pictures that uses it.
    with uncollected(), leaving_out("scipy"):
        from sqladder.demo.base_model import new_model, pretrain, train_tokenizer
        from sqladder.training.record import training_facts
    rows = read_jsonl(args.prompts, PROMPT_FIELDS)
    tokenizer = train_tokenizer(
        (m["content"] for row in rows for m in row["messages"]), recipe.vocab_size
    )
    pairs = token_pairs(Turns(tokenizer), rows, args.prompts)
    sizes = lengths(pairs)
    model = new_model(tokenizer, recipe, recipe.seed)
    LOG.info(
        f"{model.num_parameters():,} parameters, {len(tokenizer)} tokens; {len(rows)} rows of up to "
        f"{max(sizes)} tokens, {sum(sizes) / len(rows):.0f} on average"
    )
    versions = {name: version(name) for name in ("torch", "transformers", "tokenizers")}
    settings = recipe.model_dump() | {"data": fingerprint(args.prompts)} | versions
    with holding(args.work_folder):
        step = prepare_work_folder(args.work_folder, settings)
        watch = pretrain(model, tokenizer, pairs, recipe, args.work_folder, resume=step > 0)
    with replacing_folder(args.output) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    tokens = round(sum(sizes) * recipe.epochs)
    facts = training_facts(watch, recipe.epochs, tokens, args.output) | {"versions": versions}
    write_json(args.facts, {"method": "base", "settings": recipe.model_dump()} | facts)
    shutil.rmtree(args.work_folder)


if __name__ == "__main__":
    run_main(main)
