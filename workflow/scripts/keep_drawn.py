"""Put right answers that were drawn beside gold: the rows that a model is trained on next.

Example: python keep_drawn.py --prompts train.1024.drop.jsonl --judged rounds/1/judged.jsonl --drawn-facts drawn.json \
    --judged-facts judged.json --keep 4 --output rows.jsonl --facts kept.json
"""

import argparse
from pathlib import Path

from sqladder.errors import LOG, InputError, run_main
from sqladder.files import by_id, read_jsonl, read_object, write_json, write_jsonl
from sqladder.prompts.prompt_fields import PROMPT_FIELDS
from sqladder.training.kept_answers import JUDGED_FIELDS, kept_counts, learned_rows
from sqladder.training.rounds import round_facts


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--prompts", required=True, type=Path, help="training rows with gold")
    parser.add_argument(
        "--judged", required=True, type=Path, nargs="+", help="of each round, the newest last"
    )
    parser.add_argument("--drawn-facts", required=True, type=Path, help="what the drawing took")
    parser.add_argument("--judged-facts", required=True, type=Path, help="what the judging took")
    parser.add_argument("--before", type=Path, help="train.json of the round before")
    parser.add_argument("--keep", required=True, type=int, help="answers of a question, at most")
    parser.add_argument("--output", required=True, type=Path, help="writes the training rows")
    parser.add_argument("--facts", required=True, type=Path, help="writes what was kept, JSON")
    return parser


def main() -> None:
    args = make_parser().parse_args()
    judged = [by_id(read_jsonl(path, JUDGED_FIELDS), path) for path in reversed(args.judged)]
    rows, kept = learned_rows(read_jsonl(args.prompts, PROMPT_FIELDS), judged, args.keep)
    counts = kept_counts(judged[0], kept)
    if not counts["all"]["kept"]:
        raise InputError(
            f"no answer can be learned: of {len(judged[0])} training questions {counts['all']['never']} never got a "
            "right one, and the others got gold's own text alone. Start from a better model, or draw more samples at a "
            "higher temperature"
        )
    write_jsonl(args.output, rows)
    before = read_object(args.before) if args.before else None
    facts = round_facts(
        "rejection", counts, read_object(args.drawn_facts), read_object(args.judged_facts), before
    )
    write_json(args.facts, facts)
    LOG.info(f"{counts['all']['kept']} answers are learned beside gold, {len(rows)} rows in all")


if __name__ == "__main__":
    run_main(main)
