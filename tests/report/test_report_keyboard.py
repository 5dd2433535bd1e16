"""The report's page without a mouse: every part is reached, seen where it is, used and left by keys."""

import re

import pytest

import report_runs as runs
from browser import SHIFT, Browser, chromium
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.page.html_page import render_page
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs

N = 40
FOCUSED = """(() => {
  const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
  return {
    tag: element.tagName.toLowerCase(),
    name: element.name || element.textContent.trim(),
    list: Boolean(element.closest("#list")),
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.left < innerWidth,
  };
})()"""
SORTED = (
    'document.querySelector("#ranking ~ .wide th[aria-sort]")?.getAttribute("aria-sort") ?? "no"'
)
FIRST_RANK = 'document.querySelector("#ranking ~ .wide tbody tr").cells[1].textContent'


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of a small run."""
    if chromium() is None:
        pytest.skip("no Chromium is installed: no key can be pressed in a browser")
    names = ("baseline", "lora_32r", "full")
    marks = runs.random_marks(N, [0.2, 0.5, 0.9], 4)
    variants = dict(zip(names, marks, strict=True))
    return write_page(tmp_path_factory.mktemp("keyboard"), runs.question_rows(N), variants)


@pytest.fixture(scope="module")
def lonely(tmp_path_factory):
    """The page of one variant whose name, and whose databases' names, are as long as a line."""
    if chromium() is None:
        pytest.skip("no Chromium is installed: no page can be opened in a browser")
    name = "lora_on_all_linear_layers_with_rank_128_and_alpha_256"
    questions = [
        {**row, "db_id": f"records_of_the_registry_of_motor_vehicles_{row['db_id']}"}
        for row in runs.question_rows(N)
    ]
    variants = {name: [n % 2 == 0 for n in range(N)]}
    return write_page(tmp_path_factory.mktemp("lonely"), questions, variants, baseline=None)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The page of one variant: its heat map is the narrowest chart."""
    if chromium() is None:
        pytest.skip("no Chromium is installed: no page can be opened in a browser")
    variants = {"full": [number % 2 == 0 for number in range(N)]}
    folder = tmp_path_factory.mktemp("alone")
    return write_page(folder, runs.question_rows(N), variants, baseline=None)


def write_page(folder, questions, variants, baseline="baseline"):
    """Write the page of a run and its charts."""
    names = list(variants)
    files = runs.write_run(folder, questions, variants, trained=names, generated=names)
    comparison = compare(load_run(**files, baseline=baseline))
    runs.save_charts(comparison, folder / "charts")
    text = render(ReportInputs(comparison, runs.run_facts(), "Keys", "charts", False))
    path = folder / "report.html"
    path.write_text(render_page(text, comparison.run, "Keys", folder / "charts"))
    return path


@pytest.fixture
def browser(page, tmp_path):
    with Browser(page, tmp_path / "profile") as browser:
        yield browser
        assert browser.console == []


def stops(browser, modifiers=0):
    """What the tab key stops at, from the top to the end of the page."""
    found = []
    for _ in range(400):
        browser.press("Tab", modifiers)
        focused = browser.run(FOCUSED)
        if focused["tag"] == "body":
            return found
        found.append(focused)
    raise AssertionError(f"the tab key never leaves the page: {found[-3:]}")


def test_the_tab_key_reaches_everything_in_the_order_of_the_page_and_leaves_it(browser):
    found = stops(browser)
    names = [stop["name"] for stop in found]
    assert all(names)
    assert names[0] == "Skip to the questions"
    contents = [stop["name"] for stop in found if stop["tag"] == "a"][1:]
    assert contents[:2] == ["Ranking", "Accuracy by level"]
    filters = ["search", "level", "database", "first", "first-outcome", "second", "second-outcome"]
    start = names.index("search")
    assert names[start : start + 8] == [*filters, "Clear"]
    assert names.index("rank") < names.index("Config") < start
    # The list of questions is one stop, however long it is.
    assert sum(stop["list"] for stop in found) == 1
    # Headless, there is no address bar before the page: going back starts over at its end.
    back = [stop["name"] for stop in stops(browser, SHIFT)]
    assert back[: len(names)] == names[::-1]


def test_whatever_has_the_focus_is_seen_and_outlined(browser):
    hidden = [stop for stop in stops(browser) if not (stop["seen"] and stop["outlined"])]
    assert hidden == []


@pytest.mark.parametrize("key", ["Enter", " "])
def test_a_header_sorts_its_table_by_key(browser, key):
    while browser.run(FOCUSED)["name"] != "variant":
        browser.press("Tab")
    assert browser.run(SORTED) == "no"
    browser.press(key)
    assert browser.run(SORTED) == "descending"
    assert browser.run(FIRST_RANK) == "lora_32r"
    browser.press(key)
    assert browser.run(SORTED) == "ascending"
    assert browser.run(FIRST_RANK) == "baseline"
    assert browser.run(FOCUSED)["name"] == "variant"


def test_the_row_of_questions_stays_under_the_header_when_a_table_is_sorted(browser):
    table = 'document.querySelector("#accuracy-by-level ~ .wide table")'
    names = f"[...{table}.rows].map((row) => row.cells[0].textContent)"
    for _ in range(2):
        browser.run(f'{table}.querySelector("th button").click()')
        header, reference, *variants = browser.run(names)
        assert (header, reference) == ("variant", "questions")
        assert sorted(variants) == ["baseline", "full", "lora_32r"]


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_the_way_to_the_questions_is_in_sight_however_many_sections_there_are(
    page, tmp_path, width
):
    with Browser(page, tmp_path / "profile", size=(width, 700)) as browser:
        assert browser.run("""(() => {
          const box = document.querySelector('nav a[href="#questions"]').getBoundingClientRect();
          const seen = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
          return seen.textContent === "Questions" && box.left >= 0 && box.right <= innerWidth;
        })()""")


def test_durations_are_sorted_by_their_length(browser):
    """Trainings took 1.0 minute as 60.0 s, 90.0 s and 2.0 min: the number alone says nothing."""
    column = '[...document.querySelectorAll("#cost ~ .wide")][0].querySelectorAll("tbody tr td:nth-child(6)")'
    browser.run(
        '[...document.querySelectorAll("#cost ~ .wide")][0].querySelectorAll("th button")[5].click()'
    )
    # No line breaks between a number and its unit.
    text = 'cell.textContent.replace("\\u00a0", " ")'
    assert browser.run(f"[...{column}].map((cell) => {text})") == [
        "2.0 min",
        "90.0 s",
        "0.0 s",
    ]


def test_the_skip_link_leads_past_the_tables(browser):
    browser.press("Tab")
    browser.press("Enter")
    browser.press("Tab")
    assert browser.run(FOCUSED)["name"] == "search"


def shown(browser):
    return browser.run('document.querySelector("#shown .meta").textContent').split(" ")[0]


def test_arrows_move_through_the_questions_and_the_tab_key_leaves_them(browser):
    while not browser.run(FOCUSED)["list"]:
        browser.press("Tab")
    assert shown(browser) == "q0000"
    seen = []
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "End", "ArrowDown", "Home", "ArrowUp"):
        browser.press(key)
        seen.append(shown(browser))
        focused = browser.run(FOCUSED)
        assert focused["list"]
        assert focused["seen"]
        number = int(re.search(r"question (\d+)", focused["name"])[1])
        assert f"q{number:04}" == seen[-1]
    assert seen == ["q0001", "q0002", "q0001", "q0039", "q0039", "q0000", "q0000"]
    browser.press("Tab")
    assert not browser.run(FOCUSED)["list"]
    browser.press("Tab", SHIFT)
    assert browser.run(FOCUSED)["list"]


def test_a_slash_searches_but_not_while_one_is_typed(browser):
    browser.press("/")
    assert browser.run(FOCUSED)["name"] == "search"
    browser.press("/")
    assert browser.run('document.querySelector("[name=search]").value') == "/"
    assert browser.run('document.getElementById("found").textContent') == f"0 of {N} questions"


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_window_is_too_narrow_for_the_page(page, tmp_path, width):
    with Browser(page, tmp_path / "profile", "#questions", size=(width, 700)) as browser:
        wide, window = browser.run(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= window


def test_long_names_do_not_widen_a_narrow_window(lonely, tmp_path):
    with Browser(lonely, tmp_path / "profile", "#questions", size=(390, 700)) as browser:
        wide, window = browser.run(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= window
        assert browser.run(
            '[...document.querySelectorAll("#list button")].every((b) => b.scrollWidth <= b.clientWidth)'
        )


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_paper_in_both_schemes(page, tmp_path, dark):
    """Contrast of at least 4.5 to 1, as WCAG 2.2 asks for text of this size."""
    with Browser(page, tmp_path / "profile", dark=dark) as browser:
        for place in ("body", "nav a", "th button", ".meta", ".badge", ".k", "#list small"):
            ratio = browser.run(CONTRAST.replace("PLACE", place))
            assert ratio >= 4.5, (place, ratio)


CONTRAST = """(() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const element = document.querySelector("PLACE");
  let paper = element;
  while (numbers(getComputedStyle(paper).backgroundColor)[3] === 0) paper = paper.parentElement;
  const [one, other] = [getComputedStyle(element).color, getComputedStyle(paper).backgroundColor].map(light);
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
})()"""
