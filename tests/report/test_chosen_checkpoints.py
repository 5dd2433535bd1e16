"""What a report and a model card say of the checkpoints that trainings chose among."""

import json

import numpy as np
import pytest

import report_runs as runs
from sqladder.report.charts import validation_curves
from sqladder.report.comparison import compare
from sqladder.report.judged_checkpoints import judged_checkpoints
from sqladder.report.loading import load_run
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.statistics.seeds import accuracy_interval

QUESTIONS = runs.question_rows(20)
GROUPS = [f"query {n // 2}" for n in range(40)]


def validation(*right, chosen, stopped=False, n=40):
    """What train.json says: so many of n questions right at each checkpoint, always the first ones."""
    points = [
        {
            "step": 10 * place,
            "epoch": place / 2,
            "loss": None if place == 1 else 1 / place,
            "correct": "1" * count + "0" * (n - count),
            "seconds": 2.0,
        }
        for place, count in enumerate(right, 1)
    ]
    return {
        "groups": GROUPS[:n],
        "databases": 3,
        "points": points,
        "chosen": 10 * chosen,
        "stopped_early": stopped,
        "seconds": 2.0 * len(points),
    }


def written(folder, choices):
    """A run of variants, each right on the first 12 of 20 questions, some of which chose a checkpoint."""
    marks = {name: [number < 12 for number in range(20)] for name in choices}
    files = runs.write_run(folder, QUESTIONS, marks, trained=list(choices))
    for path in files["training"]:
        facts = json.loads(path.read_text())
        if choice := choices[path.parent.name]:
            runs.write_value(path, {**facts, "seconds": 80.0, "validation": choice})
    return files


def report(folder, choices):
    comparison = compare(load_run(**written(folder, choices)))
    return render(ReportInputs(comparison, runs.run_facts(), "T", "charts")), comparison


def row_of(text, name):
    block = text.split("## Checkpoints")[1].split("\n\n")[1]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines()]
    return next(row for row in rows if row[0] == name)


def test_each_choice_stands_with_what_it_rests_on(tmp_path):
    choices = {"plain": None, "best": validation(10, 30, 24, chosen=2)}
    text, _ = report(tmp_path, choices)
    row = row_of(text, "best")
    assert row[1:4] == ["3", "20 of 30 (1.00)", "0.750"]
    judged = judged_checkpoints({"seconds": 80.0, "validation": choices["best"]})
    low, high = accuracy_interval(judged.answers[1:2], judged.groups)
    assert row[4] == f"{low:.3f} to {high:.3f}"
    assert row[5:7] == ["0.600", "+15.0"]
    assert row[9] == "8%"
    assert "| plain |" not in text.split("## Checkpoints")[1].split("\n\n")[1]
    assert "40 validation questions on 3 databases, in 20 groups" in text
    assert "charts/validation_curves.svg" in text


def test_checkpoints_that_cannot_be_told_from_the_chosen_one_are_counted(tmp_path):
    # Nothing right at the first, and a question more or less at the others.
    text, _ = report(tmp_path, {"close": validation(0, 30, 29, chosen=2)})
    assert row_of(text, "close")[8] == "2"


def test_an_early_end_is_said(tmp_path):
    text, _ = report(tmp_path, {"ended": validation(30, 20, chosen=1, stopped=True)})
    assert row_of(text, "ended")[1] == "2, stopped early"


def test_an_engine_that_was_not_there_is_said(tmp_path):
    asked = validation(30, 20, chosen=1) | {"engine": "transformers", "instead_of": "vllm"}
    text, _ = report(tmp_path, {"here": validation(30, 20, chosen=1), "there": asked})
    assert "Those of there were asked by transformers, not by vllm as the test is:" in text


def test_a_run_without_choices_has_no_such_section_and_its_chart_says_so(tmp_path):
    text, comparison = report(tmp_path, {"plain": None})
    assert "## Checkpoints" not in text
    assert validation_curves.alt_text(comparison).startswith("No checkpoints")


def test_the_chart_rings_the_chosen_checkpoint_and_shows_losses_that_there_are(tmp_path):
    _, comparison = report(tmp_path, {"best": validation(10, 30, 24, chosen=2)})
    figure = validation_curves.draw(comparison, runs.WIDE)
    above, below = figure.axes
    rings = [line for line in above.lines if line.get_markersize() == 11]
    assert [list(map(float, line.get_xydata()[0])) for line in rings] == [[1.0, 0.75]]
    (losses,) = below.lines
    assert losses.get_xydata().tolist() == [[1.0, 0.5], [1.5, pytest.approx(1 / 3)]]
    assert "0.750 to 0.750" in validation_curves.alt_text(comparison)


def test_the_loss_of_a_training_by_reward_is_not_drawn(tmp_path):
    files = written(tmp_path, {"grpo": validation(10, 30, 24, chosen=2)})
    (path,) = files["training"]
    facts = runs.reward_facts(np.random.default_rng(1))
    runs.write_value(path, {**json.loads(path.read_text()), "learning": facts["learning"]})
    (axes,) = validation_curves.draw(compare(load_run(**files)), runs.WIDE).axes
    assert axes.get_xlabel() == "epoch"
    title = axes.figure.get_suptitle()
    assert title.startswith("Checkpoints: validation accuracy; bars")


def test_one_checkpoint_is_a_choice_of_nothing(tmp_path):
    text, _ = report(tmp_path, {"one": validation(30, chosen=1)})
    row = row_of(text, "one")
    assert (row[1], row[6], row[8]) == ("1", "0.0", "1")


def test_marks_are_read_as_they_were_written():
    judged = judged_checkpoints({"seconds": 8.0, "validation": validation(3, 5, chosen=2)})
    assert judged.answers.shape == (2, 40)
    assert np.array_equal(judged.answers.sum(axis=1), [3, 5])
    assert judged.gain.mean == 0
    assert judged_checkpoints({"seconds": 8.0}) is None
