"""Compare the losses of the same full fine-tuning with every parallelism: do they train the same model?

Each run is train.py, as the workflow calls it: the same rows in the same steps from the same seed, plain rows and
packed ones. What rounding alone does is measured beside them: one process that takes a step's rows at once instead of
in turns. A loss curve is within it if its largest and its mean difference from `single` are at most twice those of that
run (or 0.0001, to which Megatron rounds its losses). The last step of packed rows is left out: it is short, and copies
of the model fill theirs up with rows that they had. What cannot run here is named with the reason.

Example: python benchmarks/loss_parity.py --base-model QWEN3 --data resources/prompts/ddl/train.jsonl
    --gpus 2 --output /tmp/parity

Without a GPU the processes share the CPU; give a toy model then (resources/base_model of the demonstration).
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

SCRIPTS = Path(__file__).resolve().parent.parent / "workflow" / "scripts"
# Above, train.py would log means of several steps.
MOST_STEPS = 199
SHOWN_STEPS = 5
ROUNDING = 1e-4
OTHER_SPLIT = "single, rows at once"


class Run(NamedTuple):
    """One training: its name in the table and the options of train.py that are its own."""

    name: str
    options: Mapping[str, int | str]


class Comparison(NamedTuple):
    """A run's losses beside those of `single`."""

    largest: float
    mean: float


def runs(gpus: int, batch: int, gradient_accumulation: int) -> list[Run]:
    """All runs, each with `batch` x `gpus` x `gradient_accumulation` rows a step."""
    turns = {"batch_size": batch, "gradient_accumulation": gpus * gradient_accumulation}
    at_once = {"batch_size": batch * gpus, "gradient_accumulation": gradient_accumulation}
    spread = {"batch_size": batch, "gradient_accumulation": gradient_accumulation, "gpus": gpus}
    parted: dict[str, int | str] = {"parallelism": "megatron", "gpus": gpus, "tensor": gpus}
    copies = [Run(name, spread | {"parallelism": name}) for name in ("ddp", "zero2", "zero3")]
    single = [Run("single", turns), Run(OTHER_SPLIT, at_once)]
    return [*single, *copies, Run("megatron", turns | parted)]


def obstacle(run: Run, gpus: int, packed: bool) -> str | None:
    """Why a run cannot be made here, None if it can."""
    method = str(run.options.get("parallelism", "single"))
    if packed and method in ("zero3", "megatron"):
        return "packed rows need the whole model in each process"
    needed = {"zero2": ["deepspeed"], "zero3": ["deepspeed"]}
    needed["megatron"] = ["megatron", "mcore_adapter"]
    for package in needed.get(method, []):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed"
    import torch

    present = torch.cuda.device_count()
    if method == "megatron" and not present:
        return "Megatron runs on GPUs only"
    if method != "single" and torch.cuda.is_available() and present < gpus:
        return f"{gpus} GPUs are needed, {present} are here"
    return None


def train(run: Run, arguments: argparse.Namespace, packed: bool, rows: Path) -> list[float]:
    """Train and give the loss of every step.

    Raises:
        RuntimeError: the training failed; its log is named.
    """
    name = f"{'packed' if packed else 'plain'}-{run.name.replace(', ', '-').replace(' ', '-')}"
    folder = arguments.output / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    options = {
        "method": "full",
        "base_model": arguments.base_model,
        "data": rows,
        "output": folder / "model",
        "facts": folder / "train.json",
        "work_folder": folder / "work",
        "learning_rate": arguments.learning_rate,
        "epochs": 1,
        "seed": arguments.seed,
        # Multiples of every number of steps that is logged; nothing is saved before the end.
        "save_steps": 10_000,
        **run.options,
    }
    if packed:
        options |= {"packing_length": arguments.packing_length, "kernels": "fused"}
    command = [sys.executable, str(SCRIPTS / "train.py")]
    for option, value in options.items():
        command += [f"--{option.replace('_', '-')}", str(value)]
    # One compilation of DeepSpeed's operators for all runs.
    environment = {"TORCH_EXTENSIONS_DIR": str(arguments.output / "extensions")} | os.environ
    start = time.monotonic()
    with (folder / "log").open("w") as log:
        status = subprocess.run(command, env=environment, stdout=log, stderr=log).returncode
    if status:
        raise RuntimeError(f"failed with status {status}, see {folder / 'log'}")
    print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    shutil.rmtree(folder / "model")
    return [loss for _, loss in json.loads((folder / "train.json").read_text())["loss_curve"]]


