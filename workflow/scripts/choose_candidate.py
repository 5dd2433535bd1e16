"""Take the best of a sweep's candidates, by their marks on validation questions, as the variant's model.

Example: python choose_candidate.py --candidate results/full/candidates/0a1b2c3d '{"learning_rate": 0.001}'
    --candidate results/full/candidates/4e5f6a7b '{"learning_rate": 0.0003}'
    --output results/full/model --facts results/full/train.json
"""

import argparse
import json
from pathlib import Path

from sqladder.errors import InputError, run_main
from sqladder.files import write_json
from sqladder.training.candidate_choice import take_best
from sqladder.training.tried_candidates import read_candidate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument(
        "--candidate",
        nargs=2,
        action="append",
        default=[],
        required=True,
        metavar=("FOLDER", "SETTINGS"),
        help="folder with model and train.json of a candidate, and the settings that it tries, as JSON",
    )
    parser.add_argument("--output", required=True, type=Path, help="folder of the variant's model")
    parser.add_argument("--facts", required=True, type=Path, help="train.json of the variant")
    args = parser.parse_args()
    tried = []
    for folder, settings in args.candidate:
        try:
            swept = json.loads(settings)
        except json.JSONDecodeError as error:
            raise InputError(
                f"--candidate {folder}: {settings!r} is no JSON: {error}; write the settings as "
                '{"learning_rate": 0.001}'
            ) from error
        tried.append(read_candidate(Path(folder), swept))
    write_json(args.facts, take_best(tried, args.output))


if __name__ == "__main__":
    run_main(main)
