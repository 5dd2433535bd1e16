"""How fast training is: recipes of one config, each by train.py as the workflow calls it.

Example: python benchmarks/training_speed.py --model QWEN3 --data resources/prompts/ddl/train.jsonl
    --folder /tmp/speed original_lora_32r lora_32r

Each recipe trains a few dozen steps; rates leave the first ten out, in which kernels are compiled.
"""

import argparse
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

TARGET_MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
TRAIN = Path(__file__).parents[1] / "workflow" / "scripts" / "train.py"
LORA = {"method": "lora", "rank": 32, "alpha": 32, "dropout": 0}
QV = {"target-modules": ["q_proj", "v_proj"]}
PLAIN = {"kernels": "plain", "gradient-checkpointing": None}
PACKED = {
    "kernels": "fused",
    "packing-length": 4096,
    "batch-size": 8,
    "gradient-accumulation": 1,
}

ORIGINAL_LORA = {**LORA, **QV, **PLAIN, "batch-size": 8, "gradient-accumulation": 2}

# `original_*` as published (config/qwen3-1p7b.yaml), on one GPU; Megatron's takes two, so original_full
# is without it. The others differ from them in speed alone.
RECIPES: dict[str, dict[str, Any]] = {
    "original_lora_32r": {**ORIGINAL_LORA, "parallelism-method": "zero3"},
    "original_lora_32r_without_zero": ORIGINAL_LORA,
    "original_full": {"method": "full", **PLAIN, "batch-size": 6, "gradient-accumulation": 5},
    "lora_32r": {**LORA, **QV, **PACKED},
    "lora_32r_all": {**LORA, "target-modules": TARGET_MODULES, **PACKED},
    "full": {"method": "full", **PACKED},
}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="+", choices=RECIPES)
    parser.add_argument("--model", required=True, type=Path, help="Hugging Face folder")
    parser.add_argument("--data", required=True, type=Path, help="prompts with answers")
    parser.add_argument("--folder", required=True, type=Path, help="for models and checkpoints")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--gpus", type=int, default=1, help="data parallel over so many")
    parser.add_argument("--batch-size", type=int, help="instead of the recipe's")
    parser.add_argument("--gradient-accumulation", type=int, help="instead of the recipe's")
    parser.add_argument("--optimizer", help="instead of adamw")
    parser.add_argument("--strategy", default="ddp", help="parallelism on several GPUs")
    parser.add_argument("--profile", action="store_true", help="write FOLDER/RECIPE.profile.txt")
    return parser.parse_args()


def epochs_for(steps: int, recipe: dict[str, Any], gpus: int, data: Path) -> float:
    """Passes over the rows that take about so many steps."""
    with data.open(encoding="utf-8") as file:
        rows = sum(1 for _ in file)
    rows_a_step = recipe["batch-size"] * recipe["gradient-accumulation"] * gpus
    if "packing-length" in recipe:
        # About 200 tokens a row.
        rows_a_step *= recipe["packing-length"] / 200
    return steps * rows_a_step / rows


def run(name: str, args: argparse.Namespace) -> dict[str, Any] | None:
    """Train by one recipe; its facts, or None if it failed."""
    recipe = RECIPES[name] | {
        option: value
        for option in ("batch-size", "gradient-accumulation", "optimizer")
        if (value := getattr(args, option.replace("-", "_")))
    }
    folder = args.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    options = {
        **recipe,
        "base-model": args.model,
        "data": args.data,
        "output": folder / "model",
        "facts": folder / "train.json",
        "work-folder": folder / "work",
        "learning-rate": 1e-5,
        "epochs": epochs_for(args.steps, recipe, args.gpus, args.data),
        "cutoff-length": 1024,
        "seed": 42,
        "save-steps": 100000,
    }
    if args.gpus > 1:
        options |= {"parallelism-method": args.strategy, "parallelism-gpus": args.gpus}
    if args.profile:
        options["profile"] = args.folder / f"{name}.profile.txt"
    command = [sys.executable, str(TRAIN)]
    for key, value in options.items():
        values = value if isinstance(value, list) else [value]
        command += [f"--{key}", *(str(item) for item in values if item is not None)]
    with (args.folder / f"{name}.log").open("w") as log:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT)
    shutil.rmtree(folder / "model", ignore_errors=True)
    if done.returncode:
        print((args.folder / f"{name}.log").read_text()[-3000:], flush=True)
        return None
    return json.loads((folder / "train.json").read_text())


def main() -> None:
    args = parse_arguments()
    args.folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "| recipe | GPUs | steps | seconds | rows/s | tokens/s | TFLOP/s a GPU | of the matrix rate | peak GB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in args.recipes:
        facts = run(name, args)
        if facts is None:
            lines.append(f"| {name} | {args.gpus} | failed |")
            continue
        share = facts.get("utilisation", math.nan)
        cells = [name, args.gpus, facts["steps"], facts["seconds"]]
        cells += [facts["steady_rows_per_second"], facts["steady_tokens_per_second"]]
        cells += [facts.get("tflops_per_gpu"), f"{share:.1%} of {facts.get('matrix_tflops')}"]
        cells.append(f"{facts['peak_memory_mb'] / 1024:.1f}")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
        print(lines[-1], flush=True)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
