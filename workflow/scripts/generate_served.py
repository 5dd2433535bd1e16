"""Have SQL for every prompt written by a server that answers as OpenAI's API does, and write the predictions.

Example: python generate_served.py --url http://localhost:8000/v1 --model Qwen/Qwen3-1.7B --concurrency 8
    --prompts resources/prompts/ddl/test.jsonl --max-new-tokens 160 --temperature 0 --top-p 1 --seed 42
    --output results/qwen/predictions.jsonl --facts results/qwen/generation.json
"""

import argparse
import os
import time
from importlib.metadata import version
from pathlib import Path

from sqladder.errors import InputError, run_main
from sqladder.files import by_id, read_jsonl
from sqladder.generation.outcome import write_outcome
from sqladder.generation.served import Asker, asked_with, served_facts, served_predictions
from sqladder.generation.served_settings import Server
from sqladder.generation.settings import SamplingSettings
from sqladder.generation.work_file import WorkFile
from sqladder.processes.lifetime import end_with_workflow
from sqladder.prompts.prompt_fields import PROMPT_FIELDS
from sqladder.settings.program_flags import add_flags, from_flags

STARTED = time.monotonic()


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--prompts", required=True, type=Path, help="JSON Lines: id, messages")
    parser.add_argument("--output", required=True, type=Path, help="predictions, JSON Lines")
    parser.add_argument("--facts", required=True, type=Path, help="generation.json: cost")
    parser.add_argument("--concurrency", type=int, default=8, help="requests at a time")
    add_flags(parser, Server, "server")
    add_flags(parser, SamplingSettings, "decoding")
    return parser


def read_key(variable: str | None) -> str:
    """The server's key; empty where it wants none."""
    if variable is None:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise InputError(f"the environment variable {variable}, which holds the key, is not set")
    if not (key.isascii() and key.isprintable()):
        raise InputError(f"the key in ${variable} holds characters that no header can: set it anew")
    return key


def main() -> None:
    args = make_parser().parse_args()
    if args.concurrency < 1:
        raise InputError(f"--concurrency {args.concurrency} asks nothing: give at least 1")
    server, decoding = from_flags(args, Server), from_flags(args, SamplingSettings)
    key = read_key(server.key_variable)
    rows = list(by_id(read_jsonl(args.prompts, PROMPT_FIELDS), args.prompts).values())
    if not rows:
        raise InputError(f"{args.prompts} is empty: there is nothing to ask")
    end_with_workflow()
    # Beside the output, which Snakemake removes if the job fails.
    path = args.output.with_name(args.output.name + ".work")
    with WorkFile(path, asked_with(server, rows, decoding)) as work:
        before = sum(work.seconds.values())
        Asker(server, key, decoding).ask(rows, work, args.concurrency)
        facts = served_facts(server, rows, work)
        facts |= {"concurrency": args.concurrency, "versions": {"openai": version("openai")}}
        if work.found:
            facts["resumed"] = {"answers": work.found, "seconds": round(before, 2)}
        write_outcome(args, decoding, served_predictions(rows, work), facts, STARTED)
    work.remove()


if __name__ == "__main__":
    run_main(main)
