"""What a report says of the candidates that a variant's settings were chosen among."""

import json

import pytest

import report_runs as runs
from sqladder.report.charts import candidate_costs
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs

QUESTIONS = runs.question_rows(20)
GROUPS = [f"query {n // 2}" for n in range(40)]


def search(*right, hours=0.5, left_out=(), stopped=None):
    """What train.json says: a candidate for each number of right answers, always the first ones of 40."""
    chosen = right.index(max(right))
    rows = [
        {
            "folder": f"results/full/candidates/{n}",
            "swept": {"learning_rate": 0.001 * n, "target_modules": ["q_proj", "v_proj"]},
            "correct": "1" * count + "0" * (40 - count),
            "device_hours": hours,
            **({"stopped": stopped[n]} if n in (stopped or {}) else {}),
        }
        for n, count in enumerate(right, 1)
    ]
    point = {"step": 1, "epoch": 1.0, "loss": 1.0, "seconds": 1.0}
    validation = {
        "groups": GROUPS,
        "databases": 3,
        # Nine steps, of which the last is the best.
        "points": [
            point
            | {
                "step": step,
                "correct": "1" * (max(right) - 9 + step) + "0" * (49 - step - max(right)),
            }
            for step in range(1, 10)
        ],
        "chosen": 1,
        "stopped_early": False,
        "seconds": 1.0,
    }
    return {
        "settings": {"learning_rate": 0.001},
        "steps": 9,
        "validation": validation,
        "sweep": {"chosen": chosen, "candidates": rows, "left_out": left_out},
    }


def search_of_ranks(*ranks, rslora=False, **more):
    """A search whose candidates tried a rank each, and `more`, with alpha at 128."""
    found = search(*range(10, 10 + len(ranks)))
    for row, rank in zip(found["sweep"]["candidates"], ranks, strict=True):
        row["swept"] = {"rank": rank, **more}
    return {**found, "settings": {"rank": ranks[-1], "alpha": 128, "rslora": rslora}}


def report(folder, searches):
    marks = {name: [number < 12 for number in range(20)] for name in searches}
    files = runs.write_run(folder, QUESTIONS, marks, trained=list(searches))
    for path in files["training"]:
        facts = json.loads(path.read_text())
        runs.write_value(path, {**facts, "seconds": 80.0, **searches[path.parent.name]})
    comparison = compare(load_run(**files))
    return render(ReportInputs(comparison, runs.run_facts(), "T", "charts")), comparison


def rows_after(text, heading):
    block = text.split(heading)[1].split("\n\n")[1]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines()]


def test_each_candidate_stands_with_its_marks_its_lead_and_its_cost(tmp_path):
    text, _ = report(tmp_path, {"plain": {}, "full": search(10, 30, 29)})
    _, _, low, best, close = rows_after(text, "### Sweep of full")
    assert low[0] == "learning_rate 0.001, target_modules q_proj v_proj"
    assert (low[1], low[3], low[5]) == ("0.250", "+50.0", "30.0 min")
    assert best[0].endswith("(chosen)")
    assert (best[1], best[3], best[4]) == ("0.750", "", "")
    assert close[3] == "+2.5"
    said = " ".join(text.split())
    assert "3 candidates were judged by 40 questions" in said
    assert "the chosen one is 50.0 points ahead of the worst (p = 0.002)" in said
    assert "2 of them, itself included, cannot be told from it" in said
    assert "charts/candidates.svg" in text


def test_the_ranking_has_the_number_of_candidates_tried(tmp_path):
    text, _ = report(tmp_path, {"plain": {}, "full": search(10, 30, 29)})
    header, _, *rows = rows_after(text, "## Ranking")
    place = header.index("tried")
    assert {row[1]: row[place] for row in rows} == {"plain": "1", "full": "3"}
    assert "[Sweeps](#sweeps)" in text


def test_where_candidates_were_stopped_stands_in_table_sentence_and_chart(tmp_path):
    halved = search(30, 10, 20, 12, stopped={2: 1 / 9, 3: 1 / 3, 4: 1 / 9})
    text, comparison = report(tmp_path, {"full": halved})
    rows = rows_after(text, "### Sweep of full")
    outcomes = [row[0].partition(" (")[2].rstrip(")") for row in rows[2:]]
    assert outcomes == ["chosen", "stopped after 11 %", "stopped after 33 %", "stopped after 11 %"]
    # The chosen one had 22, 24 and 22 right when these were stopped.
    assert [row[3] for row in rows[2:]] == ["", "+30.0", "+10.0", "+25.0"]
    assert "Successive halving stopped 2 after 11 %, 1 after 33 % of" in text
    said = " ".join(text.split())
    assert "the chosen one is 30.0 points ahead of the worst" in said
    assert "cannot be told from it after as much training" in said
    figure = candidate_costs.draw(comparison, 7.0)
    crosses = [line for line in figure.axes[0].lines if line.get_marker() == "x"]
    assert [len(line.get_xdata()) for line in crosses] == [3]
    (legend,) = figure.legends
    assert "stopped by halving" in [entry.get_text() for entry in legend.get_texts()]


def test_what_the_budget_left_out_is_said(tmp_path):
    left_out = [{"swept": {"learning_rate": 0.5}, "reason": "2 of 2 hours are spent"}]
    text, _ = report(tmp_path, {"full": search(10, 12, left_out=left_out)})
    assert rows_after(text, "### Sweep of full")[-1][0] == "learning_rate 0.5 (not started)"
    said = " ".join(text.split())
    assert "The budget left out 1 candidate, the first because 2 of 2 hours are spent." in said
    assert "2 candidates were judged" in said


def test_a_scale_that_changed_with_the_rank_is_said(tmp_path):
    text, _ = report(tmp_path, {"full": search_of_ranks(128, 32, 48)})
    said = " ".join(text.split())
    assert (
        "Rank was tried with alpha at 128, so that the update's scale, alpha / rank, fell from 4 to 1"
        in said
    )
    assert "as rank rose from 32 to 128: a lead may come of either." in said


@pytest.mark.parametrize(
    "searched",
    [
        search_of_ranks(32, 32),
        search_of_ranks(32, 128, alpha=128),
        search_of_ranks(32, 128, rslora=True),
    ],
)
def test_a_scale_that_did_not_change_with_the_rank_alone_is_not(tmp_path, searched):
    assert "Rank was tried" not in report(tmp_path, {"full": searched})[0]


def test_equal_candidates_did_not_matter(tmp_path):
    text, _ = report(tmp_path, {"full": search(10, 10)})
    assert "all have as many right answers, so the first was taken" in " ".join(text.split())


def test_a_run_without_a_sweep_has_no_such_section_and_its_chart_says_so(tmp_path):
    text, comparison = report(tmp_path, {"plain": {}})
    assert "## Sweeps" not in text
    assert "tried" not in rows_after(text, "## Ranking")[0]
    assert candidate_costs.alt_text(comparison).startswith("No candidates")


@pytest.mark.parametrize(("hours", "unit", "place"), [(0.5, "minutes", 30.0), (3.0, "hours", 3.0)])
def test_the_chart_rings_the_chosen_one(tmp_path, hours, unit, place):
    _, comparison = report(tmp_path, {"full": search(10, 30, 24, hours=hours)})
    (axes,) = candidate_costs.draw(comparison, runs.WIDE).axes
    rings = [line for line in axes.lines if line.get_color() == "black" and len(line.get_xdata())]
    assert [line.get_xydata().tolist() for line in rings] == [[[place, 0.75]]]
    assert unit in axes.get_xlabel()
    assert "0.250 to 0.750" in candidate_costs.alt_text(comparison)
