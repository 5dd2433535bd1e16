"""The page: the report's numbers, nothing foreign that runs, and what a browser makes of it."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

import pytest

import report_runs as runs
from sqladder.files import write_text
from sqladder.metric.showing import showable
from sqladder.report.charts.registry import CHARTS
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.page.html_page import LIMIT, render_page
from sqladder.report.page.inline_svg import inline_svg
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.taxonomy import KINDS

NAMES = ("baseline", "lora_32r", "full")
N = 60
SPOIL = "document.title='spoiled'"
HOSTILE = [
    f"</script><script>{SPOIL}</script>",
    f'<img src=x onerror="{SPOIL}">',
    f"'\"><svg onload={SPOIL}>",
    f"\u2028{SPOIL}//\u2029",
    f"\0\x1b[31m\u202e<!--<script>{SPOIL}</script>-->",
    f'```\n</code></pre><iframe srcdoc="<script>parent.{SPOIL}</script>">',
    f"[x](javascript:{SPOIL}) `{{{{ 7*7 }}}}` {{% raw %}}",
    "SELECT '" + "x" * 20_000,
]


def prompt_of(question):
    return f"[system]\n{HOSTILE[0]}\n\n[user]\nCREATE TABLE t;\n{question['question']}"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The page of a run in which questions, gold, answers, reasons and details attack it."""
    folder = tmp_path_factory.mktemp("page")
    questions = runs.question_rows(N)
    for number, question in enumerate(questions):
        question["question"] += HOSTILE[number % len(HOSTILE)]
        question["sql"] += HOSTILE[(number + 1) % len(HOSTILE)]
    marks = dict(zip(NAMES, runs.random_marks(N, [0.3, 0.5, 0.7], 4), strict=True))
    rows = {name: runs.verdict_rows(questions, own) for name, own in marks.items()}
    for own in rows.values():
        for number, row in enumerate(own):
            row |= {"reason": "error", "found": HOSTILE[(number + 3) % len(HOSTILE)]}
    files = runs.write_run(folder, questions, rows, trained=NAMES, generated=NAMES)
    for path in files["predictions"]:
        answers = [json.loads(line) for line in path.open()]
        for number, answer in enumerate(answers):
            answer["sql"] = f"SELECT {number} {HOSTILE[(number + 2) % len(HOSTILE)]}"
        runs.write_lines(path, answers)
    right = [(True, False, False, True)] * len(questions)
    files = runs.write_samples(files, NAMES[-1:], right)
    comparison = compare(load_run(**files, baseline="baseline"))
    results = [
        {"id": question["id"], "variant": name, "file": HOSTILE[number % 7], "more_columns": 1}
        | {"names": [HOSTILE[(number + 4) % 7]], "n": 3, "problem": ""}
        | {"rows": [[mark, HOSTILE[(number + 5) % 7]] for mark in "=+-~"] + [["=", None]]}
        for name in ("", *NAMES)
        for number, question in enumerate(questions)
        if not name or rows[name][number]["verdict"] != "correct"
    ]
    results[1] |= {"problem": HOSTILE[0]}
    runs.save_charts(comparison, folder / "charts")
    text = render(
        ReportInputs(comparison, runs.run_facts(), f"A {HOSTILE[0]} title", "charts", True)
    )
    title = f"A {HOSTILE[0]} title"
    prompts = {"ddl": {q["id"]: prompt_of(q) for q in questions[:-1]}}
    page = render_page(text, comparison.run, title, folder / "charts", results, prompts)
    write_text(folder / "report.html", page)
    return folder / "report.html", comparison.run, rows, text


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the text of scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.found, self.texts = [], {"script": [], "style": []}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        tag = self.found[-1][0] if self.found else ""
        if tag in self.texts and self.cdata_elem == tag:
            self.texts[tag].append(data)


@pytest.fixture(scope="module")
def elements(made):
    return Elements(made[0].read_text())


