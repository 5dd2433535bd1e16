"""What repairs bring: the first answers beside the repaired ones, and what they cost."""

import json

import pytest

import report_runs as runs
from sqladder.errors import InputError
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.repaired_answers import unrepaired_answers
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs

QUESTIONS = runs.question_rows(20)
ROUND = {"failing": 8, "asked": 7, "too_long": 1, "prompt_tokens": 700, "output_tokens": 90}


def repaired_run(tmp_path, names):
    """Runs with 12 of 20 answers right, of which 9 were without repairs; one was right without alone."""
    marks = {name: [number < 12 for number in range(20)] for name in names}
    files = runs.write_run(tmp_path, QUESTIONS, marks, generated=names)
    paths = []
    for predictions, generation in zip(files["predictions"], files["generation"], strict=True):
        facts = json.loads(generation.read_text())
        rounds = [{**ROUND, "seconds": 1.5}, {**ROUND, "seconds": 0.5}]
        runs.write_value(generation, {**facts, "repair": rounds})
        verdicts = [
            {"id": row["id"], "correct": number < 8 or number == 19}
            for number, row in enumerate(QUESTIONS)
        ]
        paths.append(runs.write_lines(predictions.parent / "unrepaired_verdicts.jsonl", verdicts))
    return load_run(**files), paths


def tables(run, unrepaired):
    inputs = ReportInputs(compare(run), runs.run_facts(), "T", "charts", unrepaired=unrepaired)
    text = render(inputs)
    if "## Repairs" not in text:
        return None
    blocks = text.split("## Repairs")[1].split("\n\n")
    return [
        [[cell.strip() for cell in line.split("|")[1:-1]] for line in blocks[place].splitlines()]
        for place in (1, 3)
    ]


def test_the_first_answers_stand_beside_the_repaired_ones(tmp_path):
    run, paths = repaired_run(tmp_path, ["mended/seed_1", "mended/seed_2", "plain"])
    accuracies, costs = tables(run, unrepaired_answers(paths[:2], run))
    (row,) = accuracies[2:]
    assert row[:4] == ["mended", "0.450", "0.600", "+15.0"]
    assert row[5] == "4 : 1"
    assert costs[2:] == [["mended", "16", "14", "2", "1,400", "180", "2.0 s"]]


def test_a_run_without_repairs_has_no_such_section(tmp_path):
    run, _ = repaired_run(tmp_path, ["plain"])
    assert tables(run, {}) is None


def test_a_question_without_verdict_is_named(tmp_path):
    run, (path,) = repaired_run(tmp_path, ["mended"])
    runs.write_lines(path, [{"id": row["id"], "correct": True} for row in QUESTIONS[1:]])
    with pytest.raises(InputError, match=r"no verdict of question 'q0000'.*score .* again"):
        unrepaired_answers([path], run)
