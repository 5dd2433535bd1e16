"""The command `sqladder`; each subcommand is a module with HELP, add_arguments and run.

Example: sqladder score --gold gold.sql --pred predicted.sql --db databases/
         sqladder init --database shop.sqlite --questions shop.csv
         sqladder run --cores 4
         sqladder suite --db shop.sqlite --gold gold.sql --output suite/
         sqladder compare before/ after/
         sqladder power --pilot results/ --difference 3
         sqladder doctor
         sqladder ask results/full --database shop.sqlite "How many orders in May?"
         sqladder serve results/full results/lora_32r --database shop.sqlite
         sqladder export results/full --to gguf --quantize q8_0
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from sqladder import __version__
from sqladder.errors import run_main

COMMANDS = {
    "init": "sqladder.starting.init_command",
    "run": "sqladder.starting.run_command",
    "score": "sqladder.metric.command",
    "suite": "sqladder.suites.suite_command",
    "compare": "sqladder.report.compare_runs",
    "power": "sqladder.report.power_command",
    "ask": "sqladder.asking.ask_command",
    "serve": "sqladder.asking.serve_command",
    "export": "sqladder.report.export_command",
    "doctor": "sqladder.doctor.doctor_command",
}


class _Intermixed(argparse.ArgumentParser):
    """Takes positional arguments wherever they stand: `ask VARIANT --database FILE QUESTION`."""

    _is_inside = False

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse arguments as `argparse.ArgumentParser.parse_known_args` does."""
        # The intermixed way calls this one for each of its two passes.
        if self._is_inside:
            return super().parse_known_args(args, namespace)
        self._is_inside = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_inside = False


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse a command line; `command` of the result is the module of the subcommand."""
    parser = argparse.ArgumentParser(prog="sqladder", description="Compare text-to-SQL models.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    every = f"{{{','.join(COMMANDS)}}}"
    subparsers = parser.add_subparsers(required=True, parser_class=_Intermixed, metavar=every)
    words = sys.argv[1:] if arguments is None else arguments
    # The others' modules take as long to import as many a command takes.
    for name in words[:1] if words[:1] and words[0] in COMMANDS else COMMANDS:
        module = import_module(COMMANDS[name])
        subparser = subparsers.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_arguments(subparser)
        subparser.set_defaults(command=module)
    if words[:1] == ["run"] and not {"-h", "--help"} & set(words[1:2]):
        # Options of another program, which a parser would take for its own.
        return argparse.Namespace(command=module, words=words[1:])
    return parser.parse_args(words)


def main() -> None:
    """Run a subcommand and exit with its status."""
    run_main(_run)


def _run() -> None:
    args = parse_arguments()
    sys.exit(args.command.run(args))


if __name__ == "__main__":
    main()
