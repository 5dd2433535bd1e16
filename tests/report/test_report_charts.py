"""Charts: the same bytes for the same numbers, one look a variant, axes from 0, words for all."""

import re
import warnings
import xml.etree.ElementTree as ElementTree
from collections import Counter

import numpy as np
import pytest

import report_runs as runs
from conftest import ROOT
from sqladder.report.charted import which_are_charted
from sqladder.report.charts.cost_vs_accuracy import reach_of_mean
from sqladder.report.charts.drawing import FALLBACK_FONTS, plot, save, save_png, without_font
from sqladder.report.charts.loss_curves import smoothed
from sqladder.report.charts.paired_differences import drawn_pairs
from sqladder.report.charts.registry import CHARTS
from sqladder.report.charts.styles import style
from sqladder.report.comparison import MOST, compare
from sqladder.report.loading import load_run
from sqladder.report.results import level_count
from sqladder.statistics.intervals import wilson_interval

SVG = "{http://www.w3.org/2000/svg}"
CAPTIONS = ROOT / "workflow" / "report"
NAMES = ("baseline", "lora_32r", "lora_128r", "full")


def comparison_of(folder, names, n=160, baseline="baseline", sampled=(), **stages):
    questions = runs.question_rows(n)
    rates = np.linspace(0.3, 0.7, len(names))
    variants = dict(zip(names, runs.random_marks(n, rates, 2), strict=True))
    files = runs.write_run(folder, questions, variants, **stages)
    right = np.random.default_rng(4).random((n, 4)) < 0.6
    return compare(load_run(**runs.write_samples(files, sampled, right), baseline=baseline))


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return comparison_of(folder, NAMES, trained=NAMES, generated=NAMES, sampled=("full",))


def draw(comparison, folder, chart):
    """Draw a chart and write both of its files."""
    figure = plot(comparison, CHARTS[chart])
    save(figure, folder / f"{chart}.svg", comparison, CHARTS[chart])
    save_png(figure, folder / f"{chart}.png", comparison, CHARTS[chart])
    return figure


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of the run's charts."""
    return tmp_path_factory.mktemp("charts")


@pytest.fixture(scope="module")
def axes(comparison, folder):
    """The axes of each chart of the run; its files are in `folder`."""
    return {chart: draw(comparison, folder, chart).axes[0] for chart in CHARTS}


@pytest.mark.parametrize("chart", CHARTS)
def test_the_same_numbers_give_the_same_bytes(comparison, axes, folder, tmp_path, chart):
    draw(comparison, tmp_path, chart)
    for kind in ("svg", "png"):
        name = f"{chart}.{kind}"
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), kind


