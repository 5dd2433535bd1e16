"""Compare the losses of the same full fine-tuning with every parallelism: do they train the same model?

Each run is train.py, as the workflow calls it: the same rows in the same steps from the same seed. A run on several
GPUs is compared with its reference, one process, and with what rounding alone does to that process, its noise: the
same rows of each step, taken at once, and in more turns. It trains the same model if the largest and the mean
difference of a step's loss are at most twice those of the noise (or 0.0001, to which Megatron rounds its losses).

- In float32 all ways compute alike, so `single` is the reference of each: this table compares the ways.
- In bfloat16, as GPUs train, `single` and `ddp` cast float32 weights for each product, and DeepSpeed and Megatron
  compute with bfloat16 weights beside a float32 copy. So each of these has its own reference and noise, the same way
  on one GPU: this table compares one GPU with several. What the formats do is in the means of the last steps, beside
  what another order of the rows does.

The last step of packed rows is left out: it is short, and copies of the model fill theirs up with rows that they had.
What cannot run here is named with the reason. Without a GPU the processes share the CPU, which knows float32 only;
give a toy model then (resources/base_model of the demonstration).

Example: python benchmarks/loss_parity.py --base-model QWEN3 --data resources/prompts/ddl/train.jsonl
    --gpus 2 --at-a-time 4 --output /tmp/parity
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import torch

SCRIPTS = Path(__file__).resolve().parent.parent / "workflow" / "scripts"
# Above, train.py would log means of several steps.
MOST_STEPS = 199
CUTOFF_LENGTH = 1024
SHOWN_STEPS = 3
# Of a row's JSON, about: how many rows fill the packed ones need not be exact.
CHARACTERS_A_TOKEN = 5
ROUNDING = 1e-4
FORMATS = ("float32", "bfloat16")
SINGLE = "single"
OTHER_ORDER = "single, rows in another order"
# Other splits of a step's rows, by what a run's name gets for them.
AT_ONCE = ", rows at once"
MORE_TURNS = ", in more turns"


class Run(NamedTuple):
    """One training.

    Attributes:
        name: in the table.
        options: those of train.py that are its own.
        reference: the run that it should train alike; "" for one that is compared with nothing.
    """

    name: str
    options: Mapping[str, object]
    reference: str = ""

    @property
    def gpus(self) -> int:
        """How many GPUs it needs."""
        return int(str(self.options.get("parallelism_gpus", 1)))


class Comparison(NamedTuple):
    """How far the losses of two runs are apart."""

    largest: float
    mean: float


class Training(NamedTuple):
    """What came of a run: its losses, and how a micro-batch was split where memory ran out."""

    losses: list[float]
    halved: str = ""


class Setup(NamedTuple):
    """What all runs of a table have in common."""

    number_format: str
    packed: bool
    base_model: Path
    rows: Path

    def __str__(self) -> str:
        return f"{self.number_format}-{'packed' if self.packed else 'plain'}"


def runs(gpus: int, batch: int, gradient_accumulation: int, number_format: str) -> list[Run]:
    """All runs, each with `batch` x `gpus` x `gradient_accumulation` rows a step."""
    turns = {"batch_size": batch, "gradient_accumulation": gpus * gradient_accumulation}
    copies = {
        "batch_size": batch,
        "gradient_accumulation": gradient_accumulation,
        "parallelism_gpus": gpus,
    }
    parted = turns | {"parallelism_gpus": gpus, "parallelism_tensor": gpus}
    alone = [*_with_noise(SINGLE, turns, gpus)]
    spread = []
    for method in ("ddp", "zero2", "zero3", "megatron"):
        options = (parted if method == "megatron" else copies) | {"parallelism_method": method}
        reference = SINGLE
        if number_format == "bfloat16" and method != "ddp":
            reference = f"{method} on one GPU"
            alone += _with_noise(reference, turns | {"parallelism_method": method}, gpus)
        spread.append(Run(method, options, reference))
    if number_format == "bfloat16":
        alone.append(Run(OTHER_ORDER, turns))
    return [*alone, *spread]


def _with_noise(name: str, turns: Mapping[str, object], gpus: int) -> Iterator[Run]:
    """A run of one process and those that split its steps in other ways."""
    batch, times = int(str(turns["batch_size"])), int(str(turns["gradient_accumulation"]))
    yield Run(name, turns)
    at_once = {"batch_size": batch * gpus, "gradient_accumulation": times // gpus}
    yield Run(name + AT_ONCE, {**turns, **at_once}, name)
    if batch % 2 == 0:
        more = {"batch_size": batch // 2, "gradient_accumulation": times * 2}
        yield Run(name + MORE_TURNS, {**turns, **more}, name)


def obstacle(run: Run, packed: bool) -> str | None:
    """Why a run cannot be made here, None if it can."""
    method = run.options.get("parallelism_method", SINGLE)
    if packed and method in ("zero3", "megatron"):
        return "packed rows need the whole model in each process"
    needed = {"zero2": ["deepspeed"], "zero3": ["deepspeed"]}
    needed["megatron"] = ["megatron", "mcore_adapter"]
    for package in needed.get(str(method), []):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed"
    present = torch.cuda.device_count()
    if method == "megatron" and not present:
        return "Megatron runs on GPUs only"
    if torch.cuda.is_available() and present < run.gpus:
        return f"{run.gpus} GPUs are needed, {present} are here"
    return None


def devices(run: Run, number: int) -> dict[str, str]:
    """The environment of a run, with its GPUs and no others: a training of one process refuses to see two."""
    present = torch.cuda.device_count()
    if not present:
        return {}
    names = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    if len(names) != present:
        names = [str(place) for place in range(present)]
    chosen = names[: run.gpus] if run.gpus > 1 else [names[number % present]]
    return {"CUDA_VISIBLE_DEVICES": ",".join(chosen)}


def train(run: Run, setup: Setup, number: int, arguments: argparse.Namespace) -> Training:
    """Train and give the loss of every step.

    Raises:
        RuntimeError: the training failed; its log is named.
    """
    folder = arguments.output / str(setup) / run.name.replace(", ", "-").replace(" ", "-")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    options = {
        "method": "full",
        "base_model": setup.base_model,
        "data": setup.rows,
        "output": folder / "model",
        "facts": folder / "train.json",
        "work_folder": folder / "work",
        "learning_rate": arguments.learning_rate,
        "epochs": 1,
        "cutoff_length": CUTOFF_LENGTH,
        "seed": arguments.seed + (run.name == OTHER_ORDER),
        # Multiples of every number of steps that is logged; nothing is saved before the end.
        "save_steps": 10_000,
        **run.options,
    }
    if setup.packed:
        options |= {"packing_length": arguments.packing_length, "kernels": "fused"}
    command = [sys.executable, str(SCRIPTS / "train.py")]
    for option, value in options.items():
        command += [f"--{option.replace('_', '-')}", str(value)]
    # One compilation of DeepSpeed's operators for all runs.
    environment = {"TORCH_EXTENSIONS_DIR": str(arguments.output / "extensions")} | os.environ
    environment |= devices(run, number)
    if setup.number_format == "float32":
        environment["SQLADDER_TRAINING_OPTIONS"] = json.dumps({"bf16": False})
    start = time.monotonic()
    with (folder / "log").open("w") as log:
        status = subprocess.run(command, env=environment, stdout=log, stderr=log).returncode
    print(f"{setup} {run.name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    if status:
        raise RuntimeError(f"failed with status {status}, see {folder / 'log'}")
    shutil.rmtree(folder / "model")
    facts = json.loads((folder / "train.json").read_text())
    losses = [loss for _, loss in facts["loss_curve"]]
    halved = ""
    used = facts["settings"]
    if used["batch_size"] != run.options["batch_size"]:
        halved = f"{used['batch_size']} rows x {used['gradient_accumulation']}"
    return Training(losses[:-1] if setup.packed else losses, halved)


def compare(losses: list[float], reference: list[float]) -> Comparison:
    """Differences of each step's losses, of as many steps as both have."""
    differences = [abs(a - b) for a, b in zip(losses, reference, strict=False)]
    return Comparison(max(differences), fmean(differences))


