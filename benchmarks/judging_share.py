"""What it costs to choose a checkpoint on validation: trainings of one config, their checkpoints asked by each engine.

Example, where the environment has LLaMA-Factory and vLLM:
    python benchmarks/judging_share.py --config config/smollm2-spider-validation.yaml --variants full_both lora_both
        --folder /tmp/judging -- --cores 16 --workflow-profile profiles/gpu --resources gpu=1

Runs the workflow in the folder up to train.json of each variant and engine; what comes last goes to Snakemake.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
ENGINES = ("vllm", "transformers")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, type=Path, help="has a validation split")
    parser.add_argument("--variants", required=True, nargs="+", help="of the config")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--per-epoch", type=int, default=1, help="checkpoints of each pass")
    parser.add_argument("--folder", required=True, type=Path, help="for the runs and their models")
    parser.add_argument("snakemake", nargs="*", help="Snakemake's own flags, after --")
    return parser.parse_args()


def asked_by_each(config: dict[str, Any], args: argparse.Namespace) -> dict[str, Any]:
    """The same experiment with the named variants alone, once an engine, their checkpoints judged."""
    variants = {}
    for name in args.variants:
        own = config["variants"][name]
        judged = {"choose": "validation", "checkpoints": {"per_epoch": args.per_epoch}}
        training = {**own.get("training", {}), **judged}
        for engine in args.engines:
            decoding = {**own.get("decoding", {}), "engine": engine}
            # What transformers can take at one time.
            batch = {"batch_size": 64} if engine == "transformers" else {}
            variants[f"{name}_{engine}"] = {
                **own, "training": training, "decoding": {**decoding, **batch},
            }  # fmt: skip
    contexts = {own.get("context", config["context"]) for own in variants.values()}
    kept = {name: own for name, own in config["contexts"].items() if name in contexts}
    # A validation split that variants are compared on could choose none of their checkpoints.
    split = {"test_split": "test"} if config.get("test_split") == "validation" else {}
    return {**config, **split, "variants": variants, "contexts": kept, "context": min(contexts)}


def share_of(facts: dict[str, Any]) -> str:
    """What one train.json says: seconds of the training without judging, and those of each checkpoint."""
    judged = facts["validation"]
    first, *others = [point["seconds"] for point in judged["points"]]
    alone = facts["seconds"] - judged["seconds"]
    mean = sum(others) / len(others) if others else first
    without_start = (len(others) + 1) * mean
    right = ", ".join(str(point["correct"].count("1")) for point in judged["points"])
    return (
        f"asked by {judged['engine']}: {len(others) + 1} checkpoints, {len(judged['groups'])} questions; training "
        f"{alone:.1f} s without judging, judging {judged['seconds']:.1f} s (first {first:.1f}, then {mean:.2f} each): "
        f"{judged['seconds'] / alone:.0%} of the training, {without_start / alone:.0%} if the first were "
        f"as the others; right: {right}"
    )


def main() -> None:
    args = parse_arguments()
    args.folder = args.folder.absolute()
    args.folder.mkdir(parents=True, exist_ok=True)
    config = asked_by_each(yaml.safe_load(args.config.read_text(encoding="utf-8")), args)
    file = args.folder / "config.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    facts = [f"results/{name}/train.json" for name in config["variants"]]
    run = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(args.folder)]
    which = ["--configfile", str(file), "--replace-workflow-config"]
    # The files first: some of Snakemake's flags take all words that follow.
    command = [sys.executable, "-m", "snakemake", *facts, *run, *which, *args.snakemake]
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ)
    for name, path in zip(config["variants"], facts, strict=True):
        sys.stdout.write(f"{name}: {share_of(json.loads((args.folder / path).read_text()))}\n")


if __name__ == "__main__":
    main()
