"""Have SQL written by a server, held to a grammar of each question's database, or asked again where it fails there.

Example: python generate_served_on_databases.py --url http://localhost:8000/v1 --model Qwen/Qwen3-1.7B
    --prompts resources/prompts/ddl/test.jsonl --max-new-tokens 160 --temperature 0 --top-p 1 --seed 42
    --structured-outputs --grammar schema --repair-rounds 1
    --repair-template '{sql} fails: {error}. Write it again.'
    --examples resources/datasets/demo/test.jsonl --databases resources/datasets/demo/databases
    --output results/qwen/predictions.jsonl --facts results/qwen/generation.json
"""

import argparse
import time
from pathlib import Path

from sqladder.errors import InputError, run_main
from sqladder.files import Row
from sqladder.generation.grammars import QuestionFiles, digest, grammars_of
from sqladder.generation.repair_inputs import RepairFiles, read_repairs
from sqladder.generation.served_job import Needs, serve, served_parser
from sqladder.generation.served_repair import ServedRepairs
from sqladder.generation.served_settings import Server
from sqladder.generation.settings import ServedDecoding
from sqladder.metric.limit_flags import add_limit_flags, add_quirks_flag, limits_from_flags
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.suite import Options
from sqladder.settings.program_flags import from_flags

STARTED = time.monotonic()


def make_parser() -> argparse.ArgumentParser:
    parser = served_parser(__doc__.splitlines()[0], ServedDecoding)
    parser.add_argument("--repair-template", help="the turn that asks again: {error}, {sql}")
    parser.add_argument("--examples", type=Path, help="the questions: id, db_id")
    parser.add_argument("--databases", type=Path, help="<db_id>/<db_id>.sqlite")
    add_quirks_flag(parser)
    add_limit_flags(parser)
    return parser


def needs(args: argparse.Namespace, rows: list[Row]) -> Needs:
    """The grammars of the questions' databases, and what asks again on them."""
    decoding = from_flags(args, ServedDecoding)
    if decoding.grammar != "none" and not from_flags(args, Server).structured_outputs:
        raise InputError(
            f"--grammar {decoding.grammar} needs a server that takes it: give --structured-outputs"
        )
    files = QuestionFiles(args.prompts, args.examples, args.databases)
    grammars = grammars_of(decoding.grammar, rows, files)
    if not decoding.repair.rounds:
        return Needs(grammars, settings={"grammars": digest(grammars)})
    if not (args.examples and args.databases and args.repair_template):
        raise InputError(
            "to ask again what fails needs its database: give --examples (id, db_id), --databases and --repair-template"
        )
    repairs = read_repairs(
        RepairFiles(args.prompts, args.examples, args.databases),
        rows,
        args.repair_template,
        Options(repairs=QUIRKS[args.quirks]),
        limits_from_flags(args),
    )
    settings = {"grammars": digest(grammars), "repair": repairs.settings()}
    return Needs(grammars, ServedRepairs(repairs, decoding), settings)


def main() -> None:
    args = make_parser().parse_args()
    serve(args, ServedDecoding, STARTED, lambda rows: needs(args, rows))


if __name__ == "__main__":
    run_main(main)