@pytest.mark.parametrize("chart", CHARTS)
def test_a_picture_is_titled(axes, folder, chart):
    picture = (folder / f"{chart}.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert CHARTS[chart].title.encode() in picture


def test_a_letter_is_looked_for_in_the_installed_fonts_of_other_scripts(
    monkeypatch, comparison, tmp_path
):
    installed = ["Some Serif", FALLBACK_FONTS[2], "DejaVu Sans"]
    monkeypatch.setattr("matplotlib.font_manager.get_font_names", lambda: installed)
    draw(comparison, tmp_path, "errors")
    fonts = re.findall(r"font-family: ([^;]*);", (tmp_path / "errors.svg").read_text())
    assert fonts
    for families in fonts:
        assert families.endswith(f"sans-serif, '{FALLBACK_FONTS[2]}'")
        assert not any(other in families for other in FALLBACK_FONTS if other not in installed)


@pytest.mark.parametrize("name", ["变体", "نموذج", "मॉडल"])
def test_a_name_in_any_script_is_text_in_the_svg(tmp_path, name):
    # Which letters the picture lacks depends on the fonts of the machine; matplotlib warns of them.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")
        own = comparison_of(tmp_path, [name, "full"], n=40, baseline=None)
        draw(own, tmp_path, "errors")
    assert f">{name}</text>" in (tmp_path / "errors.svg").read_text("utf-8")


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_is_titled_and_described_and_its_text_is_text(comparison, axes, folder, chart):
    root = ElementTree.parse(folder / f"{chart}.svg").getroot()
    assert root.find(f"{SVG}title").text == CHARTS[chart].title
    assert CHARTS[chart].alt_text(comparison) in (folder / f"{chart}.svg").read_text()
    words = " ".join("".join(node.itertext()) for node in root.iter(f"{SVG}text"))
    # It was not trained, and chose among no samples.
    chosen = ("validation_curves", "candidates", "learning_curves", "reward_curves")
    assert "baseline" in words or chart in ("loss_curves", "samples_vs_cost", *chosen)
    # Nothing chose a checkpoint or settings, or was trained on shares of its rows or by reward.
    assert "full" in words or chart in chosen


@pytest.mark.parametrize("chart", CHARTS)
def test_every_chart_has_a_caption_for_the_html_report(chart):
    assert len((CAPTIONS / f"{chart}.rst").read_text().split()) > 20


@pytest.mark.parametrize("chart", CHARTS)
def test_a_page_says_how_to_read_each_chart(chart):
    page = (ROOT / "docs/charts.md").read_text()
    (section,) = [part for part in page.split("\n## ") if f"(pictures/charts/{chart}.png)" in part]
    _, picture, words = section.strip().split("\n\n", 2)
    assert re.fullmatch(r"!\[\w.{20,}\]\(.*\.png\)", picture)
    assert len(words.split()) > 20
    file = ROOT / "docs/pictures/charts" / f"{chart}.png"
    assert file.read_bytes().startswith(b"\x89PNG")
    assert file.stat().st_size < 60_000


def test_captions_belong_to_charts():
    # workflow.rst is the front page.
    assert {path.stem for path in CAPTIONS.glob("*.rst")} == {*CHARTS, "workflow"}


@pytest.mark.parametrize("chart", ("accuracy_by_level", "cost_vs_accuracy", "loss_curves"))
def test_vertical_axes_start_at_0(axes, chart):
    assert axes[chart].get_ylim()[0] == 0


def test_bars_and_error_bars_have_the_lengths_of_the_numbers(comparison, axes):
    drawn = axes["accuracy_by_level"].containers
    bars = [container for container in drawn if hasattr(container, "patches")]
    assert [bar.get_label() for bar in bars] == list(NAMES)
    for variant, container in zip(comparison.run.variants, bars, strict=True):
        levels = ("easy", "medium", "hard", "extra", "all")
        counts = [level_count(comparison.run, variant, level) for level in levels]
        heights = [patch.get_height() for patch in container.patches]
        assert heights == pytest.approx([count.rate for count in counts])
        _, _, (lines,) = container.errorbar.lines
        ends = [segment[:, 1].tolist() for segment in lines.get_segments()]
        assert ends == [
            pytest.approx(list(wilson_interval(count.correct, count.n))) for count in counts
        ]


def test_a_level_without_questions_has_neither_bar_nor_error_bar(tmp_path):
    questions = runs.question_rows(40, levels=("easy", "hard"))
    run = load_run(**runs.write_run(tmp_path, questions, {"full": [True] * 40}))
    (bars,) = [
        container
        for container in plot(compare(run), CHARTS["accuracy_by_level"]).axes[0].containers
        if hasattr(container, "patches")
    ]
    assert [patch.get_height() for patch in bars.patches] == [1, 0, 1, 0, 1]
    _, _, (lines,) = bars.errorbar.lines
    lengths = [np.ptp(segment[:, 1]) for segment in lines.get_segments()]
    assert [length > 0 for length in lengths] == [True, False, True, False, True]


def test_a_variant_has_one_colour_in_all_charts(comparison, axes):
    wanted = {variant.name: style(i).colour for i, variant in enumerate(comparison.run.variants)}
    for container in axes["accuracy_by_level"].containers:
        if hasattr(container, "patches"):
            colours = {tuple(patch.get_facecolor()) for patch in container.patches}
            assert colours == {_rgba(wanted[container.get_label()])}
    lines = axes["loss_curves"].get_lines()
    named = [line for line in lines if line.get_label() in wanted]
    assert [line.get_label() for line in named] == list(NAMES[1:])
    for line in named:
        assert line.get_color() == wanted[line.get_label()]
    for container in axes["cost_vs_accuracy"].containers:
        assert container.lines[0].get_color() == wanted[container.get_label()]


def _rgba(colour):
    from matplotlib.colors import to_rgba

    return to_rgba(colour)


def test_forty_variants_all_look_different():
    looks = {(style(i).colour, style(i).hatch) for i in range(40)}
    assert len(looks) == 40
    assert len({style(i).marker + style(i).line for i in range(20)}) == 20


def test_neighbours_differ_in_hatch_and_in_marker():
    for position in range(30):
        here, there = style(position), style(position + 1)
        assert here.hatch != there.hatch
        assert here.marker != there.marker


def test_the_forest_marks_which_differences_are_significant(comparison, axes):
    lines = axes["paired_differences"].get_lines()
    dots = [line for line in lines if line.get_marker() == "o"]
    assert [dot.get_xdata()[0] for dot in dots] == pytest.approx(
        [100 * pair.difference for pair in comparison.pairs]
    )
    filled = [dot.get_markerfacecolor() == "black" for dot in dots]
    assert filled == [pair.significant for pair in comparison.pairs]
    assert {True, False} == set(filled)


def test_many_variants_are_drawn_against_the_baseline_only(tmp_path):
    names = ["baseline", *(f"lora_{number}" for number in range(7))]
    many = comparison_of(tmp_path / "a", names)
    pairs, which = drawn_pairs(many)
    assert which == "each variant less baseline"
    assert sorted(pair.first for pair in pairs) == names[1:]
    assert {pair.second for pair in pairs} == {"baseline"}


def test_many_variants_without_a_baseline_are_drawn_against_the_first_that_is_named(tmp_path):
    names = [f"lora_{number}" for number in range(8)]
    many = comparison_of(tmp_path, names, baseline=None)
    pairs, which = drawn_pairs(many)
    assert len(pairs) == 7
    assert {pair.second for pair in pairs} == {"lora_0"}
    assert which == "each variant less lora_0"


@pytest.mark.parametrize(
    ("chart", "message"),
    [
        ("paired_differences", "there is no pair"),
        ("loss_curves", "No variant was trained"),
        ("cost_vs_accuracy", "No training time is known"),
        ("samples_vs_cost", "No variant chose among several samples"),
    ],
)
def test_a_chart_with_nothing_to_show_says_why(tmp_path, chart, message):
    alone = comparison_of(tmp_path, ["imported"], baseline=None)
    draw(alone, tmp_path, chart)
    assert message in (tmp_path / f"{chart}.svg").read_text()
    assert CHARTS[chart].alt_text(alone).startswith("No ")


def test_smoothing_averages_a_twentieth_of_the_steps_and_fewer_at_the_ends():
    values = np.arange(80.0) ** 2
    drawn = smoothed(values)
    assert drawn[40] == pytest.approx(values[38:43].mean())
    assert drawn[0] == pytest.approx(values[:3].mean())
    assert drawn[-1] == pytest.approx(values[-3:].mean())
    assert smoothed(np.array([3.0, 1.0])).tolist() == [3.0, 1.0]


def test_the_loss_chart_holds_the_losses_as_logged(comparison, axes):
    lines = axes["loss_curves"].get_lines()
    logged = [np.array(v.seeds[0].training["loss_curve"]) for v in comparison.run.variants[1:]]
    for line, curve in zip(lines[::2], logged, strict=True):
        assert np.array_equal(line.get_xydata(), curve)


def test_imported_variants_have_no_place_in_the_cost_chart(tmp_path):
    names = ("baseline", "full", "imported")
    mixed = comparison_of(tmp_path, names, trained=names[:2], generated=names[:2])
    axes = plot(mixed, CHARTS["cost_vs_accuracy"]).axes[0]
    places = {box.get_label(): float(box.lines[0].get_xdata()[0]) for box in axes.containers}
    assert places == {"baseline": 0.0, "full": 1.5}


def test_names_of_databases_are_no_formulas_and_no_markup(tmp_path):
    questions = [
        {**question, "db_id": f"$\\frac${question['db_id']}<b>&"}
        for question in runs.question_rows(40)
    ]
    run = load_run(**runs.write_run(tmp_path, questions, {"full": [True] * 40}))
    strange = compare(run)
    draw(strange, tmp_path, "accuracy_by_database")
    root = ElementTree.parse(tmp_path / "accuracy_by_database.svg").getroot()
    texts = ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]
    assert "$\\frac$db_0<b>& (10)" in texts


