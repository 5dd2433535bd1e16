"""The subcommand `suite`: make test suites for databases from their gold queries."""

import argparse
import os
from importlib.util import find_spec
from pathlib import Path

from sqladder.errors import InputError

HELP = "Make other contents for databases, so that queries which are right by accident are caught."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument(
        "--db",
        required=True,
        type=Path,
        help="a SQLite file, or a folder of <db_id>/<db_id>.sqlite or <db_id>.sqlite; only read",
    )
    parser.add_argument(
        "--gold", required=True, type=Path, help="query, tab, database; or JSON, JSON Lines, CSV"
    )
    parser.add_argument(
        "--output", required=True, type=Path, help="folder to write; must not exist"
    )
    parser.add_argument(
        "--files", type=int, default=20, help="files of each suite, the original among them"
    )
    parser.add_argument("--seed", type=int, default=42, help="another one gives other contents")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worker processes")


def run(args: argparse.Namespace) -> int:
    """Make the suites, say how strong they are, and give the exit status.

    Raises:
        InputError: an input is missing or malformed, or the output is there already.
    """
    if args.files < 2:
        raise InputError(
            f"--files is {args.files}; a suite is the original and at least one other file"
        )
    if args.jobs < 1:
        raise InputError(f"--jobs is {args.jobs}; at least one worker is needed")
    if args.output.exists():
        raise InputError(f"{args.output} is there already; remove it, or name another --output")
    if find_spec("sqlglot") is None:
        raise InputError("`sqladder suite` reads gold with sqlglot; pip install 'sqladder[suite]'")
    # Only here: the metric's command needs none of it.
    from sqladder.suites.building import build

    build(args.db, args.gold, args.output, args.files, args.seed, args.jobs)
    return 0
