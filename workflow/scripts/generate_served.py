"""Have SQL for every prompt written by a server that answers as OpenAI's API does, and write the predictions.

Example: python generate_served.py --url http://localhost:8000/v1 --model Qwen/Qwen3-1.7B --concurrency 8
    --prompts resources/prompts/ddl/test.jsonl --max-new-tokens 160 --temperature 0 --top-p 1 --seed 42
    --output results/qwen/predictions.jsonl --facts results/qwen/generation.json
"""

import argparse
import time

from sqladder.errors import run_main
from sqladder.generation.served_job import serve, served_parser
from sqladder.generation.settings import SamplingSettings

STARTED = time.monotonic()


def make_parser() -> argparse.ArgumentParser:
    return served_parser(__doc__.splitlines()[0], SamplingSettings)


def main() -> None:
    serve(make_parser().parse_args(), SamplingSettings, STARTED)


if __name__ == "__main__":
    run_main(main)
