"""The metrics of a variant with several seeds: means and spreads of its seeds' own."""

import json
from statistics import mean, stdev

import pytest

import report_runs


def write_seeds(folder, marks_by_seed):
    """Write metrics.json of each seed as the workflow does; the arguments that name them."""
    paths = []
    for seed, marks in marks_by_seed.items():
        questions = report_runs.question_rows(len(marks))
        rows = report_runs.verdict_rows(questions, marks)
        path = folder / f"results/full/seed_{seed}/metrics.json"
        paths.append(
            report_runs.write_value(path, report_runs.metrics_of(f"full/seed_{seed}", rows))
        )
    return [
        "--variant",
        "full",
        "--metrics",
        *paths,
        "--output",
        folder / "results/full/metrics.json",
    ]


def test_every_rate_has_its_mean_and_spread(tmp_path):
    marks = {42: [1] * 9 + [0] * 7, 43: [1] * 5 + [0] * 11, 44: [1] * 12 + [0] * 4}
    done = report_runs.call("average_seeds.py", *write_seeds(tmp_path, marks))
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "results/full/metrics.json").read_text())
    assert (metrics["variant"], metrics["seeds"], metrics["n"]) == ("full", [42, 43, 44], 16)
    rates = [9 / 16, 5 / 16, 12 / 16]
    assert metrics["accuracy"]["all"] == {
        "n": 16,
        "rate": pytest.approx(mean(rates)),
        "sd": pytest.approx(stdev(rates)),
        "lowest": min(rates),
        "highest": max(rates),
    }
    assert metrics["secondary"]["plug_value"]["all"] == metrics["accuracy"]["all"]


def test_a_level_without_questions_has_no_rate(tmp_path):
    done = report_runs.call("average_seeds.py", *write_seeds(tmp_path, {1: [1, 0], 2: [1, 1]}))
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "results/full/metrics.json").read_text())
    assert metrics["accuracy"]["extra"] == {
        "n": 0,
        "rate": None,
        "sd": None,
        "lowest": None,
        "highest": None,
    }


def test_seeds_with_different_numbers_of_questions_are_refused(tmp_path):
    done = report_runs.call("average_seeds.py", *write_seeds(tmp_path, {1: [1, 0], 2: [1]}))
    assert done.returncode == 1
    assert "different numbers of questions, {1: 2, 2: 1}" in done.stderr
