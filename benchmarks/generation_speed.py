"""Measure generate.py in several settings on one model and one file of prompts; prints a Markdown table.

Every setting is a process of its own that runs generate.py's main (generation_parts.py adds the
tokens to its predictions, so that answers can be compared token by token). A setting that fails or
takes too long is named and loses no other; what no time is left for is named too.

Example: python benchmarks/generation_speed.py --model /tmp/qwen3-1.7b --prompts prompts.jsonl
    --output /tmp/speed --minutes 6
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

PARTS = Path(__file__).with_name("generation_parts.py")
OPTIONS = "SQLADDER_VLLM_OPTIONS"
# A failed setting's last lines.
LINES_OF_A_LOG = 15

GREEDY = {"temperature": 0, "top_p": 1, "repetition_penalty": 1, "seed": 42}
EAGER = {"enforce_eager": True, "compilation_config": None}
# vLLM's own default: compiled by torch, many CUDA graphs, prompts in graphs of their own.
COMPILED = {"compilation_config": None}


@dataclass(frozen=True)
class Setting:
    """A row of the table.

    Attributes:
        name: what the table calls it, and with dashes the folder of its files.
        part: of generation_parts.py, "" for generate.py itself.
        options: its flags beside those of every setting.
        engine: options of vLLM's engine instead of ours.
        environment: variables of its process.
        compared: another setting, whose answers it should give too.
        explained: look up how near the tokens are where they differ (a model is loaded for it).
        model: the checkpoint, None for the one that is measured.
    """

    name: str
    part: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    engine: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    compared: str = ""
    explained: bool = False
    model: Path | None = None

    def folder(self, work: Path) -> Path:
        """Where its files are."""
        return work / self.name.replace(" ", "-").replace(",", "")


def settings(args: argparse.Namespace) -> Iterator[Setting]:
    """All rows, the most needed first."""
    vllm = {"engine": "vllm", "batch_size": args.batch_size}
    on_cpu = {"on_cpu": True} if args.on_cpu else {}
    yield Setting("cold cache", options=vllm)
    yield Setting("warm cache", options=vllm, compared="cold cache")
    yield Setting("original way", part="original", options=on_cpu)
    yield Setting(
        "transformers",
        options={"engine": "transformers", "batch_size": args.transformers_batch},
        compared="warm cache",
        explained=True,
    )
    if not args.on_cpu:
        yield Setting("eager", options=vllm, engine=EAGER, compared="warm cache")
        yield Setting("compiled, cold cache", options=vllm, engine=COMPILED, compared="warm cache")
        yield Setting("compiled, warm cache", options=vllm, engine=COMPILED, compared="warm cache")
        yield Setting("256 at a time", options=vllm | {"batch_size": 256}, compared="warm cache")
    if args.gpus > 1:
        yield Setting(
            f"{args.gpus} processes", options=vllm | {"gpus": args.gpus}, compared="warm cache"
        )
    merged, adapter = args.output / "merged", args.output / "adapter"
    # Not the base's answers: an adapter without effect would prove nothing.
    yield Setting("adapter merged", options=vllm, model=merged, compared="warm cache")
    yield Setting(
        "adapter served",
        part="served",
        options={"adapter": adapter, "batch_size": args.batch_size} | on_cpu,
        compared="adapter merged",
        explained=True,
    )


class Bench:
    """Runs parts in processes, each within its limit, and keeps the time of all."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.end = time.monotonic() + 60 * args.minutes
        self.results: dict[str, dict[str, Any]] = {}
        self.dtype = {"dtype": args.dtype} if args.dtype else {}

    def run(self, setting: Setting) -> None:
        """Measure a setting and say what came out."""
        folder = setting.folder(self.args.output)
        folder.mkdir(parents=True, exist_ok=True)
        if setting.model and not self._made_adapter():
            return self._note(setting, {"failed": "the adapter could not be made"})
        files = {
            "model": setting.model or self.args.model,
            "prompts": self.args.prompts,
            "output": folder / "predictions.jsonl",
            "facts": folder / "generation.json",
            # Torch's compilation has its caches apart: ours are to be cold when first used.
            "cache_folder": self.args.output / "cache" / ("compiled" if setting.engine else "ours"),
            "max_new_tokens": self.args.max_new_tokens,
        }
        # The other parts have their own, or this one.
        greedy = {} if setting.part else GREEDY
        engine = self.dtype | json.loads(os.environ.get(OPTIONS, "{}")) | setting.engine
        environment = setting.environment | {OPTIONS: json.dumps(engine)}
        wall, problem = self._process(
            folder / "log", setting.part, files | greedy | self.dtype | setting.options, environment
        )
        if problem:
            return self._note(setting, {"failed": problem})
        facts = json.loads((folder / "generation.json").read_text())
        return self._note(setting, facts | {"wall": round(wall, 1)})

    def compare(self, setting: Setting) -> None:
        """Say how many answers a setting shares with the one it is compared with."""
        pair = [self.results.get(name, {}) for name in (setting.name, setting.compared)]
        if not setting.compared or any("stages" not in result for result in pair):
            return
        folder = setting.folder(self.args.output)
        other = self.args.output / setting.compared.replace(" ", "-")
        files = {"left": other / "predictions.jsonl", "right": folder / "predictions.jsonl"}
        left, right = (
            {row["id"]: (row["token_ids"], row["finish_reason"]) for row in map(json.loads, file)}
            for file in (path.open() for path in files.values())
        )
        same = sum(right[key] == answer for key, answer in left.items())
        compared: dict[str, Any] = {
            "different": len(left) - same,
            "same": round(same / len(left), 4),
        }
        if setting.explained and same < len(left):
            files["model"] = self.args.output / "merged" if setting.part else self.args.model
            files["output"] = folder / "explained.json"
            _, problem = self._process(folder / "explain.log", "explain", files | self.dtype, {})
            compared |= {"failed": problem} if problem else json.loads(files["output"].read_text())
        self.results[setting.name]["compared"] = {"with": setting.compared} | compared
        print(f"  {setting.name} and {setting.compared}: {json.dumps(compared)}", flush=True)

    def _made_adapter(self) -> bool:
        files = {
            "model": self.args.model,
            "adapter": self.args.output / "adapter",
            "merged": self.args.output / "merged",
        }
        _, problem = self._process(self.args.output / "adapter.log", "adapter", files, {})
        return not problem

    def _process(
        self, log: Path, part: str, flags: dict[str, Any], environment: dict[str, str]
    ) -> tuple[float, str]:
        """Run a part; give its seconds, and what went wrong, "" for nothing."""
        left = self.end - time.monotonic()
        limit = min(self.args.limit_s, left)
        if limit < 5:
            return 0, "not run: no time left"
        words = [sys.executable, str(PARTS), *([part] if part else [])]
        for name, value in flags.items():
            flag = f"--{name.replace('_', '-')}"
            words.append(flag if value is True else f"{flag}={value}")
        started = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                words,
                env=os.environ | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                status = process.wait(limit)
            except subprocess.TimeoutExpired:
                # The group of its own also holds what the process has started.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return limit, f"stopped after {limit:.0f} s, see {log}"
        seconds = time.monotonic() - started
        if status:
            lines = log.read_text(errors="replace").splitlines()[-LINES_OF_A_LOG:]
            print("\n".join(f"    {line}" for line in lines), flush=True)
            return seconds, f"status {status}, see {log}"
        return seconds, ""

    def _note(self, setting: Setting, result: dict[str, Any]) -> None:
        self.results[setting.name] = result
        print(f"{setting.name}: {json.dumps(result)}", flush=True)
        (self.args.output / "generation_speed.json").write_text(json.dumps(self.results, indent=2))


