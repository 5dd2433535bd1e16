"""Execute gold and wrong answers once more and keep the first rows, marked by how they differ, for the page.

Example: python execute_answers.py --questions resources/datasets/demo/test.jsonl \
    --databases resources/datasets/demo/databases \
    --verdicts results/baseline/verdicts.jsonl results/full/verdicts.jsonl \
    --predictions results/baseline/predictions.jsonl results/full/predictions.jsonl \
    --output results/rows.jsonl
"""

import argparse
from pathlib import Path

from sqladder.errors import InputError, run_main
from sqladder.files import Row, by_id, read_jsonl, write_jsonl
from sqladder.metric.sandbox import Limits
from sqladder.report.answer_rows import shown_results
from sqladder.statistics.replicates import replicate_of


def by_name(paths: list[Path]) -> dict[str, dict[str, Row]]:
    """Rows by id, by the variant, and the seed, that their folder is named after."""
    return {replicate_of(path).name: by_id(read_jsonl(path), path) for path in paths}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=Path, required=True, help="questions with gold SQL")
    parser.add_argument("--databases", type=Path, required=True, help="<db_id>/<db_id>.sqlite")
    for name in ("verdicts", "predictions"):
        text = f"{name}.jsonl of each variant and seed"
        parser.add_argument(f"--{name}", type=Path, nargs="+", required=True, help=text)
    parser.add_argument("--max-vm-steps", type=int, default=Limits.max_vm_steps)
    parser.add_argument("--timeout", type=float, default=Limits.timeout, help="seconds")
    parser.add_argument("--memory-mb", type=int, default=Limits.memory_mb)
    parser.add_argument("--output", type=Path, required=True, help="JSON Lines to write")
    args = parser.parse_args()
    limits = Limits(max_vm_steps=args.max_vm_steps, timeout=args.timeout, memory_mb=args.memory_mb)
    verdicts, predictions = by_name(args.verdicts), by_name(args.predictions)
    for name in verdicts:
        if name not in predictions:
            raise InputError(f"no predictions.jsonl was given for variant {name!r}")
    rows = shown_results(read_jsonl(args.questions), verdicts, predictions, args.databases, limits)
    print(f"{args.output}: {write_jsonl(args.output, rows):,} results")


if __name__ == "__main__":
    run_main(main)
