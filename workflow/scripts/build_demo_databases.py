"""Build the demonstration's SQLite databases and their test-suite variations from SQL text.

Example: python build_demo_databases.py --schemas resources/demo/schemas \
    --output resources/datasets/demo/databases --variations 5 --seed 7
"""

import argparse
from pathlib import Path

from sqladder.demo.databases import build
from sqladder.demo.settings import DemoDatabases
from sqladder.errors import LOG, InputError, run_main
from sqladder.settings.program_flags import add_flags, from_flags


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--schemas", required=True, type=Path, help="folder of <db_id>.sql files")
    parser.add_argument("--output", required=True, type=Path, help="folder of database folders")
    parser.add_argument("--seed", required=True, type=int)
    add_flags(parser, DemoDatabases)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    variations = from_flags(args, DemoDatabases).variations
    scripts = sorted(args.schemas.glob("*.sql"))
    if not scripts:
        raise InputError(f"--schemas {args.schemas} holds no .sql file")
    files = []
    for script in scripts:
        files += build(script, args.output / script.stem, variations, args.seed)
    size = sum(path.stat().st_size for path in files)
    LOG.info(
        f"built {len(scripts)} databases, {len(files)} files, {size / 1e6:.1f} MB in {args.output}"
    )


if __name__ == "__main__":
    run_main(main)
