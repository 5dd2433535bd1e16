"""What became of the training rows, in the head of the report and on model cards."""

import json

import pytest

import report_runs as runs
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.training_rows import gold_facts, said, said_of_lengths

LENGTHS = {"rows": 3264, "cutoff": 512, "over_cutoff": 3195, "cut": 0, "dropped": 3195}
FITTING = {**LENGTHS, "over_cutoff": 0, "dropped": 0}


def shared(dropped, suspect, questions):
    return {
        "training_rows": {"seen": 5000, "dropped": dropped, "kept": 5000 - dropped},
        "kept_rows_suspect": suspect,
        "evaluation_questions": {"all": 100, "suspect": questions},
        "rules": {"exact_question": {"action": "mark"}},
    }


def test_gold_is_counted_by_what_was_found_and_what_was_left_out(tmp_path):
    statuses = ["ok", "failing", "failing", "slow", "empty"]
    rows = [{"id": f"q{n}", "status": status} for n, status in enumerate(statuses)]
    checks = runs.write_lines(tmp_path / "gold.jsonl", rows)
    examples = runs.write_lines(
        tmp_path / "examples.jsonl", [row for row in rows if row["id"] != "q1"]
    )
    facts = gold_facts([checks], [examples])
    assert facts["rows"] == 5
    assert facts["problems"]["failing"] == {"rows": 2, "left_out": 1}
    assert facts["problems"]["slow"] == {"rows": 1, "left_out": 0}
    # Another set may have the same ids.
    both = gold_facts([checks, checks], [examples, checks])
    assert both["rows"] == 10
    assert both["problems"]["failing"] == {"rows": 4, "left_out": 1}


def test_a_mix_is_told_of_with_rows_and_weights():
    mix = {"demo": {"rows": 7000, "weight": 1.0}, "shop": {"rows": 25, "weight": 2.5}}
    mix["large"] = {"rows": 90000, "weight": 0.05}
    (sentence,) = said({"mix": mix})
    assert "7,000 rows of *demo*, each seen once" in sentence
    assert "25 rows of *shop*, each seen 2.5 times" in sentence
    assert "90,000 rows of *large*, of which a sample of 5 % is seen" in sentence


@pytest.mark.parametrize(
    ("found", "left_out", "words"),
    [
        (
            3,
            3,
            "**3 of 40 rows of the data set trained on are left out, since their gold query fails**",
        ),
        (
            3,
            0,
            "**3 of 40 rows of the data set trained on are used although their gold query fails**",
        ),
    ],
)
def test_gold_that_fails_is_announced_whatever_became_of_it(found, left_out, words):
    nothing = {"rows": 0, "left_out": 0}
    problems = {"failing": {"rows": found, "left_out": left_out}, "slow": nothing, "empty": nothing}
    (sentence,) = said({"gold": {"rows": 40, "problems": problems}})
    assert sentence.startswith(words)
    assert "`gold_problems.failing` decides" in sentence


def test_gold_that_was_not_executed_is_announced():
    (sentence,) = said({"gold": "not executed"})
    assert "was not executed" in sentence


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            shared(0, 0, 0),
            "None of 5,000 training rows is like a question of the test, by the rule `exact_question`.",
        ),
        (
            shared(7, 2, 3),
            "5,000 training rows, 9 are like a question of the test: 7 dropped, 2 kept**",
        ),
    ],
)
def test_what_the_rows_share_with_the_test_is_announced(facts, words):
    (sentence,) = said({"shared_with_test": facts})
    assert words in sentence


def test_dropped_rows_are_announced_with_their_variants():
    assert list(said_of_lengths({"lengths": {"full": FITTING}})) == []
    facts = {"lengths": {"lora": LENGTHS, "full": LENGTHS, "long": FITTING}}
    (sentence,) = said_of_lengths(facts)
    assert "Of 3,264 training rows, 3,195 are longer than 512 tokens: 3,195 dropped**" in sentence
    assert "(lora and full)" in sentence
    assert list(said_of_lengths(facts, ["long"])) == []


def test_the_head_of_the_report_holds_it_all(tmp_path):
    questions = runs.question_rows(20)
    run = load_run(**runs.write_run(tmp_path, questions, {"full": [True] * 20}))
    facts = {
        **runs.run_facts(),
        "training_rows": {"shared_with_test": shared(0, 0, 0), "lengths": {"full": LENGTHS}},
    }
    head = render(ReportInputs(compare(run), facts, "A title", "charts")).split("\n## ")[0]
    assert "3,195 dropped" in head
    assert "by the rule `exact_question`" in head


def test_run_facts_take_it_from_the_files_of_the_stages(tmp_path):
    rows = [{"id": "a", "status": "failing"}, {"id": "b", "status": "ok"}]
    files = {
        "gold-checks": runs.write_lines(tmp_path / "gold.jsonl", rows),
        "gold-examples": runs.write_lines(tmp_path / "examples.jsonl", rows[1:]),
        "decontamination": runs.write_value(tmp_path / "decontamination.json", shared(0, 0, 0)),
    }
    lengths = runs.write_value(tmp_path / "lengths.json", {**LENGTHS, "histogram": {}})
    done = runs.call(
        "collect_run_facts.py",
        *("--config", "{}", "--lengths", "full", lengths, "--output", tmp_path / "run.json"),
        *(f"--{name}={path}" for name, path in files.items()),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "run.json").read_text())["training_rows"]
    assert found["gold"]["problems"]["failing"] == {"rows": 1, "left_out": 1}
    assert found["lengths"] == {"full": LENGTHS}
    assert found["shared_with_test"] == shared(0, 0, 0)
