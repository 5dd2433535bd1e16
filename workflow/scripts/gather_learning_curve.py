"""Put the marks of the models of a learning curve, and their numbers of rows, into one file.

Example: python gather_learning_curve.py --variant full
    --model 0.1 42 results/full/learning_curve/0.1/seed_42/train.json --model 1 42 results/full/train.json
    --output results/full/learning_curve.json
"""

import argparse
from pathlib import Path

from sqladder.errors import InputError, run_main
from sqladder.files import write_json
from sqladder.training.curve_models import CurveModel, gather


def curve_model(share: str, seed: str, facts: str) -> CurveModel:
    try:
        return CurveModel(float(share), int(seed), Path(facts))
    except ValueError as error:
        raise InputError(
            f"--model {share} {seed} {facts}: {error}; give a share of the rows, a seed and a train.json"
        ) from error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--variant", required=True, help="whose curve it is")
    parser.add_argument(
        "--model",
        nargs=3,
        action="append",
        default=[],
        required=True,
        metavar=("SHARE", "SEED", "FACTS"),
        help="share of the rows and seed of a model, and its train.json",
    )
    parser.add_argument("--output", required=True, type=Path, help="learning_curve.json")
    args = parser.parse_args()
    models = [curve_model(*words) for words in args.model]
    write_json(args.output, {"variant": args.variant, **gather(models)})


if __name__ == "__main__":
    run_main(main)
