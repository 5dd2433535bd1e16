"""The subcommand `ask`: have a variant of a finished run answer questions about any database."""

import argparse
import json
import logging
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sqladder.errors import LOG, InputError

if TYPE_CHECKING:
    from sqladder.asking.variant import AskedVariant

HELP = "Ask a variant of a finished run: SQL for a question in words, and the rows that it gives."

# What the workflow's environment has, and the package alone has not.
_NEEDED = ("pydantic", "torch", "transformers", "tqdm")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument("variant", type=Path, help="folder of the variant, such as results/full")
    parser.add_argument(
        "question", nargs="?", help="in words; without one, questions are taken at a prompt"
    )
    add_database_arguments(parser)
    parser.add_argument("--sql-only", action="store_true", help="write the SQL, execute nothing")
    parser.add_argument("--json", action="store_true", help="write one JSON object a question")


def add_database_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is asked about, and how many rows are shown."""
    parser.add_argument(
        "--database",
        required=True,
        metavar="FILE",
        help="SQLite or DuckDB file, or the URL of a PostgreSQL, MySQL or MariaDB database; only read",
    )
    parser.add_argument(
        "--rows", type=int, default=50, metavar="N", help="rows that are shown at most (default 50)"
    )


def run(args: argparse.Namespace) -> int:
    """Answer, and give the exit status: 1 where a single question got no SQL, or SQL without a result.

    Raises:
        InputError: an argument, the run's folder, the database or the question is wrong.
    """
    check_rows(args.rows)
    if args.question is None and not sys.stdin.isatty():
        raise InputError(
            "there is no question, and no terminal to type one at: give it as the last argument, in quotes"
        )
    check_packages("ask")
    # Only here: the metric's command needs none of it.
    from sqladder.asking.conversation import converse
    from sqladder.asking.database import laid_out
    from sqladder.asking.settings import read_asking
    from sqladder.asking.variant import AskedVariant, checked

    if args.question is not None:
        checked(args.question)
    # What a job says of each of its steps is of no use to who waits for an answer.
    LOG.setLevel(logging.WARNING)
    read_asking(args.variant)
    with laid_out(args.database) as database, tempfile.TemporaryDirectory() as work:
        variant = AskedVariant(args.variant.absolute(), database, Path(work))
        if args.question is not None:
            return 0 if _ask(variant, args.question, args) else 1
        converse(lambda question: _ask(variant, question, args))
    return 0


def _ask(variant: "AskedVariant", question: str, args: argparse.Namespace) -> bool:
    """Show the answer to a question; whether it is SQL, and has a result if it was executed."""
    from rich.console import Console

    from sqladder.asking.shown_answers import as_json, show

    answer = variant.ask(question, 0 if args.sql_only else args.rows)
    if args.json:
        row = as_json(variant.name, question, answer)
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
    else:
        show(Console(highlight=False), answer)
    sys.stdout.flush()
    return bool(answer.sql) and not (answer.result and answer.result.problem)


def check_rows(rows: int) -> None:
    """Refuse to show no row.

    Raises:
        InputError: there are fewer than one.
    """
    if rows < 1:
        raise InputError(f"--rows is {rows}; at least one row is shown")


def check_packages(command: str, *more: str) -> None:
    """Refuse to start where the workflow's environment, or more that a command needs, is missing.

    Raises:
        InputError: names the packages that are not installed.
    """
    missing = [name for name in (*_NEEDED, *more) if find_spec(name) is None]
    if missing:
        raise InputError(
            f"`sqladder {command}` asks models, which needs packages that are not installed here "
            f"({', '.join(missing)}): use the workflow's environment, which `make env` makes"
        )
