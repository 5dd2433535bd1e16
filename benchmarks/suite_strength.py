"""How strong suites made by `sqladder suite` are, beside Spider's official ones, on real predictions.

Needs the folder that SQLADDER_SPIDER names (databases.tar.xz and parity/). Suites are made from original files and gold
alone; then predictions are judged by the originals, by the suites made here, and by the official ones.

Example: SQLADDER_SPIDER=/data/spider python benchmarks/suite_strength.py --folder /tmp/strength --jobs 2
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parent.parent / "workflow" / "scripts"
GOLD_OF = {"lora_32r": "lora_32r", "tse_1": "tse", "tse_3": "tse"}


def sqladder(*arguments: Any) -> None:
    """Run the command; its output goes nowhere unless it fails."""
    subprocess.run(
        [sys.executable, "-m", "sqladder.cli", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def lines(path: Path) -> list[str]:
    """The lines of a file that are not empty."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def write_inputs(spider: Path, folder: Path) -> None:
    """Unpack the official suites, copy the originals out of them, and keep the questions whose database is there."""
    with tarfile.open(spider / "databases.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    (folder / "database").rename(folder / "official")
    for suite in (folder / "official").iterdir():
        original = folder / "original" / suite.name / f"{suite.name}.sqlite"
        original.parent.mkdir(parents=True)
        shutil.copy(suite / original.name, original)
    golds: set[str] = set()
    for arm, gold in GOLD_OF.items():
        pairs = [
            (query, predicted)
            for query, predicted in zip(
                lines(spider / "parity" / f"{gold}.gold.sql"),
                lines(spider / "parity" / f"{arm}.pred.sql"),
                strict=True,
            )
            if (folder / "original" / query.split("\t")[1].strip()).is_dir()
        ]
        for name, texts in ((f"{arm}.gold", pairs), (f"{arm}.pred", pairs)):
            side = 0 if name.endswith("gold") else 1
            (folder / f"{name}.sql").write_text("".join(f"{pair[side]}\n" for pair in texts))
        golds.update(query for query, _ in pairs)
    (folder / "all.gold.sql").write_text("".join(f"{gold}\n" for gold in sorted(golds)))


def verdicts(folder: Path, arm: str, suite: str, jobs: int) -> list[bool]:
    """Whether each prediction of an arm is right by a suite."""
    output = folder / f"{arm}.{suite}.jsonl"
    files = {kind: folder / f"{arm}.{kind}.sql" for kind in ("gold", "pred")}
    sqladder(
        "score", "--gold", files["gold"], "--pred", files["pred"], "--db", folder / suite,
        "--verdicts", output, "--jobs", jobs, "--quirks", "official",
    )  # fmt: skip
    return [json.loads(line)["verdict"] == "correct" for line in lines(output)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=Path, help="to work in; must not exist")
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    if "SQLADDER_SPIDER" not in os.environ:
        sys.exit(
            "error: SQLADDER_SPIDER names no folder with Spider's databases.tar.xz and parity/"
        )
    args.folder.mkdir(parents=True)
    write_inputs(Path(os.environ["SQLADDER_SPIDER"]), args.folder)
    started, cpu = time.monotonic(), os.times()
    sqladder(
        "suite", "--db", args.folder / "original", "--gold", args.folder / "all.gold.sql",
        "--output", args.folder / "own", "--files", args.files, "--seed", args.seed, "--jobs", args.jobs,
    )  # fmt: skip
    used = os.times()
    processor = used.children_user + used.children_system - cpu.children_user - cpu.children_system
    print(f"suites: {time.monotonic() - started:.0f} s, {processor:.0f} s of processor time")
    totals = dict.fromkeys(("wrongly accepted", "caught", "accepted", "rejected"), 0)
    for arm in GOLD_OF:
        golds, predicted = (lines(args.folder / f"{arm}.{kind}.sql") for kind in ("gold", "pred"))
        found = [
            verdicts(args.folder, arm, suite, args.jobs)
            for suite in ("original", "own", "official")
        ]
        for number, (alone, own, official) in enumerate(zip(*found, strict=True)):
            totals["accepted"] += official
            totals["rejected"] += official and not own
            totals["wrongly accepted"] += alone and not official
            totals["caught"] += alone and not official and not own
            if own != official and (alone or official):
                what = "rejected" if official else "not caught"
                print(f"{what}: {arm} {number}\n    {golds[number]}\n    {predicted[number]}")
    print(", ".join(f"{name} {count}" for name, count in totals.items()))
    print(
        f"caught {totals['caught'] / totals['wrongly accepted']:.1%} of what the original alone accepts wrongly, "
        f"rejected {totals['rejected'] / totals['accepted']:.2%} of what the official suites accept"
    )


if __name__ == "__main__":
    main()
