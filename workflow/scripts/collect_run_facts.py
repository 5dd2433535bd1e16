"""Collect what made a run (commit, config, seeds, versions, checksums, times) in facts.json.

Example: python collect_run_facts.py --config '{"seed": 42}' \
    --data resources/datasets/demo/test.jsonl resources/base_model \
    --models results/lora_32r/model results/full/model \
    --benchmarks results/benchmarks/train/full.tsv --output results/facts.json
"""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqladder.errors import LOG, InputError, run_main
from sqladder.files import read_object, write_json
from sqladder.report.provenance import (
    checksum,
    fetched_commits,
    find_seeds,
    folder_size,
    git_state,
    hardware,
    license_of,
    package_versions,
    read_benchmark,
)
from sqladder.report.training_rows import gold_facts, length_facts
from sqladder.statistics.replicates import replicate_of
from sqladder.suites.strength import strength


def training_rows(args: argparse.Namespace) -> dict[str, Any]:
    """What became of the training rows, as far as files say it."""
    gold: Any = "not executed" if args.gold_not_executed else None
    if args.gold_checks:
        gold = gold_facts(args.gold_checks, args.gold_examples)
    weights = parse_config(args.config).get("train_mix", {})
    sets = read_object(args.mix, dict.fromkeys(weights, int)) if args.mix else {}
    mix = {name: {"rows": sets[name], "weight": weights[name]} for name in sorted(sets)}
    return {
        **({"mix": mix} if mix else {}),
        "gold": gold,
        "shared_with_test": read_object(args.decontamination) if args.decontamination else None,
        "lengths": {name: length_facts(Path(path)) for name, path in args.lengths},
    }


def collect(
    config: dict[str, Any],
    data: list[Path],
    models: list[Path],
    benchmarks: list[Path],
    records: list[Path],
) -> dict[str, Any]:
    """All other facts; a model folder belongs to the variant, and the seed, that its parent folder is named after."""
    commit, modified = git_state(Path(__file__).parent)
    return {
        "commit": commit,
        "modified": modified,
        "config": config,
        "seeds": dict(find_seeds(config)),
        "versions": package_versions(),
        "data": {path.as_posix(): checksum(path) for path in data},
        "downloads": fetched_commits(records),
        "disk_bytes": {replicate_of(folder).name: folder_size(folder) for folder in models},
        "hardware": hardware(),
        "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "times": [read_benchmark(path) for path in benchmarks],
    }


def parse_config(text: str) -> dict[str, Any]:
    """Read the config given as JSON text."""
    try:
        config = json.loads(text)
    except ValueError as error:
        raise InputError(f"--config is not valid JSON: {error}") from error
    if not isinstance(config, dict):
        raise InputError(f"--config is not a JSON object but {type(config).__name__}")
    return config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="the merged config as JSON text")
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="files or folders used")
    parser.add_argument(
        "--models", type=Path, nargs="*", default=[], help="<variant>/model folders"
    )
    parser.add_argument(
        "--benchmarks", type=Path, nargs="*", default=[], help="Snakemake benchmarks"
    )
    parser.add_argument(
        "--records", type=Path, nargs="*", default=[], help="config/checksums/<download>.json"
    )
    parser.add_argument(
        "--gold-checks", type=Path, nargs="*", help="of the data sets that are trained on"
    )
    parser.add_argument("--gold-examples", type=Path, nargs="*", help="their rows that stayed")
    parser.add_argument("--mix", type=Path, help="how many rows each of several sets has")
    parser.add_argument(
        "--gold-not-executed", action="store_true", help="it has no databases to execute gold on"
    )
    parser.add_argument("--decontamination", type=Path, help="decontamination.json")
    parser.add_argument(
        "--lengths",
        nargs=2,
        action="append",
        default=[],
        metavar=("REPLICATE", "FILE"),
        help="a trained variant and the lengths of its rows",
    )
    parser.add_argument(
        "--suite", type=Path, nargs="*", default=[], help="the folder of suites that were made"
    )
    parser.add_argument("--base-model", type=Path, help="what the variants' models are made from")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    args = parser.parse_args()
    config = parse_config(args.config)
    facts = collect(config, args.data, args.models, args.benchmarks, args.records)
    suites = [strength(read_object(folder / "suite.json")) for folder in args.suite]
    made = {"suite": suites[0]} if suites else {}
    base = {"base_license": license_of(args.base_model)} if args.base_model else {}
    write_json(args.output, {**facts, **made, **base, "training_rows": training_rows(args)})
    LOG.info(f"{args.output}: {len(facts['data'])} checksums, {len(facts['times'])} jobs")


if __name__ == "__main__":
    run_main(main)
