"""Generation on several GPUs: one process for each, which answers a share of the prompts."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqladder.errors import LOG, InputError
from sqladder.files import Row, join_by_id, read_json, read_jsonl, write_jsonl
from sqladder.processes.gpu_devices import installed_devices, usable_devices
from sqladder.processes.lifetime import dying_with_us

SECONDS_BETWEEN_LOOKS = 0.2
LINES_OF_A_LOG = 5


@dataclass(frozen=True)
class Shard:
    """A share of the prompts: its number, its device's id, and the folder with its files."""

    number: int
    device: str
    folder: Path

    def file(self, name: str) -> Path:
        """The path of one of its files: prompts, predictions, facts, work or log."""
        return self.folder / f"{self.number}.{name}"


def devices_for(count: int) -> list[str]:
    """Name the GPUs for `count` processes, one each, by their ids; "" for each where there is none.

    Raises:
        InputError: there are GPUs, but fewer.
    """
    devices = [device.id for device in usable_devices(installed_devices())]
    if not devices:
        return [""] * count
    if len(devices) < count:
        raise InputError(
            f"{count} GPUs are asked for, but this process may use {len(devices)} "
            f"({','.join(devices)}): set gpus lower, or make more of them visible"
        )
    return devices[:count]


def split(rows: Sequence[Row], count: int) -> list[list[Row]]:
    """Part prompts into shards of about equally much text.

    Prompts that begin alike, as those on one database do, stay together, since what they share is
    computed once in a shard. No shard is empty; there are fewer than `count` if there are fewer
    rows.
    """
    texts = [(json.dumps(row["messages"], ensure_ascii=False), row) for row in rows]
    texts.sort(key=lambda pair: pair[0])
    count = min(count, len(texts))
    total = sum(len(text) for text, _ in texts)
    shards: list[list[Row]] = [[]]
    done = 0
    for position, (text, row) in enumerate(texts):
        to_open = count - len(shards)
        is_full = done >= total * len(shards) / count
        if shards[-1] and to_open and (is_full or len(texts) - position == to_open):
            shards.append([])
        shards[-1].append(row)
        done += len(text)
    return shards


def generate(
    command: Sequence[str], rows: Sequence[Row], devices: Sequence[str], folder: Path
) -> tuple[list[Row], list[dict[str, Any]]]:
    """Run a command once for each device, on a share of the prompts, and join what they predict.

    Args:
        command: generate.py with its options; --prompts, --output, --facts, --work-file and --gpus are added.
        rows: all prompts.
        devices: ids as CUDA_VISIBLE_DEVICES takes them; "" is none.
        folder: for the shards' files, with the answers that an attempt before has left; it is removed when all went
            well.

    Returns:
        The predictions in the order of the prompts, and the facts of every shard.

    Raises:
        InputError: a shard failed; the others are stopped, and the message has its log's end.
    """
    shares = split(rows, len(devices))
    shards = [Shard(i, device, folder) for i, device in enumerate(devices[: len(shares)])]
    for shard, share in zip(shards, shares, strict=True):
        write_jsonl(shard.file("prompts.jsonl"), share)
        LOG.info(
            f"shard {shard.number} of {len(shards)}: {len(share)} prompts on GPU "
            f"{shard.device or '(none)'}, log in {shard.file('log')}"
        )
    _run(command, shards)
    predictions = [row for shard in shards for row in read_jsonl(shard.file("predictions.jsonl"))]
    joined = join_by_id(rows, predictions, "the prompts", f"the predictions in {folder}")
    facts = [read_json(shard.file("facts.json")) for shard in shards]
    shutil.rmtree(folder)
    return [prediction for _, prediction in joined], facts


def _run(command: Sequence[str], shards: Sequence[Shard]) -> None:
    started = time.monotonic()
    running: dict[int, subprocess.Popen] = {}
    try:
        for shard in shards:
            running[shard.number] = _start(command, shard)
        while running:
            for number, process in list(running.items()):
                status = process.poll()
                if status is None:
                    continue
                if status != 0:
                    raise InputError(_failure(shards[number], len(shards), status))
                del running[number]
                LOG.info(f"shard {number} done in {time.monotonic() - started:.1f} s")
            time.sleep(SECONDS_BETWEEN_LOOKS)
    finally:
        for process in running.values():
            process.kill()
            process.wait()


def _start(command: Sequence[str], shard: Shard) -> subprocess.Popen:
    files = {
        "prompts": shard.file("prompts.jsonl"),
        "output": shard.file("predictions.jsonl"),
        "facts": shard.file("facts.json"),
        "work-file": shard.file("work.jsonl"),
        "gpus": 1,
    }
    with shard.file("log").open("wb") as log:
        return subprocess.Popen(
            [*command, *(f"--{name}={value}" for name, value in files.items())],
            env={**os.environ, "CUDA_VISIBLE_DEVICES": shard.device},
            # Standard input is inherited: the lease of the GPUs hangs on it (docs/gpus.md).
            stdout=log,
            stderr=subprocess.STDOUT,
            # A parent that is killed cannot stop its shards, and each holds a GPU.
            preexec_fn=dying_with_us(),
        )


def _failure(shard: Shard, count: int, status: int) -> str:
    reason = f"by signal {-status}" if status < 0 else f"with status {status}"
    log = shard.file("log")
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    end = "\n".join(f"  {line}" for line in lines[-LINES_OF_A_LOG:])
    return (
        f"shard {shard.number} of {count} on GPU {shard.device or '(none)'} ended {reason}; "
        f"its log is {log} and ends with\n{end}"
    )


def joined_facts(facts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Sum up the facts of the shards: counts are added, and the slowest or largest one counts."""
    sums = ("prompts", "prompt_tokens", "output_tokens", "cut_off")
    stages = [name for shard in facts for name in shard["stages"]]
    return {
        **facts[0],
        **_joined_resumption([shard["resumed"] for shard in facts if "resumed" in shard]),
        **({"repair": _joined_rounds(facts)} if "repair" in facts[0] else {}),
        **{name: sum(shard[name] for shard in facts) for name in sums},
        "peak_memory_mb": max(shard["peak_memory_mb"] for shard in facts),
        "stages": {name: max(shard["stages"].get(name, 0) for shard in facts) for name in stages},
        "shards": [{name: shard[name] for name in (*sums, "stages")} for shard in facts],
    }


def _joined_resumption(resumed: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if not resumed:
        return {}
    answers = sum(shard["answers"] for shard in resumed)
    return {"resumed": {"answers": answers, "seconds": max(shard["seconds"] for shard in resumed)}}


def _joined_rounds(facts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rounds of repairs: every shard has as many."""
    rounds = zip(*(shard["repair"] for shard in facts), strict=True)
    return [
        {
            name: (max if name == "seconds" else sum)(own[name] for own in shared)
            for name in shared[0]
        }
        for shared in rounds
    ]
