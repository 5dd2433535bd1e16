"""Generate SQL for every prompt, and ask again what fails on the question's own database.

Example: python generate_repaired.py --engine transformers --model results/full/model
    --prompts resources/prompts/ddl/test.jsonl --max-new-tokens 160 --batch-size 32
    --temperature 0 --top-p 1 --repetition-penalty 1 --seed 42
    --repair-rounds 1 --repair-template '{sql} fails: {error}. Write it again.'
    --examples resources/datasets/demo/test.jsonl --databases resources/datasets/demo/databases
    --output results/full/predictions.jsonl --facts results/full/generation.json
"""

import argparse
import time
from pathlib import Path

from sqladder.errors import run_main
from sqladder.files import Row
from sqladder.generation.job import generate, generation_parser
from sqladder.generation.repair import ModelRepairs
from sqladder.generation.repair_inputs import RepairFiles, read_repairs
from sqladder.generation.settings import RepairedDecoding
from sqladder.metric.limit_flags import add_limit_flags, add_quirks_flag, limits_from_flags
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.suite import Options
from sqladder.statistics.replicates import replicate_of

STARTED = time.monotonic()


def make_parser() -> argparse.ArgumentParser:
    parser = generation_parser(__doc__.splitlines()[0], RepairedDecoding)
    parser.add_argument(
        "--repair-template", required=True, help="the turn that asks again: {error}, {sql}"
    )
    parser.add_argument("--examples", required=True, type=Path, help="the questions: id, db_id")
    parser.add_argument("--databases", required=True, type=Path, help="<db_id>/<db_id>.sqlite")
    add_quirks_flag(parser)
    add_limit_flags(parser)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    files = RepairFiles(args.prompts, args.examples, args.databases)
    options = Options(repairs=QUIRKS[args.quirks])

    def repairs(rows: list[Row]) -> ModelRepairs:
        limits = limits_from_flags(args)
        return ModelRepairs(read_repairs(files, rows, args.repair_template, options, limits))

    generate(args, RepairedDecoding, STARTED, replicate_of(args.model).name, repairs)


if __name__ == "__main__":
    run_main(main)
