"""Score one variant's predictions in the engine where the data live: a DuckDB file, or a server's database.

Example: python score_natively.py --examples test.jsonl --predictions predictions.jsonl --source shop.duckdb \
    --databases databases --variant lora_32r --verdicts verdicts.jsonl --rows rows.jsonl --metrics metrics.json
"""

import argparse
import os
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from sqladder.databases.engine import DIALECTS, kind_of, open_engine
from sqladder.databases.native_contents import reads_original
from sqladder.errors import LOG, run_main
from sqladder.files import write_json, write_jsonl
from sqladder.metric.limit_flags import add_limit_flags, limits_from_flags
from sqladder.metric.records import engine_versions, metrics_of, rows_row, secondary_of, verdict_row
from sqladder.metric.scoring import Scores, Task, with_exact_match
from sqladder.native.native_scoring import NativeTask, score_files_natively
from sqladder.native.native_suite import suite_in


def run(args: argparse.Namespace) -> tuple[Scores, dict[str, Any]]:
    """Score the file, with a progress bar on a terminal; also the facts of the run."""
    start, limits = time.perf_counter(), limits_from_flags(args)
    suite = suite_in(args.databases, args.source)
    task = NativeTask(args.source, limits, args.jobs, plug_value=True, suite=suite)
    with tqdm(desc="score", unit="query", disable=None) as bar:

        def move(finished: int, total: int) -> None:
            bar.total = total
            bar.update(finished - bar.n)

        arms = {args.variant: args.predictions}
        executed = score_files_natively(args.examples, arms, task, move)[args.variant]
    scores = with_exact_match(executed, Task(args.databases, limits=limits))
    dialect = DIALECTS[kind_of(args.source)]
    with closing(open_engine(args.source, limits)) as engine:
        name, version = engine.name(), engine.version()
    judged: dict[str, Any] = {
        "engine": "native",
        "dialect": dialect,
        "database_system": name,
        "quirks": "repaired",
    }
    if suite:
        beyond = sum(reads_original(row.prediction, args.source) for row in scores.rows)
        judged |= {"suite": True, "judged_on_original_alone": beyond}
    facts = {
        "seconds": round(time.perf_counter() - start, 3),
        "settings": {**judged, **asdict(limits)},
        "versions": {**engine_versions(), name: version},
    }
    return scores, facts


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--examples", required=True, type=Path, help="questions with gold SQL")
    parser.add_argument("--predictions", required=True, type=Path, help="id and sql of each")
    parser.add_argument("--source", required=True, help="DuckDB file or server's URL")
    parser.add_argument("--databases", required=True, type=Path, help="its copy, or its suite")
    parser.add_argument("--variant", required=True, help="name of the variant")
    parser.add_argument("--verdicts", required=True, type=Path, help="verdicts.jsonl to write")
    parser.add_argument("--rows", required=True, type=Path, help="rows.jsonl to write")
    parser.add_argument("--metrics", required=True, type=Path, help="metrics.json to write")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="connections")
    add_limit_flags(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    scores, facts = run(args)
    metrics, secondary = metrics_of(args.variant, scores, facts), secondary_of(scores)
    write_jsonl(args.verdicts, (verdict_row(row, secondary) for row in scores.rows))
    write_jsonl(args.rows, map(rows_row, scores.rows))
    write_json(args.metrics, metrics)
    accuracy, seconds = metrics["accuracy"]["all"], facts["seconds"]
    right, where = f"{accuracy['correct']} of {accuracy['n']}", facts["settings"]["database_system"]
    LOG.info(f"{args.variant}: {right} right in {where}, {seconds} s")


if __name__ == "__main__":
    run_main(main)
