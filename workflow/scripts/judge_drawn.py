"""Judge answers that were drawn to training questions: each different one is executed beside gold.

Example: python judge_drawn.py --examples train.jsonl --drawn drawn.jsonl --databases databases --output judged.jsonl \
    --facts judged.json
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from tqdm import tqdm

from sqladder.errors import LOG, run_main
from sqladder.files import Fields, by_id, read_jsonl, write_json, write_jsonl
from sqladder.metric.constant_answers import is_constant
from sqladder.metric.inputs import read_gold
from sqladder.metric.limit_flags import (
    add_gold_results_flag,
    add_limit_flags,
    add_quirks_flag,
    limits_from_flags,
)
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.scoring import Task, score
from sqladder.metric.suite import CORRECT, WRONG_RESULT, Options
from sqladder.training.rounds import of_one_file, say_of_one_file

DRAWN_FIELDS: Fields = {"id": str, "samples": list}


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--examples", required=True, type=Path, help="questions with gold SQL")
    parser.add_argument("--drawn", required=True, type=Path, help="JSON Lines: id, samples")
    parser.add_argument("--databases", required=True, type=Path, help="<db_id>/<db_id>.sqlite")
    parser.add_argument("--output", required=True, type=Path, help="writes a verdict of each")
    parser.add_argument("--facts", required=True, type=Path, help="writes what it took")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worker processes")
    add_gold_results_flag(parser, None)
    add_quirks_flag(parser)
    add_limit_flags(parser)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    started = time.monotonic()
    gold = read_gold(args.examples)
    drawn = by_id(read_jsonl(args.drawn, DRAWN_FIELDS), args.drawn)
    # A row that was too long for the training was not asked.
    gold = replace(gold, items=[item for item in gold.items if item.id in drawn])
    times = [Counter(own["sql"] for own in drawn[item.id]["samples"]) for item in gold.items]
    arms = {str(n): sqls for n, sqls in enumerate(zip_longest(*times, fillvalue=""))}
    options, limits = Options(repairs=QUIRKS[args.quirks]), limits_from_flags(args)
    task = Task(args.databases, options, limits, args.jobs, gold_results=args.gold_results)
    with tqdm(desc="judge", unit="query", disable=None) as bar:
        scores = score(gold, arms, task, lambda finished, _: bar.update(finished - bar.n))
    rows = []
    for place, (item, own) in enumerate(zip(gold.items, times, strict=True)):
        found = [scores[str(n)].rows[place] for n in range(len(own))]
        samples = [
            {
                "sql": row.prediction,
                "verdict": _verdict(row.prediction, row.executed.verdict, item.golds),
                "times": own[row.prediction],
            }
            for row in found
        ]
        about = {"id": item.id, "db_id": item.db_id, "hardness": found[0].hardness}
        rows.append({**about, "samples": samples})
    write_jsonl(args.output, rows)
    seconds, different = round(time.monotonic() - started, 2), sum(map(len, times))
    names = {item.db_id for item in gold.items}
    on = {"databases": len(names), "databases_of_one_file": of_one_file(args.databases, names)}
    facts = {"seconds": seconds, "questions": len(rows), "different": different, **on}
    write_json(args.facts, facts)
    LOG.info(f"judged {different} different answers to {len(rows)} questions in {seconds} s")
    say_of_one_file(on)


def _verdict(sql: str, verdict: str, golds: Sequence[str]) -> str:
    """What is learned of an answer: a constant with gold's rows is none to learn from."""
    return WRONG_RESULT if verdict == CORRECT and is_constant(sql, golds) else verdict


if __name__ == "__main__":
    run_main(main)
