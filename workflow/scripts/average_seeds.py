"""Average the metrics of one variant's seeds: mean, standard deviation, lowest and highest of every rate.

Example: python average_seeds.py --variant full \
    --metrics results/full/seed_42/metrics.json results/full/seed_43/metrics.json \
    --output results/full/metrics.json
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from sqladder.errors import LOG, InputError, run_main
from sqladder.files import read_object, write_json
from sqladder.statistics.replicates import METRICS_FIELDS, replicate_of

Metrics = dict[str, Any]


def average(variant: str, seeds: Sequence[int], metrics: Sequence[Metrics]) -> Metrics:
    """Content of a variant's metrics.json: rates as means over its seeds, in the form of each seed's own.

    Raises:
        InputError: the seeds answered different numbers of questions.
    """
    sizes = {seed: own["n"] for seed, own in zip(seeds, metrics, strict=True)}
    if len(set(sizes.values())) > 1:
        raise InputError(
            f"variant {variant!r}: its seeds answered different numbers of questions, {sizes}; "
            "score all of them on the same ones"
        )
    first = metrics[0]
    return {
        "variant": variant,
        "metric": first["metric"],
        "seeds": list(seeds),
        "n": first["n"],
        "accuracy": _spreads([own["accuracy"] for own in metrics]),
        "secondary": {
            name: _spreads([own["secondary"][name] for own in metrics])
            for name in first["secondary"]
        },
    }


def _spreads(tables: Sequence[Metrics]) -> Metrics:
    """For each level the number of questions, and the rate's mean and spread over the seeds."""
    return {
        level: {"n": total["n"], **_spread([table[level]["rate"] for table in tables])}
        for level, total in tables[0].items()
    }


def _spread(rates_by_seed: Sequence[float | None]) -> Metrics:
    rates = [rate for rate in rates_by_seed if rate is not None]
    if len(rates) < len(rates_by_seed):  # a level without questions
        return dict.fromkeys(("rate", "sd", "lowest", "highest"))
    return {
        "rate": mean(rates),
        "sd": stdev(rates),
        "lowest": min(rates),
        "highest": max(rates),
    }


def _seed_of(path: Path) -> int:
    seed = replicate_of(path).seed
    if seed is None:
        raise InputError(
            f"{path} lies in no folder seed_<number>: name metrics.json of single seeds"
        )
    return seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variant", required=True, help="name of the variant")
    parser.add_argument(
        "--metrics", type=Path, nargs="+", required=True, help="metrics.json of two or more seeds"
    )
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    args = parser.parse_args()
    if len(args.metrics) < 2:
        raise InputError(f"variant {args.variant!r}: name metrics.json of two or more seeds")
    seeds = [_seed_of(path) for path in args.metrics]
    averaged = average(
        args.variant, seeds, [read_object(path, METRICS_FIELDS) for path in args.metrics]
    )
    write_json(args.output, averaged)
    total = averaged["accuracy"]["all"]
    LOG.info(f"{args.variant}: {total['rate']:.3f}, SD {total['sd']:.3f} over {len(seeds)} seeds")


if __name__ == "__main__":
    run_main(main)