def compare(losses: list[float], reference: list[float]) -> Comparison:
    """Differences of each step's losses, of as many steps as both have."""
    differences = [abs(a - b) for a, b in zip(losses, reference, strict=False)]
    return Comparison(max(differences), fmean(differences))


def within(found: Comparison, noise: Comparison) -> bool:
    """Whether a run differs from `single` by no more than twice what rounding alone does."""
    return all(max(2 * n, ROUNDING) >= f for f, n in zip(found, noise, strict=True))


def table(curves: dict[str, list[float]], left_out: dict[str, str]) -> Iterator[str]:
    """Lines of the Markdown table of one kind of rows."""
    reference = curves["single"]
    last = len(reference)
    steps = sorted({1, *(round(i * last / (SHOWN_STEPS - 1)) or 1 for i in range(SHOWN_STEPS))})
    shown = " | ".join(f"step {step}" for step in steps)
    yield f"| run | {shown} | largest difference | mean difference | within rounding |"
    yield f"|---|{'--:|' * len(steps)}--:|--:|---|"
    noise = compare(curves[OTHER_SPLIT], reference) if OTHER_SPLIT in curves else None
    for name, losses in curves.items():
        values = [f"{losses[step - 1]:.4f}" if step <= len(losses) else "" for step in steps]
        found = compare(losses, reference)
        verdict = "(the measure)" if name in ("single", OTHER_SPLIT) else ""
        if noise and not verdict:
            verdict = "yes" if within(found, noise) else "**no**"
        numbers = [f"{found.largest:.5f}", f"{found.mean:.5f}", verdict]
        yield f"| {name} | {' | '.join([*values, *numbers])} |"
    for name, reason in left_out.items():
        yield f"\nLeft out: {name}: {reason}."


def measure(arguments: argparse.Namespace, packed: bool, rows: Path) -> Iterator[str]:
    """Make the runs of one kind of rows; lines of Markdown."""
    curves: dict[str, list[float]] = {}
    left_out: dict[str, str] = {}
    for run in runs(arguments.gpus, arguments.batch_size, arguments.gradient_accumulation):
        reason = obstacle(run, arguments.gpus, packed)
        if reason is None:
            try:
                losses = train(run, arguments, packed, rows)
                curves[run.name] = losses[:-1] if packed else losses
                continue
            except RuntimeError as error:
                reason = str(error)
                if run.name == "single":
                    raise SystemExit(f"error: {run.name}: {reason}") from error
        left_out[run.name] = reason
    kind = f"Rows packed into {arguments.packing_length} tokens" if packed else "Plain rows"
    yield f"\n{kind}, {len(curves['single'])} steps\n"
    yield from table(curves, left_out)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-model", type=Path, required=True, help="Hugging Face folder")
    parser.add_argument("--data", type=Path, required=True, help="prompts with answers, JSON Lines")
    parser.add_argument("--output", type=Path, required=True, help="folder of the runs and logs")
    parser.add_argument("--gpus", type=int, default=2, help="processes of the spread runs")
    parser.add_argument("--steps", type=int, default=40, help=f"of plain rows, <= {MOST_STEPS}")
    parser.add_argument("--batch-size", type=int, default=4, help="rows at once on each GPU")
    parser.add_argument("--gradient-accumulation", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=2e-5)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument(
        "--packing-length",
        type=int,
        default=2048,
        help="tokens of a packed row; 0: plain rows only",
    )
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    if not 1 <= arguments.steps <= MOST_STEPS:
        raise SystemExit(f"error: --steps is 1 to {MOST_STEPS}, not {arguments.steps}")
    if arguments.gpus < 2:
        raise SystemExit("error: --gpus 1 has nothing to compare; 2 or more")
    per_step = arguments.gpus * arguments.batch_size * arguments.gradient_accumulation
    with arguments.data.open() as lines:
        chosen = list(islice(lines, arguments.steps * per_step))
    if len(chosen) < arguments.steps * per_step:
        raise SystemExit(
            f"error: {arguments.data} has {len(chosen)} rows, {arguments.steps} steps of {per_step} "
            "need more: give fewer --steps"
        )
    arguments.output.mkdir(parents=True, exist_ok=True)
    rows = arguments.output / "rows.jsonl"
    rows.write_text("".join(chosen))
    print(f"Full fine-tuning, {per_step} rows a step, {arguments.gpus} processes where spread.")
    for packed in (False, True) if arguments.packing_length else (False,):
        for line in measure(arguments, packed, rows):
            print(line, flush=True)


if __name__ == "__main__":
    main()