def test_the_heat_map_holds_every_accuracy(comparison, axes):
    (image,) = axes["accuracy_by_database"].images
    drawn = np.array(image.get_array())
    for column, variant in enumerate(comparison.run.variants):
        for row, chosen in enumerate(comparison.run.by_database.values()):
            assert drawn[row, column] == pytest.approx(variant.correct[0][chosen].mean())
    assert image.get_clim() == (0, 1)


def test_numbers_stand_out_from_the_heat_map(tmp_path):
    """Contrast of at least 4.5 to 1 at every accuracy, as WCAG 2.2 asks for text of this size."""
    questions = runs.question_rows(400, databases=20)
    seen = Counter()
    marks = []
    for question in questions:
        seen[question["db_id"]] += 1
        marks.append(seen[question["db_id"]] <= int(question["db_id"][3:]) + 1)
    axes = plot(
        compare(load_run(**runs.write_run(tmp_path, questions, {"full": marks}))),
        CHARTS["accuracy_by_database"],
    ).axes[0]
    (image,) = axes.images
    assert len({float(share) for share in image.get_array().ravel()}) == 20
    for text in axes.texts:
        paper = image.cmap(image.norm(float(text.get_text())))
        lights = [_light(colour) + 0.05 for colour in (_rgba(text.get_color()), paper)]
        assert max(lights) / min(lights) >= 4.5, text.get_text()