def print_table(results: dict[str, dict[str, Any]]) -> None:
    """One line a setting; seconds, but for the last columns."""
    stages = ["imports", "engine_import", "tokenization", "engine_start", "weights"]
    stages += ["profile_and_warm_up", "graph_capture", "generation"]
    header = ["setting", "process", "to file", *stages, "prompts/s", "tokens/s", "MB", "same"]
    print("| " + " | ".join(name.replace("_", " ") for name in header) + " |")
    print("|---" + "|--:" * (len(header) - 1) + "|")
    for name, result in results.items():
        if "stages" not in result:
            print(f"| {name} | {result['failed']} |" + " |" * (len(header) - 2))
            continue
        busy = result["stages"]["generation"]
        compared = result.get("compared")
        cells = [
            name,
            f"{result['wall']:.1f}",
            f"{result['seconds']:.1f}",
            *(f"{result['stages'][s]:.1f}" if s in result["stages"] else "" for s in stages[:-1]),
            f"{busy:.2f}",
            f"{result['prompts'] / busy:.0f}",
            f"{result['output_tokens'] / busy:.0f}",
            f"{result['peak_memory_mb']:.0f}",
            f"{compared['same']:.1%} of {compared['with']}" if compared else "",
        ]
        print("| " + " | ".join(cells) + " |")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, type=Path, help="Hugging Face folder")
    parser.add_argument("--prompts", required=True, type=Path, help="JSON Lines: id, messages")
    parser.add_argument("--output", required=True, type=Path, help="folder for all files")
    parser.add_argument("--max-new-tokens", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=1024, help="answers at a time in vLLM")
    parser.add_argument("--transformers-batch", type=int, default=64)
    parser.add_argument("--gpus", type=int, default=torch.cuda.device_count())
    parser.add_argument("--dtype", help="bfloat16 or float32, instead of what the device calls for")
    parser.add_argument("--limit-s", type=float, default=120, help="of one setting")
    parser.add_argument("--minutes", type=float, default=6, help="of all together")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="settings to measure")
    args = parser.parse_args()
    args.on_cpu = not torch.cuda.is_available()
    return args


def main() -> None:
    args = parse_arguments()
    args.output.mkdir(parents=True, exist_ok=True)
    device = "cpu" if args.on_cpu else torch.cuda.get_device_name()
    print(f"{device}, {torch.cuda.device_count()} GPUs, {args.model}, {args.prompts}", flush=True)
    bench = Bench(args)
    for setting in settings(args):
        if not args.only or setting.name in args.only:
            bench.run(setting)
            bench.compare(setting)
    (args.output / "generation_speed.json").write_text(json.dumps(bench.results, indent=2))
    print()
    print_table(bench.results)


if __name__ == "__main__":
    main()
