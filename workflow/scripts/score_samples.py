"""Judge every sample of a variant's answers on the test suite of its database: which of them are right.

Example: python score_samples.py --examples test.jsonl --predictions predictions.jsonl \
    --databases databases --output sample_verdicts.jsonl
"""

import argparse
import os
from pathlib import Path

from tqdm import tqdm

from sqladder.errors import LOG, run_main
from sqladder.files import Fields, join_by_id, read_jsonl, write_jsonl
from sqladder.metric.inputs import read_gold
from sqladder.metric.limit_flags import add_limit_flags, add_quirks_flag, limits_from_flags
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.scoring import Task, score
from sqladder.metric.suite import Options

SAMPLES_FIELDS: Fields = {"id": str, "samples": list}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--examples", required=True, type=Path, help="questions with gold SQL")
    parser.add_argument("--predictions", required=True, type=Path, help="id and samples of each")
    parser.add_argument("--databases", required=True, type=Path, help="<db_id>/<db_id>.sqlite")
    parser.add_argument("--output", required=True, type=Path, help="JSON Lines: id, correct")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worker processes")
    add_quirks_flag(parser)
    add_limit_flags(parser)
    args = parser.parse_args()
    gold = read_gold(args.examples)
    paired = join_by_id(
        [{"id": item.id} for item in gold.items],
        read_jsonl(args.predictions, SAMPLES_FIELDS),
        args.examples,
        args.predictions,
    )
    drawn = [[sample["sql"] for sample in row["samples"]] for _, row in paired]
    arms = {str(place): list(sqls) for place, sqls in enumerate(zip(*drawn, strict=True))}
    task = Task(
        args.databases,
        Options(repairs=QUIRKS[args.quirks]),
        limits_from_flags(args),
        args.jobs,
    )
    with tqdm(desc="score samples", unit="query", disable=None) as bar:
        # Equal samples are judged once, so how many there are is known in there only.
        scores = score(gold, arms, task, lambda finished, _: bar.update(finished - bar.n))
    correct = zip(*([row.correct for row in found.rows] for found in scores.values()), strict=True)
    rows = [
        {"id": item.id, "correct": list(own)} for item, own in zip(gold.items, correct, strict=True)
    ]
    write_jsonl(args.output, rows)
    some = sum(any(row["correct"]) for row in rows)
    LOG.info("%d of %d questions have a right one among %d samples", some, len(rows), len(arms))


if __name__ == "__main__":
    run_main(main)
