"""Write a model card for every model that was trained in this run: for each variant, or each of its seeds.

Example: python write_model_cards.py --run-facts results/facts.json \
    --training results/lora_32r/train.json results/full/train.json \
    --metrics results/lora_32r/metrics.json results/full/metrics.json \
    --verdicts results/lora_32r/verdicts.jsonl results/full/verdicts.jsonl \
    --output results/lora_32r/model_card.md results/full/model_card.md \
    --losses results/lora_32r/loss.svg results/full/loss.svg
"""

import argparse
from pathlib import Path
from typing import Any

from sqladder.errors import LOG, InputError, run_main
from sqladder.experiment.recipe import recipe, repositories
from sqladder.files import Fields, read_jsonl, read_object, write_text
from sqladder.report.charts.loss_chart import write_loss_chart
from sqladder.report.model_card import model_card
from sqladder.report.provenance import FACTS_FIELDS
from sqladder.statistics.replicates import METRICS_FIELDS, Replicate, replicate_of

TRAINING_FIELDS: Fields = {"method": str, "loss_curve": list}
VERDICT_FIELDS: Fields = {"id": str, "hardness": str, "verdict": str}


def by_replicate(paths: list[Path]) -> dict[Replicate, Path]:
    """Files by the variant, and the seed, that their folder is named after."""
    return {replicate_of(path): path for path in paths}


def seeds_beside(own: Replicate, metrics: dict[Replicate, Path]) -> list[dict[str, Any]]:
    """Content of metrics.json of every seed of a variant."""
    return [
        read_object(path, METRICS_FIELDS)
        for other, path in metrics.items()
        if other.variant == own.variant
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run-facts", type=Path, required=True, help="facts.json")
    for name, text in (
        ("training", "train.json of each variant and seed"),
        ("metrics", "metrics.json of each variant and seed"),
        ("verdicts", "verdicts.jsonl of each variant and seed"),
        ("output", "Markdown file of each variant and seed to write"),
        ("losses", "SVG file of each variant's and seed's loss curve to write, beside its card"),
    ):
        parser.add_argument(f"--{name}", type=Path, nargs="*", default=[], help=text)
    args = parser.parse_args()
    facts = read_object(args.run_facts, FACTS_FIELDS)
    config = facts["config"]
    training, metrics = by_replicate(args.training), by_replicate(args.metrics)
    verdicts, pictures = by_replicate(args.verdicts), by_replicate(args.losses)
    for own, path in by_replicate(args.output).items():
        if own.variant not in config["variants"]:
            raise InputError(f"{args.run_facts} is of a run without variant {own.variant!r}")
        needed = {"train.json": training, "metrics.json": metrics, "verdicts.jsonl": verdicts}
        for name, files in needed.items():
            if own not in files:
                raise InputError(f"no {name} was given for variant {own.name!r}")
        trained = read_object(training[own], TRAINING_FIELDS)
        measured = read_object(metrics[own], METRICS_FIELDS)
        rows = read_jsonl(verdicts[own], VERDICT_FIELDS)
        if own in pictures:
            write_loss_chart(pictures[own], own.name, trained["loss_curve"])
        named = recipe(config, own, trained.get("swept", {})), repositories(config)
        seeds = seeds_beside(own, metrics)
        card = model_card(own, facts, *named, trained, measured, rows, seeds, own in pictures)
        write_text(path, card)
        LOG.info(f"{path}: {len(card):,} characters")


if __name__ == "__main__":
    run_main(main)
