"""Accuracy over the wordings of one query: all right, some, none."""

import re

import pytest

import report_runs as runs
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs


def report_of(folder, questions, marks):
    files = runs.write_run(folder, questions, marks)
    return render(ReportInputs(compare(load_run(**files)), runs.run_facts(), "T", "charts"))


def test_wordings_are_counted_as_all_some_or_none_right(tmp_path):
    questions = [
        {**row, "group": f"g{min(n, 21) // 2}"} for n, row in enumerate(runs.question_rows(23))
    ]
    questions[22]["group"] = "alone"
    marks = [True] * 8 + [True, False] * 3 + [False] * 9
    text = report_of(tmp_path, questions, {"mine": marks})
    assert "| mine | 4 | 3 | 4 | 0.364 | 0.152 to 0.646 |" in text
    assert "Of 12 groups of questions, 11 have several" in text


def test_seeds_are_means_whose_interval_counts_how_far_they_scatter(tmp_path):
    questions = [{**row, "group": f"g{n // 2}"} for n, row in enumerate(runs.question_rows(80))]
    alike = {f"mine/seed_{seed}": [True] * 60 + [False] * 20 for seed in (1, 2)}
    apart = {
        f"mine/seed_{seed}": [True] * 40 * seed + [False] * (80 - 40 * seed) for seed in (1, 2)
    }
    found = {}
    for name, marks in {"alike": alike, "apart": apart}.items():
        text = report_of(tmp_path / name, questions, marks)
        row = re.search(r"\| mine \| 30 \| 0 \| 10 \| 0\.750 \| ([\d.]+) to ([\d.]+) \|", text)
        found[name] = tuple(map(float, row.groups()))
        assert "for further questions on these databases and further seeds." in text
    assert found["alike"] == pytest.approx((0.598, 0.858), abs=0.01)
    assert found["apart"][0] < 0.2


def test_questions_of_their_own_have_no_such_section(tmp_path):
    text = report_of(tmp_path, runs.question_rows(8), {"mine": [True] * 8})
    assert "Accuracy by wordings" not in text
