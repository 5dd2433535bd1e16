"""What the answers of servers cost, in the report's section of costs."""

import json

import report_runs as runs
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.sections.costs import served_part
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs

QUESTIONS = runs.question_rows(20)
FACTS = {
    "engine": "served",
    "server": {"url": "https://example.org/v1", "model": "large"},
    "answered_by": ["large-2026-11"],
    "requests": 20,
    "retries": 3,
    "prompts": 20,
    "prompt_tokens": 9000,
    "output_tokens": 600,
}


def served_run(tmp_path, names):
    marks = {name: [number < 12 for number in range(20)] for name in [*names, "plain"]}
    files = runs.write_run(tmp_path, QUESTIONS, marks, generated=list(marks))
    for path in files["generation"][:-1]:
        facts = json.loads(path.read_text()) | FACTS
        for name in ("device", "peak_memory_mb", "model"):
            facts.pop(name, None)
        runs.write_value(path, facts)
    return load_run(**files)


def test_tokens_and_prices_stand_in_the_cost_section_and_what_is_not_known_is_left_open(tmp_path):
    run = served_run(tmp_path, ["priced", "free", "unknown"])
    price = {"input": 2.0, "output": 10.0}
    facts = runs.run_facts()
    facts["config"]["variants"] = {
        "priced": {"method": "served", "price": price},
        "free": {"method": "served", "price": {"input": 0.0, "output": 0.0}},
        "unknown": {"method": "served"},
        "plain": {"method": "none"},
    }
    text = render(ReportInputs(compare(run), facts, "T", "charts"))
    section = text.split("## Cost")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if "example.org" in line]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    # 9,000 tokens at 2 and 600 at 10 a million; a thousand questions are fifty times twenty.
    assert rows[0][1:] == [
        "large-2026-11", "https://example.org/v1", "20", "3", "9,000", "600", "0.024", "1.2",
    ]  # fmt: skip
    assert rows[1][-2:] == ["0", "0"]
    assert rows[2][-2:] == ["-", "-"]
    assert "price of 1,000 questions" in section


def test_a_run_without_servers_has_no_such_table(tmp_path):
    assert served_part(served_run(tmp_path, []), {"variants": {}}) == ""
