"""Score one variant's predictions on the test suite of every database.

Example: python score.py --examples test.jsonl --predictions predictions.jsonl \
    --databases databases --variant lora_32r --verdicts verdicts.jsonl --rows rows.jsonl --metrics metrics.json
"""

import argparse
import os
import resource
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from sqladder.errors import LOG, run_main
from sqladder.files import write_json, write_jsonl
from sqladder.metric.limit_flags import (
    add_gold_results_flag,
    add_limit_flags,
    add_quirks_flag,
    limits_from_flags,
)
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.records import engine_versions, metrics_of, rows_row, secondary_of, verdict_row
from sqladder.metric.scoring import Scores, Task, score_files, with_exact_match
from sqladder.metric.suite import Options
from sqladder.metric.summary import value_read_as_1


def cpu_seconds() -> float:
    """CPU time of this process and of its finished children."""
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def task_of(args: argparse.Namespace) -> Task:
    """Databases and settings; values are plugged in too, for the secondary metric."""
    limits = limits_from_flags(args)
    options = Options(plug_value=True, repairs=QUIRKS[args.quirks], bird=args.bird)
    kept = args.gold_results
    return Task(args.databases, options, limits, args.jobs, keep_rows=True, gold_results=kept)


def run(args: argparse.Namespace, task: Task) -> tuple[Scores, dict[str, Any]]:
    """Score the file, with a progress bar on a terminal; also the facts of the run."""
    start, cpu = time.perf_counter(), cpu_seconds()
    with tqdm(desc="score", unit="query", disable=None) as bar:
        arms = {args.variant: args.predictions}
        executed = score_files(args.examples, arms, task, _moving(bar))[args.variant]
    scores = with_exact_match(executed, task)
    options = {**asdict(task.options), "repairs": sorted(task.options.repairs)}
    facts = {
        "seconds": round(time.perf_counter() - start, 3),
        "cpu_seconds": round(cpu_seconds() - cpu, 3),
        "settings": {"quirks": args.quirks, **asdict(task.limits), **options},
        "gold_results_known": scores.known_gold,
        "value_read_as_1": value_read_as_1(scores, task.options),
        "versions": engine_versions(),
    }
    return scores, facts


def _moving(bar: tqdm) -> Callable[[int, int], None]:
    def show(finished: int, total: int) -> None:
        bar.total = total
        bar.update(finished - bar.n)

    return show


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", required=True, type=Path, help="questions with gold SQL")
    parser.add_argument("--predictions", required=True, type=Path, help="id and sql of each")
    parser.add_argument("--databases", required=True, type=Path, help="<db_id>/<db_id>.sqlite")
    parser.add_argument("--variant", required=True, help="name of the variant")
    parser.add_argument("--verdicts", required=True, type=Path, help="verdicts.jsonl to write")
    parser.add_argument("--rows", required=True, type=Path, help="rows.jsonl to write")
    parser.add_argument("--metrics", required=True, type=Path, help="metrics.json to write")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worker processes")
    parser.add_argument("--bird", action="store_true", help="also judge by BIRD's own metrics")
    add_gold_results_flag(parser, None)
    add_quirks_flag(parser)
    add_limit_flags(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    scores, facts = run(args, task_of(args))
    metrics = metrics_of(args.variant, scores, facts)
    secondary = secondary_of(scores)
    write_jsonl(args.verdicts, (verdict_row(row, secondary) for row in scores.rows))
    write_jsonl(args.rows, map(rows_row, scores.rows))
    write_json(args.metrics, metrics)
    accuracy = metrics["accuracy"]["all"]
    LOG.info(
        "%s: %d of %d right on %d database files in %.1f s (%.1f CPU s)",
        args.variant,
        accuracy["correct"],
        accuracy["n"],
        scores.database_files,
        facts["seconds"],
        facts["cpu_seconds"],
    )


if __name__ == "__main__":
    run_main(main)
