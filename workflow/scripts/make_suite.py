"""Make test suites for databases from the gold queries of the questions that are asked about them.

Example: python make_suite.py --examples resources/datasets/shop/test.jsonl --files 20 --seed 42 \
    --databases resources/datasets/shop/databases --output resources/datasets/shop/suite
"""

import argparse
import shutil
from pathlib import Path

from sqladder.errors import LOG, run_main
from sqladder.settings.program_flags import add_flags, from_flags
from sqladder.suites.building import build
from sqladder.suites.settings import SuiteSettings


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--examples", required=True, type=Path, help="JSON Lines: db_id, sql")
    parser.add_argument(
        "--databases", required=True, type=Path, help="folder of <db_id>/<db_id>.sqlite"
    )
    parser.add_argument("--seed", required=True, type=int, help="another one gives other contents")
    parser.add_argument("--jobs", default=1, type=int, help="processes")
    parser.add_argument(
        "--source", default="", help="DuckDB file or PostgreSQL URL, where answers are judged there"
    )
    parser.add_argument("--output", required=True, type=Path, help="folder to write")
    add_flags(parser, SuiteSettings)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    settings = from_flags(args, SuiteSettings)
    # Snakemake makes the folder of an output that is one.
    shutil.rmtree(args.output, ignore_errors=True)
    made_of = args.databases, args.examples
    build(*made_of, args.output, settings.files, args.seed, args.jobs, args.source)
    LOG.info(f"suites -> {args.output}")


if __name__ == "__main__":
    run_main(main)
