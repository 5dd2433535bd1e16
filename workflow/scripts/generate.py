"""Generate SQL for every prompt with a model folder and write the predictions.

Example: python generate.py --engine transformers --model results/full/model
    --prompts resources/prompts/ddl/test.jsonl --max-new-tokens 160 --batch-size 32
    --temperature 0 --top-p 1 --repetition-penalty 1 --seed 42
    --output results/full/predictions.jsonl --facts results/full/generation.json
"""

import argparse
import time
from pathlib import Path

from sqladder.errors import run_main
from sqladder.generation.job import generate, generation_parser
from sqladder.generation.settings import DecodingSettings
from sqladder.statistics.replicates import replicate_of

STARTED = time.monotonic()


def make_parser() -> argparse.ArgumentParser:
    parser = generation_parser(__doc__.splitlines()[0], DecodingSettings)
    parser.add_argument("--examples", type=Path, help="the questions, for a schema: id, db_id")
    parser.add_argument("--databases", type=Path, help="<db_id>/<db_id>.sqlite, for a schema")
    return parser


def main() -> None:
    args = make_parser().parse_args()
    generate(args, DecodingSettings, STARTED, replicate_of(args.model).name)


if __name__ == "__main__":
    run_main(main)
