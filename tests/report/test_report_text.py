"""Numbers as printed, and text of models and databases that must not act as markup."""

import pytest

import report_runs as runs
from sqladder.report.charts.bars import bar, text_bars
from sqladder.report.results import load_run
from sqladder.report.text import (
    code_block,
    escape,
    listing,
    number,
    p_phrase,
    p_value,
    plural,
    points,
    rate,
    seconds,
    table,
)


def test_rates_have_three_decimals_and_unknown_ones_a_dash():
    assert [rate(0.8585), rate(0), rate(1), rate(None)] == ["0.859", "0.000", "1.000", "-"]


def test_points_have_a_sign_unless_they_show_zero():
    assert [points(0.0123), points(-0.2)] == ["+1.2", "−20.0"]
    assert [points(0), points(-0.0001), points(0.0001)] == ["0.0"] * 3


def test_one_thing_is_singular():
    assert [plural(1, "variant"), plural(0, "variant"), plural(1034, "question")] == [
        "1 variant",
        "0 variants",
        "1,034 questions",
    ]


def test_small_p_values_are_not_rounded_to_zero():
    assert [p_value(0.0004), p_value(0.0494), p_value(1)] == ["< 0.001", "0.049", "1.000"]
    assert [p_phrase(0.0004), p_phrase(0.47)] == ["p < 0.001", "p = 0.470"]


def test_a_p_value_just_above_the_level_is_not_printed_as_the_level():
    assert p_value(0.0502) == "0.0502"
    assert p_value(0.0498) == "0.0498"


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.21, "3.2 s"), (119, "119.0 s"), (600, "10.0 min"), (7199, "120.0 min"), (9000, "2.5 h")],
)
def test_durations_are_printed_in_a_unit_that_suits_them(value, text):
    assert seconds(value) == text


def test_quantities_have_thousands_apart():
    assert [number(1034), number(1234.56, 1), number(None)] == ["1,034", "1,234.6", "-"]


def test_lists_read_as_english():
    assert [listing(["a"]), listing(["a", "b"]), listing(["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("lora_32r", "lora_32r"),
        ("_a_", "\\_a\\_"),
        ("a|b", "a\\|b"),
        ("<img src=x onerror=alert(1)>", "\\<img src=x onerror=alert(1)\\>"),
        ("two\nlines", "two lines"),
        ("[x](javascript:1)", "\\[x\\](javascript:1)"),
        ("a & b", "a &amp; b"),
    ],
)
def test_foreign_text_in_tables_is_no_markup(text, escaped):
    assert escape(text) == escaped


def test_a_code_block_cannot_be_closed_by_its_text():
    hostile = "SELECT 1\n```\n<script>alert(1)</script>\n````"
    lines = code_block(hostile, "sql").splitlines()
    assert lines[0] == "`````sql"
    assert lines[-1] == "`````"
    assert lines[1:-1] == hostile.splitlines()


def test_long_text_is_cut_with_a_note():
    block = code_block("x" * 700, limit=600)
    assert "x" * 600 + "\n... (100 more characters)" in block


def test_a_table_has_one_rule_for_each_column():
    assert table(["a", "b", "c"], [["1", "2", "3"]], "lcr").splitlines() == [
        "| a | b | c |",
        "| --- | :-: | --: |",
        "| 1 | 2 | 3 |",
    ]


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
