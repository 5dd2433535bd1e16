"""The program as the rule calls it."""

import csv

import pytest

import report_runs as runs
from report_runs import arguments_of, call, cpu_seconds_of_children
from sqladder.report.charts.registry import CHARTS
from sqladder.report.loading import load_run
from sqladder.report.sections.doubtful_gold import doubtful_gold

NAMES = ("baseline", "lora_32r", "full")


def write(folder, files, *extra, baseline="baseline"):
    facts = runs.write_value(folder / "facts.json", runs.run_facts())
    return call(
        "write_report.py",
        *arguments_of(files, baseline),
        "--run-facts",
        facts,
        "--charts",
        folder / "results" / "charts",
        "--report",
        folder / "results" / "report.md",
        "--page",
        folder / "results" / "report.html",
        "--csv",
        folder / "results" / "metrics.csv",
        "--pairs",
        folder / "results" / "pairs.csv",
        "--results",
        folder / "results" / "results.json",
        "--record",
        folder / "results" / "run.json",
        *extra,
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files of a run of three variants."""
    questions = runs.question_rows(96)
    variants = dict(zip(NAMES, runs.random_marks(96, [0.2, 0.5, 0.8], 1), strict=True))
    folder = tmp_path_factory.mktemp("run")
    written = runs.write_run(folder, questions, variants, trained=NAMES, generated=NAMES)
    right = [(mark, True, False, mark) for mark in variants[NAMES[-1]]]
    return runs.write_samples(written, NAMES[-1:], right)


def write_demonstration(folder, files):
    """Write the report of a demonstration with questions that are suspect and gold that is not doubtful."""
    keys = [f"q{number:04}" for number in range(96)]
    marks = [
        {"id": key, "mark": "suspect" if key < "q0024" else "clean", "rules": []} for key in keys
    ]
    checks = [{"id": key, "status": "ok"} for key in keys]
    return write(
        folder,
        files,
        *("--title", "Toy databases", "--demonstration"),
        *("--marks", runs.write_lines(folder / "marks.jsonl", marks)),
        *("--gold-checks", runs.write_lines(folder / "gold.jsonl", checks)),
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory, files):
    """The folder of a demonstration's report."""
    folder = tmp_path_factory.mktemp("written")
    done = write_demonstration(folder, files)
    assert done.returncode == 0, done.stderr
    assert "3 variants, 96 questions" in done.stderr
    assert done.stderr.count("/charts/") == 3 * len(CHARTS)
    return folder / "results"


@pytest.fixture(scope="module")
def report(written):
    return (written / "report.md").read_text()


def test_the_report_and_the_csv_are_written(written, report):
    assert report.startswith("# Toy databases\n\n> [!NOTE]")
    rows = list(csv.DictReader((written / "metrics.csv").open()))
    assert {row["variant"] for row in rows} == set(NAMES)


def test_all_charts_are_written(written):
    assert {path.name for path in (written / "charts").iterdir()} == {
        f"{chart}{kind}" for chart in CHARTS for kind in (".svg", ".png", "_narrow.svg")
    }


def test_charts_are_linked_relative_to_the_report(report):
    # Nothing chose a checkpoint or settings here, or was trained on shares of its rows or by reward.
    left_out = {"validation_curves", "candidates", "learning_curves", "reward_curves"}
    for chart in CHARTS.keys() - left_out:
        assert f"](charts/{chart}.svg)" in report


def test_two_runs_write_the_same_report(tmp_path, files, written):
    write_demonstration(tmp_path, files)
    for name in (
        "report.md",
        "report.html",
        "metrics.csv",
        "pairs.csv",
        "results.json",
        "run.json",
        *(f"charts/{chart}.png" for chart in CHARTS),
    ):
        assert (tmp_path / "results" / name).read_bytes() == (written / name).read_bytes()


def test_a_run_of_imported_variants_only_needs_no_stage_facts(tmp_path):
    questions = runs.question_rows(40)
    files = runs.write_run(tmp_path, questions, {"imported": [True] * 40})
    done = write(tmp_path, files, baseline=None)
    assert done.returncode == 0, done.stderr
    report = (tmp_path / "results" / "report.md").read_text()
    assert "## Training loss" not in report
    assert "## Paired differences" not in report
    assert "points to baseline" not in report


def test_a_wrong_baseline_is_one_line_without_a_trace(tmp_path, files):
    done = write(tmp_path, files, baseline="lora_64r")
    assert done.returncode == 1
    assert done.stderr == (
        "error: baseline 'lora_64r' is no variant of this run: baseline, lora_32r, full\n"
    )
    assert not (tmp_path / "results" / "report.md").exists()


def test_ten_variants_and_1034_questions_take_at_most_20_seconds(tmp_path):
    questions = runs.question_rows(1034, databases=20)
    names = ["variant_0", *(f"qwen3_1p7b_lora_rank_{2**n}_all_linear_layers" for n in range(9))]
    marks = runs.random_marks(1034, [0.4 + 0.02 * number for number in range(10)], 3)
    variants = dict(zip(names, marks, strict=True))
    files = runs.write_run(tmp_path, questions, variants, trained=names[1:])
    before = cpu_seconds_of_children()
    done = write(tmp_path, files, baseline="variant_0")
    assert done.returncode == 0, done.stderr
    assert cpu_seconds_of_children() - before < 20
    assert (tmp_path / "results" / "report.html").stat().st_size < 3_000_000


def test_accuracy_is_given_on_clean_and_suspect_questions(report):
    section = report.split("## Accuracy on clean and suspect questions")[1].split("##")[0]
    assert "| clean | 72 |" in section
    assert "| suspect | 24 |" in section


def test_a_question_without_mark_is_an_error(tmp_path, files):
    runs.write_lines(tmp_path / "marks.jsonl", [{"id": "q0000", "mark": "clean", "rules": []}])
    done = write(tmp_path, files, "--marks", tmp_path / "marks.jsonl")
    assert done.returncode == 1
    assert "lacks 95 of 96 questions, first 'q0001'" in done.stderr


def test_accuracy_is_given_without_the_questions_whose_gold_is_doubtful(tmp_path):
    questions = runs.question_rows(40)
    marks = [number % 2 == 0 for number in range(40)]
    marks[0], marks[3] = False, "gold_error"
    files = runs.write_run(tmp_path, questions, {"one": marks, "two": [False] * 40})
    statuses = {0: "empty", 2: "slow", 5: "disputed"}
    rows = [{"id": q["id"], "status": statuses.get(n, "ok")} for n, q in enumerate(questions)]
    # A question that was left out of the run has a check and no row.
    checks = runs.write_lines(tmp_path / "gold.jsonl", [*rows, {"id": "x", "status": "empty"}])
    report = doubtful_gold(load_run(**files), checks)
    assert "queries of 4 of 40 questions fail" in report
    assert "| all | 40 | 0.475 | 0.000 |" in report
    assert "| without doubtful gold | 36 | 0.500 | 0.000 |" in report
    assert "| doubtful gold | 4 | 0.250 | 0.000 |" in report
    assert "| q0003 | db_3 | the gold query fails |" in report
    assert "| q0002 | db_2 | the gold query outlasts the limits |" in report
    assert "| q0005 | db_1 | a listed repair gives another result |" in report


def test_without_doubtful_gold_there_is_no_section_about_it(report):
    assert "Doubtful gold" not in report
