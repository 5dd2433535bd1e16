"""Remove or mark training rows that could give away the evaluation, and say which evaluation questions stay suspect.

Example: python decontaminate.py --examples train.jsonl --evaluation test.jsonl --evaluation-databases databases \
             --drop exact_question --mark sql near_duplicate --output clean.jsonl --marks marks.jsonl \
             --evaluation-marks evaluation_marks.jsonl --report decontamination.md --facts decontamination.json
"""

import argparse
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from tqdm import tqdm

from sqladder.data.corpus import read_examples
from sqladder.data.decontamination import RULES, Evaluation, Pairs, Tally
from sqladder.data.decontamination_report import facts, markdown
from sqladder.databases.schema import read_schema
from sqladder.errors import LOG, InputError, run_main
from sqladder.files import Fields, Row, iterate_jsonl, write_json, write_jsonl, write_text

TRAINING_FIELDS: Fields = {"id": str, "question": str, "sql": str}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", required=True, type=Path, help="training rows")
    parser.add_argument(
        "--databases",
        nargs="?",
        type=Path,
        help="theirs; not needed for rows that bring their schema",
    )
    parser.add_argument("--evaluation", required=True, type=Path, help="evaluation questions")
    parser.add_argument("--evaluation-databases", required=True, type=Path, help="theirs")
    parser.add_argument("--drop", nargs="*", choices=RULES, default=[], help="rules that remove")
    parser.add_argument("--mark", nargs="*", choices=RULES, default=[], help="rules that mark")
    parser.add_argument("--output", required=True, type=Path, help="writes the rows that stay")
    parser.add_argument(
        "--marks", required=True, type=Path, help="writes each training row's rules"
    )
    parser.add_argument(
        "--evaluation-marks", required=True, type=Path, help="writes each evaluation question's"
    )
    parser.add_argument("--report", required=True, type=Path, help="writes it, Markdown")
    parser.add_argument("--facts", required=True, type=Path, help="writes the counts, JSON")
    return parser.parse_args()


def pairs_by_database(folder: Path | None) -> Callable[[str], Pairs]:
    """The function that reads a database's (table, column) pairs, once each."""

    @cache
    def pairs(db_id: str) -> Pairs:
        if folder is None:
            raise InputError(f"{db_id!r}: neither a schema in the row nor a folder of databases")
        database = read_schema(folder / db_id / f"{db_id}.sqlite")
        return frozenset(
            (table.name.casefold(), column.name.casefold())
            for table in database.tables
            for column in table.columns
        )

    return pairs


def sift(
    args: argparse.Namespace, evaluation: Evaluation, tally: Tally, marks: list[Row]
) -> Iterator[Row]:
    """Yield the training rows that stay; count, and note the rules of all that meet one."""
    pairs_of = pairs_by_database(args.databases)
    drops = frozenset(args.drop)
    needs_pairs = "schema" in (*args.drop, *args.mark)
    rows = tqdm(
        iterate_jsonl(args.examples, TRAINING_FIELDS),
        desc="decontaminate",
        unit="row",
        disable=None,
    )
    for row in rows:
        has_database = needs_pairs and "schema" not in row
        hits = evaluation.hits(row, pairs_of(str(row.get("db_id"))) if has_database else None)
        dropped = not drops.isdisjoint(hits)
        tally.add(row, hits, dropped)
        if hits:
            marks.append({"id": row["id"], "dropped": dropped, "rules": list(hits)})
        if not dropped:
            yield row


def main() -> None:
    args = parse_arguments()
    actions = {**dict.fromkeys(args.mark, "mark"), **dict.fromkeys(args.drop, "drop")}
    questions = read_examples(args.evaluation)
    pairs_of = pairs_by_database(args.evaluation_databases)
    schemas = {db_id: pairs_of(db_id) for db_id in dict.fromkeys(q["db_id"] for q in questions)}
    # Rules in the order of RULES, so that tables are alike in every run.
    actions = {rule: actions[rule] for rule in RULES if rule in actions}
    evaluation = Evaluation(questions, schemas, actions)
    tally = Tally()
    marks: list[Row] = []
    kept = write_jsonl(args.output, sift(args, evaluation, tally, marks))
    if not kept:
        raise InputError(
            f"all {tally.rows} training rows meet a rule that drops them: {', '.join(args.drop)}; "
            "train on other data, or let fewer rules drop"
        )
    write_jsonl(args.marks, marks)
    write_jsonl(args.evaluation_marks, evaluation_marks(questions, tally))
    write_json(args.facts, facts(tally, actions, questions))
    write_text(args.report, markdown(tally, actions, questions))
    LOG.info(
        "%d training rows: %d dropped, %d stay, %d of them suspect; %d of %d evaluation questions suspect",
        *(tally.rows, tally.dropped, kept, tally.suspect, len(tally.remaining), len(questions)),
    )


def evaluation_marks(questions: list[Row], tally: Tally) -> Iterator[Row]:
    """Mark each evaluation question clean or suspect, with the rules by which rows that stay concern it."""
    for row in questions:
        rules = sorted(tally.remaining.get(row["id"], ()))
        yield {"id": row["id"], "mark": "suspect" if rules else "clean", "rules": rules}


if __name__ == "__main__":
    run_main(main)
