"""Trainings by reward in the report: their curves as a chart of small panels, and as a table."""

import numpy as np
import pytest

import report_runs as runs
from sqladder.report.charts import loss_curves, reward_curves
from sqladder.report.charts.drawing import NARROW, WIDE, plot
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.sections import learned
from sqladder.report.sections.report_inputs import ReportInputs

NAMES = ("full", "grpo", "grpo_free/seed_1", "grpo_free/seed_2")


def comparison_of(folder, rewarded):
    """A compared run, and the facts of those of its trainings that are by reward."""
    questions = runs.question_rows(40)
    files = runs.write_run(folder, questions, {name: [True] * 40 for name in NAMES}, trained=NAMES)
    rng = np.random.default_rng(1)
    facts = {name: runs.reward_facts(rng, **own) for name, own in rewarded.items()}
    for path in files["training"]:
        name = path.parent.relative_to(folder / "results").as_posix()
        if name in facts:
            runs.write_value(path, facts[name])
    return compare(load_run(**files)), facts


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    no_kl = {"kl": False, "right": (0.6, 0.7)}
    rewarded = {"grpo": {}, "grpo_free/seed_1": no_kl, "grpo_free/seed_2": no_kl}
    return comparison_of(tmp_path_factory.mktemp("run"), rewarded)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_each_panel_holds_the_curves_as_logged(run, width):
    comparison, facts = run
    panels = {
        axes.get_title(loc="left"): axes
        for axes in plot(comparison, reward_curves.CHART, width).axes
    }
    assert list(panels) == list(reward_curves.PANELS.values())
    for key, title in reward_curves.PANELS.items():
        logged = [
            own["learning"]["curves"][key]
            for own in facts.values()
            if key in own["learning"]["curves"]
        ]
        drawn = [line.get_ydata() for line in panels[title].get_lines()[::2]]
        assert len(drawn) == (1 if key == "kl" else 3)
        for line, curve in zip(drawn, logged, strict=True):
            assert np.array_equal(line, curve)
        assert panels[title].get_ylim()[0] == 0


def test_a_curve_with_unknown_points_is_drawn_of_the_others(tmp_path):
    comparison, facts = comparison_of(tmp_path, {"grpo": {}})
    (own,) = reward_curves.by_reward(comparison)
    own.training["learning"]["curves"]["entropy"][3] = None
    figure = plot(comparison, reward_curves.CHART)
    (axes,) = [axes for axes in figure.axes if axes.get_title(loc="left").startswith("entropy")]
    drawn = axes.get_lines()[0].get_ydata()
    assert len(drawn) == len(facts["grpo"]["learning"]["curves"]["step"]) - 1


def test_without_kl_there_is_no_panel_of_it_and_the_lowest_ones_show_the_steps(tmp_path):
    comparison, _ = comparison_of(tmp_path, {"grpo": {"kl": False}})
    figure = plot(comparison, reward_curves.CHART)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == list(reward_curves.PANELS.values())[:-1]
    assert [bool(axes.get_xlabel()) for axes in figure.axes] == [False, False, True, True, True]


def test_the_chart_says_in_words_where_right_answers_went(run, tmp_path):
    assert "of 3 trainings by reward; right answers go from" in reward_curves.alt_text(run[0])
    alone, _ = comparison_of(tmp_path, {})
    assert reward_curves.alt_text(alone).startswith("No curves of rewards")


def test_the_section_has_chart_and_table_and_the_chart_of_losses_leaves_them_out(run):
    comparison, _ = run
    text = learned.section(ReportInputs(comparison, runs.run_facts(), "Rewards", "charts"))
    assert "](charts/reward_curves.svg)" in text
    assert "### grpo, from full" in text
    assert "Of 480 groups 180 were all equal, and 60 had no right answer." in text
    assert "**3 of 4 training databases have one file" in text
    assert [own.label for own in loss_curves.with_curve(comparison)] == ["full"]
