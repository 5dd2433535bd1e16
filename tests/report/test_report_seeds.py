"""The report of a run with several seeds: every number is recomputed from verdicts."""

import csv
import io
from statistics import mean, stdev

import numpy as np
import pytest
from matplotlib.colors import to_hex

import report_runs as runs
from sqladder.report.charts.drawing import plot
from sqladder.report.charts.registry import CHARTS
from sqladder.report.charts.styles import style
from sqladder.report.comparison import compare
from sqladder.report.csv_export import metrics_csv
from sqladder.report.loading import load_run
from sqladder.report.page.html_page import browser_data
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.statistics.paired_difference import PairedDifference

N = 96
SEEDS = (42, 43, 44)


@pytest.fixture(scope="module")
def marks():
    """Marks by replicate: an untrained baseline, one variant with three seeds and one with a single one."""
    rng = np.random.default_rng(8)
    baseline, full, lora = runs.random_marks(N, [0.3, 0.6, 0.5], 5)
    seeded = {f"full/seed_{seed}": full ^ (rng.random(N) < 0.08) for seed in SEEDS}
    return {"baseline": baseline, **seeded, "lora": lora}


@pytest.fixture(scope="module")
def comparison(marks, tmp_path_factory):
    questions = runs.question_rows(N)
    names = list(marks)
    files = runs.write_run(
        tmp_path_factory.mktemp("seeds"), questions, marks, trained=names, generated=names
    )
    return compare(load_run(**files, baseline="baseline"))


@pytest.fixture(scope="module")
def figures(comparison):
    """Every chart of the run."""
    return {name: plot(comparison, chart) for name, chart in CHARTS.items()}


@pytest.fixture(scope="module")
def report(comparison):
    return render(ReportInputs(comparison, runs.run_facts(), "Seeds", "charts", False))


def rates(marks, level="all"):
    """The accuracy of each seed of `full`, counted from the marks."""
    levels = [question["hardness"] for question in runs.question_rows(N)]
    chosen = [level in ("all", own) for own in levels]
    return [float(np.mean(marks[f"full/seed_{seed}"][chosen])) for seed in SEEDS]


