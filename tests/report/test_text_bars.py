"""Bars of block characters."""

import pytest

import report_runs as runs
from sqladder.report.charts.bars import bar, text_bars
from sqladder.report.loading import load_run


@pytest.mark.parametrize(
    ("value", "drawn"),
    [
        (0, ""),
        (1, "██████████"),
        (0.859, "████████▋"),
        (0.151, "█▌"),
        (0.5, "█████"),
        (0.999, "██████████"),
    ],
)
def test_bars_are_exact_to_an_eighth_of_a_character(value, drawn):
    assert bar(value) == drawn.ljust(10)


def test_text_bars_show_each_level_with_the_best_variant_on_top(tmp_path):
    questions = runs.question_rows(80, levels=("easy", "extra"))
    marks = {"a": [n % 4 == 0 for n in range(80)], "b": [n % 2 == 0 for n in range(80)]}
    run = load_run(**runs.write_run(tmp_path, questions, marks))
    assert text_bars(run).splitlines() == [
        "Easy    █████       b (0.500)",
        "        ██▌         a (0.250)",
        "",
        "Extra   █████       b (0.500)",
        "        ██▌         a (0.250)",
        "",
        "All     █████       b (0.500)",
        "        ██▌         a (0.250)",
    ]