def noise_of(reference: str, curves: dict[str, list[float]]) -> Comparison | None:
    """What rounding does to a run: the most that its other splits differ from it; None without any."""
    splits = [reference + name for name in (AT_ONCE, MORE_TURNS) if reference + name in curves]
    found = [compare(curves[split], curves[reference]) for split in splits]
    return Comparison(*map(max, zip(*found, strict=True))) if found else None


def within(found: Comparison, noise: Comparison) -> bool:
    """Whether a run differs from its reference by no more than twice what rounding alone does."""
    return all(max(2 * n, ROUNDING) >= f for f, n in zip(found, noise, strict=True))


def table(
    chosen: list[Run], curves: dict[str, list[float]], left_out: dict[str, str]
) -> Iterator[str]:
    """Lines of the Markdown table of one kind of rows in one number format."""
    last = len(curves[SINGLE])
    steps = sorted({1, *(round(i * last / (SHOWN_STEPS - 1)) or 1 for i in range(SHOWN_STEPS))})
    shown = " | ".join(f"step {step}" for step in steps)
    tail = max(1, last // 4)
    yield (
        f"| run | {shown} | mean of the last {tail} | compared with | largest difference "
        "| mean difference | noise: largest | mean | the same |"
    )
    yield f"|---|{'--:|' * (len(steps) + 1)}---|--:|--:|--:|--:|---|"
    for run in chosen:
        if run.name not in curves:
            continue
        losses = curves[run.name]
        cells = [f"{losses[step - 1]:.4f}" if step <= len(losses) else "" for step in steps]
        cells.append(f"{fmean(losses[:last][-tail:]):.4f}")
        cells += _verdict(run, curves)
        yield f"| {run.name} | {' | '.join(cells)} |"
    for name, reason in left_out.items():
        yield f"\nLeft out: {name}: {reason}."


def _verdict(run: Run, curves: dict[str, list[float]]) -> list[str]:
    """The cells that compare a run with its reference."""
    if run.reference not in curves:
        return [""] * 6
    found = compare(curves[run.name], curves[run.reference])
    cells = [run.reference, f"{found.largest:.5f}", f"{found.mean:.5f}"]
    noise = noise_of(run.reference, curves)
    if noise is None or run.name.endswith((AT_ONCE, MORE_TURNS)):
        return [*cells, "", "", "(noise)" if noise else ""]
    verdict = "yes" if within(found, noise) else "**no**"
    return [*cells, f"{noise.largest:.5f}", f"{noise.mean:.5f}", verdict]


def measure(setup: Setup, arguments: argparse.Namespace, pool: ThreadPoolExecutor) -> Iterator[str]:
    """Make the runs of one table; its lines of Markdown."""
    chosen = runs(
        arguments.gpus,
        arguments.batch_size,
        arguments.gradient_accumulation,
        setup.number_format,
    )
    left_out = {run.name: reason for run in chosen if (reason := obstacle(run, setup.packed))}
    possible = [run for run in chosen if run.name not in left_out]
    started = [
        (run, pool.submit(train, run, setup, number, arguments))
        for number, run in enumerate(possible)
    ]
    curves: dict[str, list[float]] = {}
    halved: dict[str, str] = {}
    for run, training in started:
        try:
            curves[run.name], halved[run.name] = training.result()
        except RuntimeError as error:
            left_out[run.name] = str(error)
    if SINGLE not in curves:
        raise SystemExit(f"error: {SINGLE}: {left_out[SINGLE]}")
    kind = f"Rows packed into {arguments.packing_length} tokens" if setup.packed else "Plain rows"
    yield f"\n{kind}, {setup.number_format}, {len(curves[SINGLE])} steps\n"
    yield from table(chosen, curves, left_out)
    for name, split in halved.items():
        if split:
            yield f"\nMemory ran out, so the steps were split into {split}: {name}."


def rows_to_fill(lines: Iterable[str], tokens: int) -> Iterator[str]:
    """Rows until they have about so many tokens."""
    left = tokens * CHARACTERS_A_TOKEN
    for line in lines:
        if left <= 0:
            return
        left -= len(line)
        yield line


def write_float32(base_model: Path, target: Path) -> Path:
    """Copy a checkpoint with its weights as float32, in which a training loads it then."""
    from safetensors.torch import load_file, save_file

    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in base_model.iterdir():
        if path.suffix == ".safetensors":
            weights = {name: value.float() for name, value in load_file(path).items()}
            save_file(weights, target / path.name, metadata={"format": "pt"})
        elif path.is_file():
            shutil.copyfile(path, target / path.name)
    settings = json.loads((base_model / "config.json").read_text())
    name = "dtype" if "dtype" in settings else "torch_dtype"
    (target / "config.json").write_text(json.dumps(settings | {name: "float32"}))
    return target


def setups(arguments: argparse.Namespace, rows: dict[bool, Path]) -> Iterator[Setup]:
    """The tables that are to be made here, of plain and of packed rows."""
    # On CPU a training is float32 in any case.
    on_gpu = torch.cuda.is_available()
    for number_format in arguments.formats if on_gpu else ["float32"]:
        base_model = arguments.base_model
        if number_format == "float32":
            base_model = write_float32(base_model, arguments.output / "base_float32")
        yield Setup(number_format, False, base_model, rows[False])
        # The kernel of packed rows takes 16-bit numbers on GPUs.
        if arguments.packing_length and not (on_gpu and number_format == "float32"):
            yield Setup(number_format, True, base_model, rows[True])


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
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument(
        "--at-a-time", type=int, default=1, help="trainings that share the GPUs' memory"
    )
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
    rows = {packed: arguments.output / f"rows-{packed}.jsonl" for packed in (False, True)}
    rows[False].write_text("".join(chosen))
    # Packed rows are fuller: as many steps of them take all that the file has, if need be.
    tokens = arguments.steps * per_step * arguments.packing_length
    with arguments.data.open() as lines:
        rows[True].write_text("".join(rows_to_fill(lines, tokens)))
    print(f"Full fine-tuning, {per_step} rows a step, {arguments.gpus} processes where spread.")
    with ThreadPoolExecutor(arguments.at_a_time) as pool:
        for setup in setups(arguments, rows):
            for line in measure(setup, arguments, pool):
                print(line, flush=True)


if __name__ == "__main__":
    main()
