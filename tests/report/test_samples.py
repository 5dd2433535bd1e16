"""What several samples bring: read with their verdicts, and told for fewer of them."""

import json

import pytest

import report_runs as runs
from sqladder.errors import InputError
from sqladder.report.charts import samples_vs_cost
from sqladder.report.charts.drawing import NARROW, WIDE, plot
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.results import level_count
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs

QUESTIONS = runs.question_rows(20)


def sampled_run(tmp_path, names, sampled, **samples):
    """A run of which some variants drew four samples; the vote is right where the second and third are."""
    right = [[number % 5 == 0, number % 2 == 0, number % 2 == 0, False] for number in range(20)]
    marks = {name: [row[1] for row in right] for name in names}
    files = runs.write_run(tmp_path, QUESTIONS, marks, generated=names)
    return runs.write_samples(files, sampled, right, **samples)


def inputs_of(run):
    return ReportInputs(compare(run), runs.run_facts(), "T", "charts")


def rows_of(run):
    """The cells of the report's table."""
    text = render(inputs_of(run)).split("## Samples")[1].split("\n\n")[1]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[2:]]


def test_the_report_says_what_fewer_samples_would_have_given(tmp_path):
    names = ["votes/seed_1", "votes/seed_2", "plain"]
    run = load_run(**sampled_run(tmp_path, names, names[:2]))
    rows = rows_of(run)
    # Of single samples 4, 10, 10 and 0 of 20 are right; all four give the vote, or a right one among them.
    assert [row[:3] + row[4:] for row in (rows[0], rows[2])] == [
        ["votes", "1", "0.300", "0.300", "5.0", "4.0"],
        ["votes", "4", "0.500", "0.600", "20.0", "10.0"],
    ]
    assert rows[1][:2] == ["votes", "2"]
    # All four are what the variant answered with both seeds, so the interval is that of the ranking.
    low, high = level_count(run, run.named("votes"), "all").interval
    assert rows[2][3] == f"{low:.3f} to {high:.3f}"


def test_the_greedy_answer_is_always_among_the_samples(tmp_path):
    first = rows_of(load_run(**sampled_run(tmp_path, ["votes"], ["votes"], greedy=True)))[0]
    assert first[:3] + first[4:] == ["votes", "1", "0.200", "0.200", "5.0", "4.0"]


def test_a_run_without_samples_has_no_such_section(tmp_path):
    files = sampled_run(tmp_path, ["plain"], [])
    assert "## Samples" not in render(inputs_of(load_run(**files)))


@pytest.mark.parametrize("lines", [[], [{"id": "q0000", "correct": [True]}]])
def test_verdicts_of_other_samples_are_refused(tmp_path, lines):
    files = sampled_run(tmp_path, ["votes"], ["votes"])
    runs.write_lines(files["samples"][0], lines)
    with pytest.raises(InputError, match=r"'q0000' has verdicts of \d samples, but 4 were drawn"):
        load_run(**files)


def chart_of(tmp_path, width=WIDE):
    """The axes of the chart of two seeds of votes, and two variants that ask for one answer, one of another model."""
    names = ["votes/seed_1", "votes/seed_2", "greedy/seed_1", "greedy/seed_2", "other"]
    files = sampled_run(tmp_path, names, names[:2])
    for path, model in zip(
        files["generation"], ("full/seed_1", "full/seed_2") * 2 + ("lora",), strict=True
    ):
        facts = json.loads(path.read_text())
        runs.write_value(path, {**facts, "model": model, "gpus": 2})
    comparison = compare(load_run(**files))
    return plot(comparison, samples_vs_cost.CHART, width).axes[0], comparison


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_chart_sets_accuracy_against_the_seconds_of_all_devices(tmp_path, width):
    axes, comparison = chart_of(tmp_path, width)
    upper, choice = axes.get_lines()[:2]
    # One sample takes 4 of 10 seconds on each of two devices, the greedy variant 12.5.
    assert upper.get_xdata().tolist() == choice.get_xdata().tolist() == [8.0, 12.0, 20.0]
    (curve,) = [curve for _, curve in samples_vs_cost.with_curve(comparison)]
    assert choice.get_ydata().tolist() == [point.choice for point in curve]
    assert upper.get_ydata().tolist() == [point.some for point in curve]
    assert [text.get_text() for text in axes.texts] == ["2", "4"]
    marks = {box.get_label(): box for box in axes.containers if box.get_label()[0] != "_"}
    assert list(marks) == ["votes", "greedy"]
    assert marks["greedy"].lines[0].get_xydata().tolist() == [[25.0, 0.5]]
    _, _, (bar,) = marks["votes"].lines
    assert bar.get_segments()[0][:, 1].tolist() == pytest.approx(list(curve[0].interval))


def test_the_report_shows_the_chart_where_seconds_are_known(tmp_path):
    _, comparison = chart_of(tmp_path)
    text = render(ReportInputs(comparison, runs.run_facts(), "T", "charts"))
    assert "1 variant with 1 to 4 samples" in text.split("## Samples")[1].split("\n## ")[0]
    assert "samples_vs_cost.svg" in text
