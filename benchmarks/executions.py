"""How many distinct queries the metric's open pool executes and compares a second, on Spider's original databases.

Example: SQLADDER_SPIDER=/data/spider python benchmarks/executions.py
"""

import argparse
import os
import resource
import sqlite3
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from sqladder.files import read_jsonl
from sqladder.metric.limits import Limits
from sqladder.metric.pool import Question, WorkerPool
from sqladder.metric.suite import Options

# Steps of SQLite's machine that a query may take in both ways: three of these answers would run for a minute.
MOST_STEPS = 1_000_000

Queries = dict[str, tuple[str, list[str]]]


def read_queries(spider: Path, databases: Path) -> Queries:
    """Each question's id -> its database file and its distinct queries: gold, and those of three prediction files."""
    asked = read_jsonl(spider / "dev.jsonl")
    files = [
        path.read_text().splitlines() for path in sorted((spider / "parity").glob("*.pred.sql"))
    ]
    answers = [[line.split("\t")[0] for line in lines if line.strip()] for lines in files]
    found: Queries = {}
    for place, row in enumerate(asked):
        path = databases / row["db_id"] / f"{row['db_id']}.sqlite"
        if path.is_file():
            own = dict.fromkeys([row["sql"], *(lines[place] for lines in answers)])
            found[row["id"]] = str(path), list(own)
    return found


def by_pool(queries: Queries, pool: WorkerPool) -> None:
    """Judge each question's queries against its first."""
    pool.judge(
        Question([path], texts[0], [(text, False) for text in texts], [None] * len(texts))
        for path, texts in queries.values()
    )


def by_sqlite(queries: Queries, times: int) -> None:
    """Execute the same by Python's sqlite3 alone, none for longer than a limit of steps: no sandbox, no comparison."""
    opened: dict[str, sqlite3.Connection] = {}
    for path, texts in [*queries.values()] * times:
        if path not in opened:
            opened[path] = sqlite3.connect(path)
            opened[path].text_factory = bytes
            # Any answer but 0 ends the query.
            opened[path].set_progress_handler(lambda: 1, MOST_STEPS)
        for text in texts:
            try:
                opened[path].execute(text).fetchall()
            except sqlite3.Error:
                continue


def cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--times", type=int, default=5)
    args = parser.parse_args()
    spider = Path(os.environ["SQLADDER_SPIDER"])
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(spider / "databases.tar.xz") as archive:
            archive.extractall(folder, filter="data")
        queries = read_queries(spider, Path(folder) / "database")
        distinct = args.times * sum(len(texts) for _, texts in queries.values())
        print(f"{distinct // args.times} distinct queries of {len(queries)} questions\n")
        print("| way | a second | a CPU second |\n|---|--:|--:|")

        def row(way: str, work: Callable[[], None]) -> None:
            before, started = cpu(), time.perf_counter()
            work()
            rates = distinct / (time.perf_counter() - started), distinct / (cpu() - before)
            print(f"| {way} | " + " | ".join(f"{rate:,.0f}" for rate in rates) + " |", flush=True)

        def judge(jobs: int) -> None:
            with WorkerPool(Options(), Limits(max_vm_steps=MOST_STEPS), jobs) as pool:
                for _ in range(args.times):
                    by_pool(queries, pool)

        for jobs in args.jobs:
            row(f"open pool, {jobs} process{'es' * (jobs > 1)}", partial(judge, jobs))
        row("Python's sqlite3 alone", partial(by_sqlite, queries, args.times))


if __name__ == "__main__":
    main()