def row_of(report, heading, first):
    section = report.split(f"## {heading}\n")[1].split("\n## ")[0]
    line = next(line for line in section.splitlines() if line.startswith(f"| {first}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_ranking_has_means_and_the_number_of_seeds(report, marks):
    ranked = [row_of(report, "Ranking", f"{rank} | full") for rank in ("1", "1-2")
              if f"| {rank} | full" in report]  # fmt: skip
    (cells,) = ranked
    share = mean(rates(marks))
    assert cells[2:4] == ["3", str(N)]
    assert float(cells[4].replace(",", "")) == pytest.approx(share * N, abs=0.051)
    assert cells[5] == f"{share:.3f}"
    low, high = map(float, cells[6].split(" to "))
    assert low < share < high
    gap = 100 * (share - float(np.mean(marks["baseline"])))
    assert cells[7] == f"{gap:+.1f}"


def test_a_variant_trained_once_is_taken_to_vary_and_an_untrained_one_is_not(comparison):
    full, lora, baseline = (comparison.run.named(n).correct for n in ("full", "lora", "baseline"))
    groups = comparison.run.groups
    wider = PairedDifference.of(full, lora, groups, single_seed_varies=True)
    narrower = PairedDifference.of(full, lora, groups)
    assert comparison.pair("full", "lora").p_alone == wider.p > narrower.p
    untrained = PairedDifference.of(full, baseline, groups)
    assert comparison.pair("full", "baseline").p_alone == untrained.p


def test_the_methods_name_the_formula_of_the_detectable_difference(report):
    assert "for the test, the adjustment and the groups that are used here (Connor 1987" in report


def test_the_spread_between_seeds_is_told(report, marks):
    own = rates(marks)
    expected = [
        "full",
        "3",
        f"{mean(own):.3f}",
        f"{100 * stdev(own):.1f}",
        f"{min(own):.3f}",
        f"{max(own):.3f}",
    ]
    each = ", ".join(f"{seed}: {share:.3f}" for seed, share in zip(SEEDS, own, strict=True))
    assert row_of(report, "Seeds", "full") == [*expected, each]
    assert row_of(report, "Seeds", "lora")[3:] == ["-"] * 4


def test_levels_and_databases_are_means(report, marks):
    cells = row_of(report, "Accuracy by level", "full")
    assert cells[1:6] == [f"{mean(rates(marks, level)):.3f}" for level in (*runs.LEVELS, "all")]
    databases = [question["db_id"] for question in runs.question_rows(N)]
    for name in sorted(set(databases)):
        chosen = [own == name for own in databases]
        share = mean(float(np.mean(marks[f"full/seed_{seed}"][chosen])) for seed in SEEDS)
        assert row_of(report, "Accuracy by database", name)[3] == f"{share:.3f}"


def test_wins_are_means_over_pairs_of_seeds(report, marks):
    wins = [np.sum(marks[f"full/seed_{seed}"] & ~marks["baseline"]) for seed in SEEDS]
    losses = [np.sum(marks["baseline"] & ~marks[f"full/seed_{seed}"]) for seed in SEEDS]
    cells = row_of(report, "Paired differences", "full − baseline")
    told = [float(cell) for cell in cells[4].split(" : ")]
    assert told == pytest.approx([np.mean(wins), np.mean(losses)], abs=0.051)
    right = row_of(report, "Who wins which questions", "full, not baseline")
    assert float(right[1]) == pytest.approx(np.mean(wins), abs=0.051)


def test_failures_are_means_that_add_up(figures, marks):
    failed = N * (1 - mean(rates(marks)))
    (axes,) = figures["errors"].axes
    lengths = sum(bar.patches[1].get_width() for bar in axes.containers)
    assert lengths == pytest.approx(failed)


def test_the_csv_has_the_mean_and_every_seed(comparison, marks):
    rows = list(csv.DictReader(io.StringIO(metrics_csv(comparison))))
    found = [
        r for r in rows if (r["variant"], r["level"], r["metric"]) == ("full", "all", "test_suite")
    ]
    own = rates(marks)
    assert [row["seed"] for row in found] == ["", *map(str, SEEDS)]
    assert [float(row["rate"]) for row in found] == pytest.approx([mean(own), *own], abs=1e-6)
    assert float(found[0]["sd"]) == pytest.approx(stdev(own), abs=1e-6)
    assert {row["seed"] for row in rows if row["variant"] != "full"} == {""}


def test_each_seed_has_a_loss_line_in_its_variants_look(figures):
    figure = figures["loss_curves"]
    lines = [line for line in figure.axes[0].get_lines() if line.get_marker() != "None"]
    looks = [style(1), style(1), style(1), style(2)]
    assert [to_hex(line.get_color()) for line in lines] == [look.colour.lower() for look in looks]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["full", "lora"]


def test_costs_stand_for_each_seed_and_charts_for_the_mean(report, comparison, figures):
    for seed in SEEDS:
        assert row_of(report, "Cost", f"full, seed {seed}")[1] == "lora"
    (container, *_) = figures["cost_vs_accuracy"].axes[0].containers[1:]
    times = [own.training["seconds"] / 60 for own in comparison.run.named("full").seeds]
    assert container.lines[0].get_xdata()[0] == pytest.approx(mean(times))


@pytest.mark.parametrize("chart", CHARTS)
def test_every_chart_is_drawn_and_described(comparison, figures, chart):
    assert figures[chart].axes
    assert len(CHARTS[chart].alt_text(comparison)) > 40


def test_the_methods_name_what_is_done_with_seeds(report):
    methods = report.split("## Methods\n")[1].split("\n## ")[0]
    assert "Satterthwaite" in methods
    assert "is not measured" not in methods
    assert len([line for line in methods.splitlines() if line[:2].strip(".").isdigit()]) == 12


def test_the_page_has_every_seed_as_an_answer(comparison, marks):
    data = browser_data(comparison.run, (), {})
    assert data["variants"] == ["baseline", *(f"full, seed {seed}" for seed in SEEDS), "lora"]
    for place, row in enumerate(data["questions"]):
        assert [len(answer) == 1 for answer in row[5]] == [
            bool(own[place]) for own in marks.values()
        ]
