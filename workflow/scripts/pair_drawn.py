"""Pair right and wrong answers that were drawn to the same question: what a preference is learned from.

Example: python pair_drawn.py --prompts train.1024.drop.jsonl --judged judged.jsonl --drawn-facts drawn.json \
    --judged-facts judged.json --pairs 4 --wrong rows error time --output pairs.jsonl --facts kept.json
"""

import argparse
from pathlib import Path

from sqladder.errors import LOG, InputError, run_main
from sqladder.files import by_id, read_jsonl, read_object, write_json, write_jsonl
from sqladder.prompts.prompt_fields import PROMPT_FIELDS
from sqladder.training.kept_answers import JUDGED_FIELDS
from sqladder.training.paired_answers import WRONG_BY, pair_counts, paired_rows
from sqladder.training.rounds import round_facts


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--prompts", required=True, type=Path, help="training rows with gold")
    parser.add_argument("--judged", required=True, type=Path, help="answers with verdicts")
    parser.add_argument("--drawn-facts", required=True, type=Path, help="what the drawing took")
    parser.add_argument("--judged-facts", required=True, type=Path, help="what the judging took")
    parser.add_argument("--pairs", required=True, type=int, help="pairs of a question, at most")
    parser.add_argument("--wrong", required=True, nargs="+", choices=WRONG_BY, help="wrong by what")
    parser.add_argument("--output", required=True, type=Path, help="writes the pairs")
    parser.add_argument("--facts", required=True, type=Path, help="writes what was paired, JSON")
    return parser


def main() -> None:
    args = make_parser().parse_args()
    judged = by_id(read_jsonl(args.judged, JUDGED_FIELDS), args.judged)
    rows = read_jsonl(args.prompts, PROMPT_FIELDS)
    pairs = list(paired_rows(rows, judged, args.wrong, args.pairs))
    counts = pair_counts(judged, pairs)
    if not pairs:
        raise InputError(
            f"no question has a right and a wrong answer (by {', '.join(args.wrong)}): of {len(judged)}, "
            f"{counts['all']['never']} never got a right one and {counts['all']['always']} right ones only. Draw more "
            "samples, at another temperature, or take wrong answers of each kind"
        )
    write_jsonl(args.output, pairs)
    took = read_object(args.drawn_facts), read_object(args.judged_facts)
    write_json(args.facts, round_facts("dpo", counts, *took, None))
    LOG.info(f"{len(pairs)} pairs of a right and a wrong answer")


if __name__ == "__main__":
    run_main(main)
