"""The published table beside the run's own figures: every cell's difference, and what is not comparable is said."""

import re

import pytest
import yaml

import report_runs as runs
from conftest import ROOT
from sqladder.errors import InputError
from sqladder.report.loading import load_run
from sqladder.report.sections.published import published_table

TABLE = ROOT / "config/published/qwen3-1p7b.yaml"
COLUMNS = ("easy", "medium", "hard", "extra", "all", "joint_all")


def small_run(folder, plug):
    """A run of 80 questions with one variant, `plug` of each level's 20 right with gold's values."""
    questions = runs.question_rows(80)
    right = [(number // 16) * 4 + number % 4 < plug for number in range(80)]
    rows = runs.verdict_rows(questions, [False] * 80, plug=right)
    return load_run(**runs.write_run(folder, questions, {"mine": rows}))


def rows_of(text):
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_cell_has_its_difference_in_the_published_metric(tmp_path):
    text = published_table(small_run(tmp_path, 10), TABLE, {"mine": "baseline"})
    _, _, asked, scored, published, own, difference = rows_of(text)
    assert asked == ["questions", "published", "248", "446", "174", "166", "1,034"]
    assert scored == ["questions", "this run", "20", "20", "20", "20", "80"]
    assert published[2:] == ["0.859", "0.587", "0.431", "0.151", "0.556"]
    assert own[2:] == ["0.500"] * 5
    # Outside of the interval, 0.299 to 0.701 of 20 and 0.393 to 0.607 of 80 questions, is marked.
    assert difference[2:] == ["−35.9 \\*", "−8.7", "+6.9", "+34.9 \\*", "−5.6"]
    assert "https://github.com/Qianvenh/Text2SQL-Qwen3-1p7B" in text
    assert "oracle values (plug_value)" in text


def test_questions_that_were_not_scored_are_said(spider, tmp_path):
    run = load_run(**runs.parity_run(spider, tmp_path))
    text = published_table(run, TABLE, {"lora_32r": "qwen3_1p7B_lora_32r"})
    assert (
        "The published side is of other questions' answers: of 1,034 questions, this run's of 972 (those of wta_1 "
        "were left out)."
    ) in re.sub(r"\s+", " ", text)
    *_, published, own, difference = rows_of(text)
    # 0.501 is what the published predictions reach when they are scored again without wta_1.
    assert (published[6], own[6], difference[6]) == ("0.489", "0.501", "+1.2")


def test_rows_and_variants_that_are_not_there_are_named(tmp_path):
    run = small_run(tmp_path, 10)
    with pytest.raises(InputError, match="has no row 'base' for variant 'mine': it has baseline, "):
        published_table(run, TABLE, {"mine": "base"})
    with pytest.raises(InputError, match="'other' is no variant of this run: mine"):
        published_table(run, TABLE, {"other": "baseline"})


def test_the_published_levels_add_up_to_all():
    """Rates of the levels, weighted by their questions, give the rate of all: no cell was copied wrong."""
    published = yaml.safe_load(TABLE.read_text())
    sizes = published["questions"]
    assert sum(sizes[level] for level in COLUMNS[:4]) == sizes["all"]
    for row in published["rows"].values():
        right = sum(round(row[level] * sizes[level]) for level in COLUMNS[:4])
        assert round(right / sizes["all"], 3) == row["all"] == row["joint_all"]
