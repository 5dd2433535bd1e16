"""Remove or mark training rows that could give away the evaluation, and say which evaluation questions stay suspect.

Example: python decontaminate.py --examples train.jsonl --evaluation test.jsonl --evaluation-databases databases \
             --drop exact_question --mark sql near_duplicate --output clean.jsonl --marks marks.jsonl \
             --evaluation-marks evaluation_marks.jsonl --report decontamination.md --facts decontamination.json
"""

import argparse
from pathlib import Path

from tqdm import tqdm

from sqladder.data.corpus import read_examples
from sqladder.data.decontamination_report import facts, markdown
from sqladder.data.settings import Decontamination
from sqladder.data.sifting import Sifter, actions_of, read_evaluation
from sqladder.errors import LOG, InputError, run_main
from sqladder.files import Fields, iterate_jsonl, write_json, write_jsonl, write_text
from sqladder.settings.program_flags import add_flags, from_flags

TRAINING_FIELDS: Fields = {"id": str, "question": str, "sql": str}


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    files = {
        "examples": "training rows",
        "evaluation": "evaluation questions",
        "evaluation-databases": "theirs",
        "marks": "writes each training row's rules",
        "evaluation-marks": "writes each evaluation question's",
        "report": "writes it, Markdown",
        "facts": "writes the counts, JSON",
    }
    for name, text in files.items():
        parser.add_argument(f"--{name}", required=True, type=Path, help=text)
    parser.add_argument(
        "--output", type=Path, help="writes the rows that stay; needed where a rule drops some"
    )
    parser.add_argument(
        "--databases", type=Path, help="of the rows; not needed where they bring their schema"
    )
    add_flags(parser, Decontamination)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    actions = actions_of(from_flags(args, Decontamination))
    if "drop" in actions.values() and not args.output:
        raise InputError("--output is missing: rules under --drop leave fewer rows, which go there")
    questions = read_examples(args.evaluation)
    evaluation = read_evaluation(questions, args.evaluation_databases, actions)
    sifter = Sifter(evaluation, actions, args.databases)
    training = iterate_jsonl(args.examples, TRAINING_FIELDS)
    rows = tqdm(training, desc="decontaminate", unit="row", disable=None)
    staying = sifter.sift(rows)
    kept = write_jsonl(args.output, staying) if args.output else sum(1 for _ in staying)
    tally = sifter.tally
    if not kept:
        dropping = ", ".join(rule for rule, action in actions.items() if action == "drop")
        raise InputError(
            f"all {tally.rows} training rows meet a rule that drops them: {dropping}; "
            "train on other data, or let fewer rules drop"
        )
    write_jsonl(args.marks, sifter.marks)
    write_jsonl(args.evaluation_marks, sifter.evaluation_marks(questions))
    write_json(args.facts, facts(tally, actions, questions))
    write_text(args.report, markdown(tally, actions, questions))
    LOG.info(
        "%d training rows: %d dropped, %d stay, %d of them suspect; %d of %d evaluation questions suspect",
        *(tally.rows, tally.dropped, kept, tally.suspect, len(tally.remaining), len(questions)),
    )


if __name__ == "__main__":
    run_main(main)
