"""The command `sqladder`; each subcommand is a module with HELP, add_arguments and run.

Example: sqladder score --gold gold.sql --pred predicted.sql --db databases/
         sqladder suite --db shop.sqlite --gold gold.sql --output suite/
         sqladder compare before/ after/
         sqladder power --pilot results/ --difference 3
"""

import argparse
import sys

from sqladder import __version__
from sqladder.errors import run_main
from sqladder.metric import command as score
from sqladder.report import compare_runs as compare
from sqladder.report import power_command as power
from sqladder.suites import suite_command as suite

COMMANDS = {"score": score, "suite": suite, "compare": compare, "power": power}


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse a command line; `command` of the result is the module of the subcommand."""
    parser = argparse.ArgumentParser(prog="sqladder", description="Compare text-to-SQL models.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = parser.add_subparsers(required=True)
    for name, module in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_arguments(subparser)
        subparser.set_defaults(command=module)
    return parser.parse_args(arguments)


def main() -> None:
    """Run a subcommand and exit with its status."""
    run_main(_run)


def _run() -> None:
    args = parse_arguments()
    sys.exit(args.command.run(args))


if __name__ == "__main__":
    main()
