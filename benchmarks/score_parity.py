"""Measure `sqladder score`, floors of plain sqlite3 and the official evaluator on Spider with real predictions.

Needs the folder that SQLADDER_SPIDER names (databases.tar.xz and parity/). Prints a Markdown table:
CPU seconds of all processes, wall seconds, and the largest resident set of one process. Each row
is the best of several runs; the official evaluator runs once.

Example: SQLADDER_SPIDER=/data/spider python benchmarks/score_parity.py --repeat 3 \
    --official test-suite-sql-eval --official-python official/bin/python
"""

import argparse
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
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


class Row(NamedTuple):
    """A row of the table.

    Attributes:
        name: its name.
        commands: what it is the sum of.
        kept: the folder in which they keep gold results, empty before each run; None where they keep none.
        before: a command that keeps results there before each run, and is not measured.
        repeat: number of runs, where it is another than the others'.
    """

    name: str
    commands: list[list[str]]
    kept: Path | None = None
    before: list[str] | None = None
    repeat: int | None = None


def measure(row: Row, repeat: int) -> Cost:
    """Run the commands of a row several times; the cost of the cheapest time."""
    costs = []
    for _ in range(row.repeat or repeat):
        if row.kept:
            shutil.rmtree(row.kept, ignore_errors=True)
        if row.before:
            subprocess.run(row.before, check=True, stdout=subprocess.DEVNULL)
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        for command in row.commands:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        costs.append(Cost(cpu, time.perf_counter() - start, after.ru_maxrss // 1024))
    return min(costs)


def score(folder: Path, arms: list[str], *options: str, jobs: int) -> list[str]:
    """Command line that scores arms of one gold file."""
    gold, _ = _files(folder, arms[0])
    start = (
        f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); from sqladder.cli import main; main()"
    )
    command = [sys.executable, "-c", start, "score", "--gold", str(gold), "--db"]
    command += [str(folder / "database"), "--jobs", str(jobs), *options]
    command += ["--gold-results", str(folder / "kept")]
    for arm in arms:
        command += ["--pred", f"{arm}={_files(folder, arm)[1]}"]
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


def rows_of(folder: Path) -> Iterator[Row]:
    """The rows of the table."""
    one, nine = ["lora_32r"], _nine()
    this, kept = [sys.executable, __file__, "--floor", str(folder)], folder / "kept"
    yield Row("plain sqlite3, every query on every file", [[*this, "--every"]])
    yield Row("plain sqlite3, up to the first difference", [this])
    # Gold as the answers of an arm: nothing is known of answers after it.
    gold = [line.split("\t")[0] for line in (folder / "lora_32r.gold.sql").read_text().splitlines()]
    _write(folder / "gold.pred.sql", gold)
    others = ["gold", *(arm for arm in nine if not arm.startswith("lora_32r"))]
    first = {
        "": None,
        ", gold known": score(folder, ["gold"], jobs=1),
        ", gold and six other arms known": score(folder, others, jobs=1),
        ", scored again": score(folder, nine, jobs=1),
    }
    for end, before in first.items():
        yield Row(f"one arm, strict, 1 job{end}", [score(folder, one, jobs=1)], kept, before)
        yield Row(f"one arm, strict, 2 jobs{end}", [score(folder, one, jobs=2)], kept, before)
        plugged = score(folder, one, "--plug_value", jobs=1)
        yield Row(f"one arm, plug_value, 1 job{end}", [plugged], kept, before)
        command = score(folder, nine, jobs=2)
        yield Row(f"nine arms, strict, 2 jobs{end}", [command], kept, before)
    (folder / "one.gold.sql").write_text("select count(*) from singer\tconcert_singer\n")
    (folder / "one.pred.sql").write_text("select count(*) from singer\n")
    yield Row("one question (cold start)", [score(folder, ["one"], jobs=1)], kept)


def official_rows(folder: Path, evaluator: Path, python: str) -> Iterator[Row]:
    """The official evaluator, strict, once on one arm and once on each of nine."""
    command = [python, str(evaluator / "evaluation.py"), "--etype", "exec", "--db"]
    runs = [
        [*command, str(folder / "database"), "--gold", str(gold), "--pred", str(predicted)]
        for gold, predicted in (_files(folder, arm) for arm in _nine())
    ]
    yield Row("official, one arm, strict", runs[:1], repeat=1)
    yield Row("official, nine runs, strict", runs, repeat=1)


def _nine() -> list[str]:
    return [f"{arm}{variant}" for arm in GOLD_OF for variant in ("", ".1", ".2")]


def _files(folder: Path, arm: str) -> tuple[Path, Path]:
    """Gold and predictions of an arm."""
    gold = GOLD_OF.get(arm.partition(".")[0], "lora_32r" if arm == "gold" else arm)
    return folder / f"{gold}.gold.sql", folder / f"{arm.replace('.', '_')}.pred.sql"


def print_table(rows: Iterator[Row], repeat: int) -> None:
    print("| run | CPU s | wall s | MiB |\n|---|--:|--:|--:|")
    for row in rows:
        cost = measure(row, repeat)
        print(f"| {row.name} | {cost.cpu:.2f} | {cost.wall:.2f} | {cost.memory_mb} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3, help="runs of each row, default 3")
    parser.add_argument("--only", default="", help="measure rows whose name holds this text")
    parser.add_argument("--official", type=Path, help="a clone of taoyds/test-suite-sql-eval")
    parser.add_argument(
        "--official-python",
        default=sys.executable,
        help="a Python with its packages, sqlparse and nltk",
    )
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
        rows = rows_of(Path(name))
        if args.official:
            rows = chain(official_rows(Path(name), args.official, args.official_python), rows)
        print_table((row for row in rows if args.only in row.name), args.repeat)


if __name__ == "__main__":
    main()
