"""Put several training sets together: their rows under ids that name the set, their databases in one folder.

Example: python mix_training_sets.py --set demo demo/train.jsonl demo/databases --set shop shop/examples.jsonl \
             shop/databases --output examples.jsonl --databases databases --facts train_mix.json
"""

import argparse
from collections import Counter
from pathlib import Path

from sqladder.data.mixing import MixedSet, link_databases, mixed_rows, set_of
from sqladder.errors import LOG, run_main
from sqladder.files import write_json, write_jsonl


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument(
        "--set",
        nargs=3,
        action="append",
        required=True,
        metavar=("NAME", "EXAMPLES", "DATABASES"),
        help="a training set: its name, rows and databases",
    )
    parser.add_argument("--output", required=True, type=Path, help="the rows of all sets")
    parser.add_argument("--databases", required=True, type=Path, help="folder of all databases")
    parser.add_argument("--facts", required=True, type=Path, help="how many rows each set has")
    return parser


def main() -> None:
    args = make_parser().parse_args()
    sets = [MixedSet(name, Path(rows), Path(databases)) for name, rows, databases in args.set]
    rows = list(mixed_rows(sets))
    link_databases(sets, args.databases)
    write_jsonl(args.output, rows)
    count = Counter(set_of(row["id"]) for row in rows)
    write_json(args.facts, dict(count))
    LOG.info(
        "%d training rows: %s", len(rows), ", ".join(f"{n} of {name}" for name, n in count.items())
    )


if __name__ == "__main__":
    run_main(main)
