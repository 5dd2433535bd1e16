"""Write what a variant was asked with, so that `sqladder ask` can ask it again.

Example: python write_asking.py --asking '{"asks": "model", "variant": "full", ...}' --output results/full/asking.json
"""

import argparse
from pathlib import Path

from sqladder.asking.settings import AnyAsking
from sqladder.errors import run_main
from sqladder.files import parse_json, write_json
from sqladder.settings.problems import settings_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--asking", required=True, help="settings, JSON (asking/settings.py)")
    parser.add_argument("--output", required=True, type=Path, help="asking.json")
    args = parser.parse_args()
    settings = settings_of(AnyAsking, parse_json(args.asking, "--asking"))
    write_json(args.output, settings.given())


if __name__ == "__main__":
    run_main(main)
