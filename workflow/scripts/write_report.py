"""Sort failures, draw charts, and write the ranking report as Markdown, as a page for the browser and as CSV.

Example: python write_report.py --questions resources/datasets/demo/test.jsonl \
    --verdicts results/baseline/verdicts.jsonl results/full/verdicts.jsonl \
    --metrics results/baseline/metrics.json results/full/metrics.json \
    --predictions results/baseline/predictions.jsonl results/full/predictions.jsonl \
    --rows results/baseline/rows.jsonl results/full/rows.jsonl \
    --prompts resources/prompts/ddl/test.jsonl \
    --databases resources/datasets/demo/databases --failures results/failures.jsonl \
    --training results/full/train.json \
    --generation results/baseline/generation.json results/full/generation.json \
    --baseline baseline --run-facts results/facts.json --charts results/charts --demonstration \
    --report results/report.md --page results/report.html --csv results/metrics.csv \
    --pairs results/pairs.csv --results results/results.json --record results/run.json
"""

import argparse
import os
from dataclasses import replace
from pathlib import Path

from sqladder.errors import LOG, run_main
from sqladder.files import read_object, write_json, write_text
from sqladder.report.answer_rows import answer_rows
from sqladder.report.arguments import add_run_arguments, load_arguments
from sqladder.report.charted import charted_in_order, which_are_charted
from sqladder.report.charts.drawing_beside import drawn
from sqladder.report.comparison import compare
from sqladder.report.csv_export import metrics_csv, pairs_csv, results_json
from sqladder.report.curve_files import read_curves
from sqladder.report.page.html_page import render_page
from sqladder.report.page.prompts import asked_prompts
from sqladder.report.provenance import FACTS_FIELDS
from sqladder.report.repaired_answers import unrepaired_answers
from sqladder.report.run_record import run_record
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.statistics.replicates import replicate_of
from sqladder.texts.numbers import plural


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_run_arguments(parser)
    parser.add_argument(
        "--rows", type=Path, nargs="*", default=[], help="rows.jsonl of each variant and seed"
    )
    parser.add_argument(
        "--unrepaired",
        type=Path,
        nargs="*",
        default=[],
        help="unrepaired_verdicts.jsonl of each variant and seed that asks again what failed",
    )
    parser.add_argument(
        "--prompts", type=Path, nargs="*", default=[], help="test.jsonl of each context"
    )
    parser.add_argument(
        "--learning-curves",
        type=Path,
        nargs="*",
        default=[],
        help="learning_curve.json of variants",
    )
    parser.add_argument("--run-facts", type=Path, required=True, help="facts.json")
    parser.add_argument("--title", default="Which variant answers best?", help="heading")
    parser.add_argument("--charts", type=Path, required=True, help="folder of charts to write")
    parser.add_argument("--jobs", type=int, default=1, help="processes that draw")
    parser.add_argument(
        "--demonstration", action="store_true", help="say on top that the run proves nothing"
    )
    parser.add_argument("--marks", type=Path, help="which questions are clean and suspect")
    parser.add_argument("--gold-checks", type=Path, help="what became of each gold query")
    parser.add_argument("--published", type=Path, help="YAML file of a published table")
    parser.add_argument(
        "--published-row",
        nargs=2,
        action="append",
        default=[],
        metavar=("VARIANT", "ROW"),
        help="a variant and the row of the published table that it is compared with",
    )
    parser.add_argument("--report", type=Path, required=True, help="Markdown file to write")
    parser.add_argument("--page", type=Path, required=True, help="HTML file to write")
    parser.add_argument("--csv", type=Path, required=True, help="CSV file of accuracies to write")
    parser.add_argument("--pairs", type=Path, required=True, help="CSV file of pairs to write")
    parser.add_argument(
        "--results",
        type=Path,
        required=True,
        help="JSON file of lm-evaluation-harness's shape to write",
    )
    text = "JSON file of the facts with ranking and pairs to write"
    parser.add_argument("--record", type=Path, required=True, help=text)
    args = parser.parse_args()
    curves = read_curves(args.learning_curves)
    comparison = compare(replace(load_arguments(args), learning_curves=curves))
    # Of many variants the page shows the answers of those that the charts have.
    browsed = replace(comparison.run, variants=charted_in_order(comparison))
    names = {own.replicate.name for own in browsed.replicates}
    rows = list(answer_rows(path for path in args.rows if replicate_of(path).name in names))
    facts = read_object(args.run_facts, FACTS_FIELDS)
    inputs = ReportInputs(
        comparison,
        facts,
        args.title,
        Path(os.path.relpath(args.charts, args.report.parent)).as_posix(),
        args.demonstration,
        rows,
        args.marks,
        args.gold_checks,
        args.published,
        dict(args.published_row),
        unrepaired_answers(args.unrepaired, comparison.run),
    )
    prompts = asked_prompts(args.prompts)
    run, whose = comparison.run, which_are_charted(comparison)
    with drawn(comparison, args.charts, args.jobs) as charts:
        text = render(inputs)
        write_text(args.report, text)
        write_text(args.csv, metrics_csv(comparison))
        write_text(args.pairs, pairs_csv(comparison))
        write_json(args.results, results_json(run))
        write_json(args.record, run_record(facts, comparison))
        for path in charts:
            LOG.info(f"{path}: {path.stat().st_size:,} bytes")
    page = render_page(text, browsed, args.title, args.charts, rows, prompts, whose)
    write_text(args.page, page)
    LOG.info(f"{args.report}: {plural(len(run.variants), 'variant')}, {plural(run.n, 'question')}")
    LOG.info(f"{args.page}: {args.page.stat().st_size:,} bytes")


if __name__ == "__main__":
    run_main(main)
