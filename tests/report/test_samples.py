"""What several samples bring: read with their verdicts, and told for fewer of them."""

import json

import pytest

import report_runs as runs
from sqladder.errors import InputError
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.results import level_count
from sqladder.report.sampled_answers import sampled_answers
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs

QUESTIONS = runs.question_rows(20)


def sampled_run(tmp_path, names, groups=(0, 1, 1, None), greedy=False):
    """Runs whose variants drew four samples to each question; the vote is right where the second and third are."""
    right = [[number % 5 == 0, number % 2 == 0, number % 2 == 0, False] for number in range(20)]
    marks = {name: [row[1] for row in right] for name in names}
    files = runs.write_run(tmp_path, QUESTIONS, marks, generated=names)
    paths = []
    for predictions, generation in zip(files["predictions"], files["generation"], strict=True):
        rows = [json.loads(line) for line in predictions.read_text().splitlines()]
        for row in rows:
            row["samples"] = [
                {
                    "sql": "x",
                    "output_tokens": 5,
                    "log_probability": -1.0 - place,
                    "group": groups[place],
                }
                for place in range(4)
            ]
        runs.write_lines(predictions, rows)
        facts = json.loads(generation.read_text())
        # Of 10 seconds 8 are those of four samples.
        times = {"seconds": 10.0, "stages": {"generation": 8.0}}
        runs.write_value(generation, {**facts, **times, "settings": {"include_greedy": greedy}})
        verdicts = [{"id": row["id"], "correct": own} for row, own in zip(rows, right, strict=True)]
        paths.append(runs.write_lines(predictions.parent / "sample_verdicts.jsonl", verdicts))
    return load_run(**files), paths


def rows_of(run, paths):
    """The cells of the report's table."""
    inputs = ReportInputs(
        compare(run), runs.run_facts(), "T", "charts", samples=sampled_answers(paths, run)
    )
    text = render(inputs).split("## Samples")[1].split("\n\n")[1]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[2:]]


def test_the_report_says_what_fewer_samples_would_have_given(tmp_path):
    run, paths = sampled_run(tmp_path, ["votes/seed_1", "votes/seed_2", "plain"])
    rows = rows_of(run, paths[:2])
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
    run, paths = sampled_run(tmp_path, ["votes"], greedy=True)
    first = rows_of(run, paths)[0]
    assert first[:3] + first[4:] == ["votes", "1", "0.200", "0.200", "5.0", "4.0"]


def test_a_run_without_samples_has_no_such_section(tmp_path):
    run, _ = sampled_run(tmp_path, ["votes"])
    inputs = ReportInputs(compare(run), runs.run_facts(), "T", "charts")
    assert "## Samples" not in render(inputs)


@pytest.mark.parametrize("lines", [[], [{"id": "q0000", "correct": [True]}]])
def test_verdicts_of_other_samples_are_refused(tmp_path, lines):
    run, paths = sampled_run(tmp_path, ["votes"])
    runs.write_lines(paths[0], lines)
    with pytest.raises(InputError, match=r"'q0000' has verdicts of \d samples, but 4 were drawn"):
        sampled_answers(paths, run)
