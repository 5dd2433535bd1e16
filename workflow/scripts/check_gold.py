"""Execute the gold query of every example once; say which fail, give nothing or are too slow, and drop or keep them.

Example: python check_gold.py --examples questions.jsonl --databases databases --failing drop --empty keep --slow drop \
             --output examples.jsonl --checks gold.jsonl --summary gold.md
"""

import argparse
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from sqladder.data.ambiguity import with_ambiguity
from sqladder.data.corpus import read_examples, read_repairs
from sqladder.data.gold_dialects import with_dialects
from sqladder.data.gold_execution import DISPUTED, PROBLEMS, check_golds
from sqladder.data.gold_sorting import sort_out
from sqladder.data.gold_summary import summary
from sqladder.data.settings import GoldProblems
from sqladder.databases.engine import DIALECTS, SQLITE, kind_of
from sqladder.errors import LOG, run_main
from sqladder.files import read_jsonl, write_jsonl, write_text
from sqladder.metric.limit_flags import add_limit_flags, add_quirks_flag, limits_from_flags
from sqladder.metric.normalise import QUIRKS
from sqladder.settings.program_flags import add_flags, from_flags


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--examples", required=True, type=Path, help="id, db_id, question, sql")
    parser.add_argument(
        "--left-out", type=Path, help="questions without database, which may have repairs too"
    )
    parser.add_argument(
        "--databases", required=True, type=Path, help="folder of <db_id>/<db_id>.sqlite"
    )
    parser.add_argument(
        "--original", help="DuckDB file or server's URL that the one database is a copy of"
    )
    parser.add_argument(
        "--native", action="store_true", help="scoring is on the original: execute gold there alone"
    )
    parser.add_argument(
        "--repairs", type=Path, help="id and sql of queries held to be right; gold is compared"
    )
    parser.add_argument(
        "--ambiguity", action="store_true", help="also find gold that hangs on the order of rows"
    )
    add_quirks_flag(parser)
    add_limit_flags(parser)
    parser.add_argument("--output", required=True, type=Path, help="writes the examples that stay")
    parser.add_argument("--checks", required=True, type=Path, help="writes a line for every gold")
    parser.add_argument("--summary", required=True, type=Path, help="writes the table, Markdown")
    add_flags(parser, GoldProblems)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    actions = from_flags(args, GoldProblems).model_dump()
    examples = read_examples(args.examples)
    files = {key: args.databases / key / f"{key}.sqlite" for key in {e["db_id"] for e in examples}}
    limits = limits_from_flags(args)
    originals = dict.fromkeys(files, args.original) if args.original else {}
    left_out = read_jsonl(args.left_out, {"id": str}) if args.left_out else []
    repairs = read_repairs(args.repairs, examples, left_out) if args.repairs else {}
    if repairs:
        LOG.info("%d of %d examples have a listed repair", len(repairs), len(examples))
    mended = QUIRKS[args.quirks]
    native = DIALECTS[kind_of(args.original)] if args.native else ""
    with tqdm(total=len(examples), desc="gold", unit="query", disable=None) as bar:
        judged_on, compared = (originals, None) if args.native else (files, originals)
        checks = check_golds(
            examples, judged_on, limits, compared, bar.update, repairs, mended, native
        )
    checks = with_dialects(examples, files, checks, native or DIALECTS[SQLITE])
    if args.ambiguity:
        checks = with_ambiguity(examples, files, limits, mended, checks)
    # The tables first: they say what to mend when the next line stops the run.
    write_jsonl(args.checks, ({"id": row["id"], **asdict(checks[row["id"]])} for row in examples))
    write_text(args.summary, summary(examples, checks, actions))
    kept = sort_out(examples, checks, actions)
    write_jsonl(args.output, kept)
    statuses = [check.status for check in checks.values()]
    found = {problem: statuses.count(problem) for problem in (*PROBLEMS, DISPUTED)}
    counts = ", ".join(f"{count} {problem}" for problem, count in found.items())
    if len(kept) < len(examples):
        LOG.warning(
            "%d of %d examples are left out for their gold; %s lists them, and gold_problems decides",
            *(len(examples) - len(kept), len(examples), args.summary),
        )
    if args.ambiguity:
        counts += f", {sum(bool(check.ambiguous) for check in checks.values())} ambiguous"
    LOG.info("%d gold queries: %s; %d examples stay", len(examples), counts, len(kept))


if __name__ == "__main__":
    run_main(main)
