"""Measure `sqladder score` and floors of plain sqlite3 on Spider's dev set with real predictions.

Needs the folder that SQLADDER_SPIDER names (databases.tar.xz and parity/). Prints a Markdown table:
CPU seconds of all processes, wall seconds, and the largest resident set of one process. Each row
is the best of several runs.

Example: SQLADDER_SPIDER=/data/spider python benchmarks/score_parity.py --repeat 3
"""

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

SCRIPTS = Path(__file__).resolve().parent.parent / "workflow" / "scripts"
GOLD_OF = {"lora_32r": "lora_32r", "tse_1": "tse", "tse_3": "tse"}


class Cost(NamedTuple):
    """What one run used; smaller CPU time is better."""

    cpu: float
    wall: float
    memory_mb: int


def write_inputs(spider: Path, folder: Path) -> int:
    """Gold and predictions of the questions whose database is there, and six variants more."""
    with tarfile.open(spider / "databases.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    number = 0
    for arm, gold in GOLD_OF.items():
        pairs = list(_pairs(spider / "parity", arm, gold, folder / "database"))
        number = len(pairs)
        _write(folder / f"{gold}.gold.sql", [f"{sql}\t{db}" for sql, db, _ in pairs])
        _write(folder / f"{arm}.pred.sql", [predicted for _, _, predicted in pairs])
        for variant in (1, 2):
            # Half of the texts change and mean the same, so that nothing is shared for nothing.
            texts = [
                f"select * from ({predicted.rstrip('; ')})" if (i + variant) % 2 else predicted
                for i, (_, _, predicted) in enumerate(pairs)
            ]
            _write(folder / f"{arm}_{variant}.pred.sql", texts)
    return number


def _pairs(folder: Path, arm: str, gold: str, databases: Path) -> Iterator[tuple[str, str, str]]:
    golds, predictions = (
        [line.strip().split("\t") for line in path.read_text().splitlines() if line.strip()]
        for path in (folder / f"{gold}.gold.sql", folder / f"{arm}.pred.sql")
    )
    for (sql, db), (predicted, *_) in zip(golds, predictions, strict=True):
        if (databases / db).is_dir():
            yield sql, db, predicted


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("".join(line + "\n" for line in lines))


def measure(command: list[str], repeat: int) -> Cost:
    """Run a command several times; the cost of the cheapest run."""
    costs = []
    for _ in range(repeat):
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        costs.append(Cost(cpu, time.perf_counter() - start, after.ru_maxrss // 1024))
    return min(costs)


def score(folder: Path, arms: list[str], *options: str, jobs: int) -> list[str]:
    """Command line that scores arms of one gold file."""
    gold = folder / f"{GOLD_OF[arms[0].partition('.')[0]]}.gold.sql"
    start = (
        f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); from sqladder.cli import main; main()"
    )
    command = [sys.executable, "-c", start, "score", "--gold", str(gold), "--db"]
    command += [str(folder / "database"), "--jobs", str(jobs), *options]
    for arm in arms:
        command += ["--pred", f"{arm}={folder / (arm.replace('.', '_') + '.pred.sql')}"]
    return command


def floor(folder: Path, stop: bool) -> None:
    """Execute all pairs of lora_32r with plain sqlite3, a new connection each time.

    Args:
        folder: what `write_inputs` made.
        stop: leave a question at the first file on which the rows differ.
    """
    golds = (folder / "lora_32r.gold.sql").read_text().splitlines()
    predictions = (folder / "lora_32r.pred.sql").read_text().splitlines()
    for line, predicted in zip(golds, predictions, strict=True):
        sql, db = line.split("\t")
        for path in sorted((folder / "database" / db).glob("*.sqlite")):
            rows = [_rows(path, text) for text in (sql, predicted)]
            if stop and rows[0] != rows[1]:
                break


def _rows(path: Path, sql: str) -> list[tuple] | None:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        connection.text_factory = lambda raw: raw.decode(errors="ignore")
        try:
            return connection.execute(sql).fetchall()
        except (sqlite3.Error, sqlite3.Warning):
            return None


def rows_of(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Name and command of each row of the table."""
    one, nine = ["lora_32r"], [f"{arm}{v}" for arm in GOLD_OF for v in ("", ".1", ".2")]
    this = [sys.executable, __file__, "--floor", str(folder)]
    yield "plain sqlite3, every query on every file", [*this, "--every"]
    yield "plain sqlite3, up to the first difference", this
    yield "one arm, strict, 1 job", score(folder, one, jobs=1)
    yield "one arm, strict, 2 jobs", score(folder, one, jobs=2)
    yield "one arm, plug_value, 1 job", score(folder, one, "--plug_value", jobs=1)
    yield "one arm, plug_value, 2 jobs", score(folder, one, "--plug_value", jobs=2)
    yield "nine arms, strict, 2 jobs", score(folder, nine, jobs=2)
    (folder / "one.gold.sql").write_text("select count(*) from singer\tconcert_singer\n")
    (folder / "one.pred.sql").write_text("select count(*) from singer\n")
    start = (
        f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); from sqladder.cli import main; main()"
    )
    command = [sys.executable, "-c", start, "score", "--gold", str(folder / "one.gold.sql")]
    command += ["--pred", str(folder / "one.pred.sql"), "--db", str(folder / "database")]
    yield "one question (cold start)", command


def print_table(rows: Iterator[tuple[str, list[str]]], run: Callable[[list[str]], Cost]) -> None:
    print("| run | CPU s | wall s | MiB |\n|---|--:|--:|--:|")
    for name, command in rows:
        cost = run(command)
        print(f"| {name} | {cost.cpu:.2f} | {cost.wall:.2f} | {cost.memory_mb} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3, help="runs of each row, default 3")
    parser.add_argument("--only", default="", help="measure rows whose name holds this text")
    parser.add_argument("--floor", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--every", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.floor:
        floor(args.floor, stop=not args.every)
        return
    if "SQLADDER_SPIDER" not in os.environ:
        sys.exit(
            "SQLADDER_SPIDER is not set: it names the folder with databases.tar.xz and parity/"
        )
    with tempfile.TemporaryDirectory() as name:
        number = write_inputs(Path(os.environ["SQLADDER_SPIDER"]), Path(name))
        load = " ".join(f"{value:.2f}" for value in os.getloadavg())
        facts = {"questions": number, "load": load, "sqlite": sqlite3.sqlite_version}
        print(json.dumps(facts))
        rows = (row for row in rows_of(Path(name)) if args.only in row[0])
        print_table(rows, lambda command: measure(command, args.repeat))


if __name__ == "__main__":
    main()
