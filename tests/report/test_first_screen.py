"""What a reader sees first: answer, picture, what could have been found and cost, on a screen and on a phone."""

import pytest

import report_runs as runs
from browser import Browser, chromium
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.page.html_page import render_page
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs

SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
NAMES = ["baseline", *(f"qwen3_1p7b_lora_rank_{2**n}_all_linear" for n in range(5)), "full"]

needs_browser = pytest.mark.skipif(
    chromium() is None, reason="no Chromium is installed: the page is not looked at"
)

# Where the bottom of each part of the first screen is, from the top of the page.
BOTTOMS = """(() => {
  const seen = (element) => element.getBoundingClientRect().width > 0;
  const chart = [...document.querySelectorAll(".chart svg")].find(seen);
  const starting = (text) => [...document.querySelectorAll("main > p")].find((p) => p.textContent.startsWith(text));
  const parts = {
    answer: starting("Which of 7 variants"), chart, cost: starting("Cost: "),
    findable: chart.closest("p").nextElementSibling,
  };
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.getBoundingClientRect().bottom]));
})()"""

# Of each chart that is seen: its width, the width that it was drawn for, and the size of its smallest letters.
CHARTS = """[...document.querySelectorAll(".chart svg")]
  .filter((svg) => svg.getBoundingClientRect().width > 0)
  .map((svg) => {
    const shown = svg.getBoundingClientRect().width;
    const sizes = [...svg.querySelectorAll("text")].map((text) => parseFloat(getComputedStyle(text).fontSize));
    return [shown, svg.width.baseVal.value, Math.min(...sizes) * shown / svg.viewBox.baseVal.width];
  })"""

# Numbers of the grouped bars that lie over an error bar of another bar, or over another number.
COVERED = """(() => {
  const chart = [...document.querySelectorAll('.chart svg')].filter((svg) => svg.getBoundingClientRect().width > 0)
    .find((svg) => svg.getAttribute("aria-label").startsWith("Grouped bars"));
  const boxes = (found) => found.map((element) => element.getBoundingClientRect());
  const numbers = boxes([...chart.querySelectorAll("text")].filter((t) => /^0\\.\\d{3}$/.test(t.textContent.trim())));
  const errors = boxes([...chart.querySelectorAll('[id*="LineCollection"] path')]);
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const met = (one) => [...errors, ...numbers].filter((other) => other !== one && meet(one, other)).length;
  return [numbers.length, errors.length, numbers.map(met).reduce((sum, n) => sum + n, 0)];
})()"""

# Whether the names of a table stay in sight when it is scrolled to its end.
STAYING = """[...document.querySelectorAll("main > .wide")]
.filter((box) => box.scrollWidth > box.clientWidth).map((box) => {
  box.scrollLeft = box.scrollWidth;
  const name = box.querySelector("tbody td:first-child:not(.middle), tbody .middle + td").getBoundingClientRect();
  const frame = box.getBoundingClientRect();
  return [Math.round(name.left - frame.left), name.width / frame.width];
})"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A run of seven variants with long names, all of them trained."""
    folder = tmp_path_factory.mktemp("first")
    questions = runs.question_rows(400, databases=8)
    marks = runs.random_marks(400, [0.3, 0.44, 0.45, 0.46, 0.47, 0.5, 0.6], 3)
    variants = dict(zip(NAMES, marks, strict=True))
    files = runs.write_run(folder, questions, variants, trained=NAMES, generated=NAMES)
    files = runs.write_samples(files, ["full"], [(mark, True, False, mark) for mark in marks[-1]])
    comparison = compare(load_run(**files, baseline="baseline"))
    runs.save_charts(comparison, folder / "charts")
    text = render(ReportInputs(comparison, runs.run_facts(), "Which adapter?", "charts"))
    path = folder / "report.html"
    path.write_text(render_page(text, comparison.run, "Which adapter?", folder / "charts"))
    return path


@pytest.fixture(scope="module", params=[(size, dark) for size in SIZES for dark in (False, True)])
def seen(request, page, tmp_path_factory):
    """The page in a window, light or dark, with its picture."""
    size, dark = request.param
    folder = tmp_path_factory.mktemp("seen")
    with Browser(page, folder / "profile", size=SIZES[size], dark=dark) as browser:
        browser.screenshot(folder / "first_screen.png")
        yield browser, SIZES[size], folder / "first_screen.png"


@needs_browser
def test_the_first_screen_holds_answer_picture_power_and_cost(seen):
    browser, (_, height), picture = seen
    assert picture.read_bytes().startswith(b"\x89PNG")
    for part, bottom in browser.run(BOTTOMS).items():
        assert 0 < bottom <= height, part


@needs_browser
def test_charts_are_shown_as_wide_as_they_are_drawn_with_letters_that_can_be_read(seen):
    browser, (width, _), _ = seen
    charts = browser.run(CHARTS)
    assert len(charts) > 5
    for shown, drawn, smallest in charts:
        assert shown == pytest.approx(drawn, rel=0.02)
        assert shown <= width
        assert smallest >= 9


@needs_browser
def test_no_number_of_a_bar_is_covered(seen):
    numbers, errors, covered = seen[0].run(COVERED)
    assert numbers >= 30
    assert errors >= 30
    assert covered == 0


@needs_browser
def test_names_stay_in_sight_when_a_table_is_scrolled(seen):
    browser, (width, _), _ = seen
    tables = browser.run(STAYING)
    assert tables or width > 1000
    for left, share in tables:
        assert left == 0
        assert share < 0.5
