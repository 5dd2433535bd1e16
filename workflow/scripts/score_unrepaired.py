"""Judge what a variant would have answered if nothing that failed had been asked again.

Example: python score_unrepaired.py --examples test.jsonl --predictions predictions.jsonl \
    --databases databases --output unrepaired_verdicts.jsonl
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

REPAIRED_FIELDS: Fields = {"id": str, "unrepaired": str}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--examples", required=True, type=Path, help="questions with gold SQL")
    parser.add_argument("--predictions", required=True, type=Path, help="id and unrepaired of each")
    parser.add_argument("--databases", required=True, type=Path, help="<db_id>/<db_id>.sqlite")
    parser.add_argument("--output", required=True, type=Path, help="JSON Lines: id, correct")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worker processes")
    add_quirks_flag(parser)
    add_limit_flags(parser)
    args = parser.parse_args()
    gold = read_gold(args.examples)
    paired = join_by_id(
        [{"id": item.id} for item in gold.items],
        read_jsonl(args.predictions, REPAIRED_FIELDS),
        args.examples,
        args.predictions,
    )
    task = Task(
        args.databases,
        Options(repairs=QUIRKS[args.quirks]),
        limits_from_flags(args),
        args.jobs,
    )
    with tqdm(desc="score unrepaired", unit="query", disable=None) as bar:
        scores = score(
            gold,
            {"unrepaired": [row["unrepaired"] for _, row in paired]},
            task,
            lambda finished, _: bar.update(finished - bar.n),
        )
    rows = scores["unrepaired"].rows
    write_jsonl(args.output, [{"id": row.item.id, "correct": row.correct} for row in rows])
    LOG.info("%d of %d first answers are right", sum(row.correct for row in rows), len(rows))


if __name__ == "__main__":
    run_main(main)