def _light(colour):
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour[:3]]
    return np.dot(linear, (0.2126, 0.7152, 0.0722))


def test_the_parts_of_a_failure_bar_add_up_to_the_failures(comparison, axes):
    stacks = axes["errors"].containers
    lengths = np.sum([[bar.get_width() for bar in bars] for bars in stacks], axis=0)
    assert lengths.tolist() == [int((~v.correct).sum()) for v in comparison.run.variants]


def test_a_name_without_a_font_is_said_and_others_are_not(monkeypatch):
    installed = ["DejaVu Sans"]
    monkeypatch.setattr("matplotlib.font_manager.get_font_names", lambda: installed)
    assert without_font(["lora_32r", "größe", "变体"]) == ["变体"]
    assert without_font(["lora_32r"]) == []


def test_a_mean_training_time_has_the_interval_of_students_t():
    # Three seeds: t(2) = 4.303, sd = 1, so 4.303 / sqrt(3).
    assert reach_of_mean([1.0, 2.0, 3.0]) == pytest.approx(2.484, abs=0.001)
    assert reach_of_mean([5.0]) == 0


def test_of_many_variants_the_first_and_the_baseline_are_charted(tmp_path):
    names = ["baseline", *(f"lora_{number}" for number in range(15))]
    many = comparison_of(tmp_path, names, n=200)
    shown = [variant.name for variant in many.charted]
    assert len(shown) == MOST
    assert shown[:-1] == [variant.name for variant in many.ranking][: MOST - 1]
    assert shown[-1] == "baseline"
    assert which_are_charted(many) == ", 12 of 16 variants, with the baseline"


def test_of_many_variants_the_forest_plot_has_those_that_are_charted(tmp_path):
    names = ["baseline", *(f"lora_{number}" for number in range(15))]
    many = comparison_of(tmp_path, names, n=200)
    pairs, which = drawn_pairs(many)
    assert {pair.first for pair in pairs} == {v.name for v in many.charted} - {"baseline"}
    assert which == "each variant less baseline, 12 of 16 variants, with the baseline"
