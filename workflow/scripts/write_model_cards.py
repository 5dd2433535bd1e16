"""Write a model card for every variant that was trained in this run.

Example: python write_model_cards.py --run-facts results/run.json \
    --training results/lora_32r/train.json results/full/train.json \
    --metrics results/lora_32r/metrics.json results/full/metrics.json \
    --output results/lora_32r/model_card.md results/full/model_card.md
"""

import argparse
from pathlib import Path

from sqladder.errors import InputError, run_main
from sqladder.files import read_json, write_text
from sqladder.report.model_card import model_card


def by_folder(paths: list[Path]) -> dict[str, Path]:
    """Files by the variant that their folder is named after."""
    return {path.parent.name: path for path in paths}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run-facts", type=Path, required=True, help="run.json")
    for name, text in (
        ("training", "train.json of each variant"),
        ("metrics", "metrics.json of each variant"),
        ("output", "Markdown file of each variant to write"),
    ):
        parser.add_argument(f"--{name}", type=Path, nargs="*", default=[], help=text)
    args = parser.parse_args()
    facts = read_json(args.run_facts)
    training, metrics = by_folder(args.training), by_folder(args.metrics)
    for variant, path in by_folder(args.output).items():
        for name, files in (("train.json", training), ("metrics.json", metrics)):
            if variant not in files:
                raise InputError(f"no {name} was given for variant {variant!r}")
        card = model_card(variant, facts, read_json(training[variant]), read_json(metrics[variant]))
        write_text(path, card)
        print(f"{path}: {len(card):,} characters")


if __name__ == "__main__":
    run_main(main)