def test_no_element_or_attribute_can_run_or_load_anything(elements):
    for tag, attributes in elements.found:
        assert tag not in ("img", "iframe", "object", "embed", "link", "base", "foreignobject")
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name != "style"
            if name in ("href", "src", "xlink:href"):
                assert value.startswith("#") or (tag, value[:21]) == (
                    "image",
                    "data:image/png;base64",
                ), value[:80]
    assert [tag for tag, _ in elements.found].count("script") == 2


def test_the_policy_allows_this_script_and_this_style_only(elements):
    policy = next(a["content"] for t, a in elements.found if t == "meta" and "http-equiv" in a)
    _, script = elements.texts["script"]
    for kind, text in (("script", script), ("style", elements.texts["style"][0])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_the_data_are_the_questions_and_answers(made, elements):
    _, run, rows, _ = made
    data = json.loads(elements.texts["script"][0])
    assert data["variants"] == list(NAMES)
    assert len(data["questions"]) == N
    for place, (key, db, level, asked, gold, answers, shown) in enumerate(data["questions"]):
        question = run.questions[place]
        assert [key, db, data["levels"][level]] == [
            question[name] for name in ("id", "db_id", "hardness")
        ]
        assert asked[:LIMIT] == showable(question["question"][:LIMIT])
        assert data["results"][shown][0] == [showable(HOSTILE[(place + 4) % 7])]
        assert data["texts"][gold][:LIMIT] == showable(question["sql"][:LIMIT])
        for variant, answer in zip(run.variants, answers, strict=True):
            sql = variant.seeds[0].predictions[place]["sql"]
            assert data["texts"][answer[0]][:LIMIT] == showable(sql[:LIMIT])
            assert (len(answer) == 1) == (rows[variant.name][place]["verdict"] == "correct")
            if len(answer) > 1:
                assert list(KINDS)[answer[1]] == variant.seeds[0].failures[place]["kind"]
                assert data["texts"][answer[3]][:LIMIT] == showable(
                    variant.seeds[0].detail(place)[:LIMIT]
                )


def test_prompts_stand_there_as_they_were_asked(made, elements):
    _, run, *_ = made
    data = json.loads(elements.texts["script"][0])
    ((context, asked),) = data["prompts"]
    assert (context, asked[-1]) == ("ddl", [])
    for question, lines in zip(run.questions[:-1], asked[:-1], strict=True):
        text = "\n".join(data["lines"][number] for number in lines)
        assert text[:LIMIT] == showable(prompt_of(question)[:LIMIT])
    assert data["lines"].count("CREATE TABLE t;") == 1


def test_nothing_of_the_data_moves_the_cursor_or_turns_the_text(made):
    path, run, *_ = made
    assert any("\x1b" in question["question"] for question in run.questions)
    written = path.read_text()
    assert showable(written) == written
    data = json.loads(Elements(written).texts["script"][0])
    assert showable(json.dumps(data, ensure_ascii=False)) == json.dumps(data, ensure_ascii=False)


def test_a_long_answer_is_cut_with_a_note(elements):
    data = json.loads(elements.texts["script"][0])
    assert any(text.endswith("more characters)") for text in data["texts"])
    assert max(map(len, data["texts"])) < LIMIT + 40


def test_the_page_has_every_number_of_the_markdown(made):
    page, _, _, text = made
    shown = re.sub(r"<[^>]+>", " ", page.read_text())
    for line in text.splitlines():
        if line.startswith("| "):
            for number in re.findall(r"\d+\.\d+", line):
                assert number in shown


def test_every_link_within_the_page_has_its_target(elements):
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {a["href"][1:] for tag, a in elements.found if tag == "a"}
    assert len(links) > 10
    assert links <= set(ids)


def test_charts_stand_in_the_page_with_words_and_hover(made, elements):
    charts = [a for tag, a in elements.found if tag == "svg"]
    # Nothing chose a checkpoint or settings here, or was trained on shares of its rows or by reward. Each other one is
    # there twice: for a screen, and for a phone.
    assert len(charts) == 2 * (len(CHARTS) - 4)
    assert all(20 < len(chart["aria-label"]) < 250 for chart in charts)
    assert "<title>lora_32r, easy: 0." in made[0].read_text()


def test_long_names_break_behind_an_underscore_and_short_ones_nowhere(tmp_path):
    questions = runs.question_rows(8)
    run = load_run(**runs.write_run(tmp_path, questions, {"v": [True] * 8}))
    text = (
        "student_transcripts_tracking, concert_singer and lora_32r and `employee_hire_evaluation`\n"
    )
    page = render_page(text, run, "t", tmp_path)
    assert "student_<wbr>transcripts_<wbr>tracking, concert_<wbr>singer and lora_32r and" in page
    assert "<code>employee_hire_evaluation</code>" in page


def test_a_number_stays_with_its_unit(tmp_path):
    questions = runs.question_rows(8)
    run = load_run(**runs.write_run(tmp_path, questions, {"v": [True] * 8}))
    page = render_page("95 % of 3 seeds, 1.5 s, 20 min and 2 minutes\n", run, "t", tmp_path)
    assert "95&nbsp;% of 3 seeds, 1.5&nbsp;s, 20&nbsp;min and 2 minutes" in page


def test_style_attributes_become_attributes_and_ids_get_a_name_in_front(tmp_path):
    (tmp_path / "bars.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9pt" height="4pt" viewBox="0 0 9 4">'
        '<style>*{fill: red}</style><g id="a" style="fill: #fff; font: 700 10px \'DejaVu Sans\'"/>'
        '<path clip-path="url(#a)"/></svg>'
    )
    svg = inline_svg(tmp_path / "bars.svg")
    assert "style" not in svg
    assert 'id="bars-a"' in svg
    assert 'clip-path="url(#bars-a)"' in svg
    assert 'fill="#fff" font-size="10px" font-family="\'DejaVu Sans\'" font-weight="700"' in svg


def in_browser(page: Path, folder: Path, filters=None):
    """The page's elements after its script ran, and what the browser wrote to the console."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium is installed: the page is not opened in a browser")
    address = f"{page.as_uri()}#questions?{urlencode(filters or {})}"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    flags += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    flags += [f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr"]
    flags += ["--virtual-time-budget=5000", "--dump-dom", address]
    done = subprocess.run([program, *flags], capture_output=True, text=True, timeout=60)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, console


def test_a_browser_opens_the_page_without_an_error_and_runs_nothing_foreign(made, tmp_path):
    page, console = in_browser(made[0], tmp_path)
    assert console == []
    found = Elements(page)
    assert f'id="found" role="status">{N} of {N} questions<' in page
    assert "<title>A &lt;/script&gt;" in page
    for tag, attributes in found.found:
        assert tag not in ("img", "iframe")
        assert not any(name.startswith("on") for name in attributes)
    assert '<th class="end"><button' in page
    assert '<span class="k">SELECT</span>' in page
    assert '<tr class="added"><td class="sign" title="only in this result">+' in page
    assert '<td class="null">NULL</td>' in page
    assert "<summary>prompt as asked</summary>" in page


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"level": "1"}, lambda q, right: q["hardness"] == "medium"),
        ({"database": "db_2"}, lambda q, right: q["db_id"] == "db_2"),
        ({"search": "question 17?"}, lambda q, right: "question 17?" in q["question"]),
        (
            {"first": "2", "first-outcome": "right", "second": "0", "second-outcome": "wrong"},
            lambda q, right: right["full"] and not right["baseline"],
        ),
        (
            {"first-outcome": "wrong", "level": "0"},
            lambda q, right: q["hardness"] == "easy" and not all(right.values()),
        ),
    ],
)
def test_filters_find_the_questions_that_they_name(made, tmp_path, filters, expected):
    path, run, rows, _ = made
    wanted = [
        question["id"]
        for place, question in enumerate(run.questions)
        if expected(question, {n: own[place]["verdict"] == "correct" for n, own in rows.items()})
    ]
    page, console = in_browser(path, tmp_path, filters)
    assert console == []
    assert 0 < len(wanted) < N
    assert f'role="status">{len(wanted)} of {N} questions<' in page
    assert f'<p class="meta">{wanted[0]} · ' in page
