"""The browser of questions: a link to one, other wordings of its query, and the answer as it was written."""

import json

import pytest

import report_runs as runs
from browser import Browser, chromium
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.page.html_page import render_page

pytestmark = pytest.mark.skipif(chromium() is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Twelve questions of which q0004 and q0008 are wordings of one query; `full` is right on the first only."""
    folder = tmp_path_factory.mktemp("links")
    questions = runs.question_rows(12)
    for number, question in enumerate(questions):
        question["sql"] = f"SELECT {number}"
    questions[8]["sql"] = "select  4"
    variants = {"baseline": [False] * 12, "full": [number == 4 for number in range(12)]}
    files = runs.write_run(folder, questions, variants)
    for path in files["predictions"]:
        answers = [json.loads(line) for line in path.open()]
        runs.write_lines(path, [{**row, "text": f"Sure: <b>{row['sql']}</b>"} for row in answers])
    run = compare(load_run(**files)).run
    path = folder / "report.html"
    path.write_text(render_page("# T\n", run, "T", folder))
    return path


def test_a_link_opens_its_question_with_other_wordings_and_raw_answers(page, tmp_path):
    with Browser(page, tmp_path / "profile", "#questions?question=q0004") as browser:
        shown = 'document.querySelector("#shown .meta").textContent'
        assert browser.run(shown).startswith("q0004 · ")
        told = browser.run('document.querySelector(".wordings").textContent')
        assert "How many rows has question 8?" in told
        assert told.endswith("right on one of both only: full")
        assert (
            browser.run('document.querySelector(".raw pre").textContent')
            == "Sure: <b>SELECT 'q0004'</b>"
        )
        browser.run('document.querySelector(".wordings a").click()')
        assert browser.run(shown).startswith("q0008 · ")
        assert browser.run("location.hash") == "#questions?question=q0008"
        assert browser.console == []


def test_a_question_without_other_wordings_has_none(page, tmp_path):
    with Browser(page, tmp_path / "profile", "#questions?question=q0003") as browser:
        assert browser.run('document.querySelector("#shown .meta").textContent').startswith(
            "q0003 · "
        )
        assert browser.run('document.querySelector(".wordings")') is None
