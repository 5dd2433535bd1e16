"""Gold queries whose result hangs on the order of rows are found, and shown; others are not."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

import report_runs as runs
from conftest import ROOT
from sqladder.data.ambiguity import ambiguous_golds, write_shuffled
from sqladder.metric.limits import Limits
from sqladder.metric.normalise import QUIRKS
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.sections import opening
from sqladder.report.sections.doubtful_gold import ambiguous_gold
from sqladder.report.sections.report_inputs import ReportInputs

SCHEMA = """
CREATE TABLE pet (name TEXT, age INTEGER, weight REAL);
CREATE TABLE visit (id INTEGER PRIMARY KEY, pet TEXT, day TEXT);
CREATE TABLE kept (a TEXT, b TEXT, PRIMARY KEY (a)) WITHOUT ROWID;
CREATE TABLE twice (x INT, y INT GENERATED ALWAYS AS (2 * x) VIRTUAL, UNIQUE (x));
CREATE VIEW old AS SELECT * FROM pet WHERE age > 3;
CREATE TRIGGER noted AFTER UPDATE ON pet BEGIN DELETE FROM pet; END;
INSERT INTO pet VALUES ('Ann', 3, 0.1), ('Bob', 3, 0.2), ('Cid', 5, 0.3), ('Dan', 7, 1e16), ('Eve', 2, -1e16);
INSERT INTO visit VALUES (1, 'Ann', 'mon'), (2, 'Bob', 'mon'), (3, 'Cid', 'tue');
INSERT INTO kept VALUES ('x', 'y'), ('z', 'y');
INSERT INTO twice (x) VALUES (1), (2), (3);
"""


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "shop.sqlite")) as connection:
        connection.executescript(SCHEMA)
    return folder / "shop.sqlite"


def why(shop, sql, quirks="repaired"):
    rows = [{"id": "a", "db_id": "shop", "sql": sql}]
    found = ambiguous_golds(rows, {"shop": shop}, Limits(), QUIRKS[quirks])
    return found.get("a", "")


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT name FROM pet ORDER BY weight LIMIT 1", ""),
        (
            "SELECT name FROM pet WHERE age > 2 ORDER BY age LIMIT 1",
            "sorted alike by (3): (Ann) is in, (Bob) is not",
        ),
        ("SELECT name FROM pet WHERE age = (SELECT age FROM pet ORDER BY name LIMIT 1)", ""),
        (
            "SELECT day FROM visit WHERE pet = (SELECT name FROM pet WHERE age > 2 ORDER BY age LIMIT 1)",
            "(Ann) is in, (Bob) is not",
        ),
        ("SELECT day, count(*) FROM visit GROUP BY day ORDER BY count(*) DESC LIMIT 1", ""),
        (
            "SELECT name FROM pet ORDER BY age",
            "(Ann) and (Bob) are sorted alike by (3): either may be first",
        ),
        ("SELECT name AS age FROM pet WHERE age > 2 ORDER BY weight", ""),
        ("SELECT age FROM pet ORDER BY age", ""),
        ("SELECT count(*) FROM pet GROUP BY age ORDER BY count(*)", ""),
        ("SELECT name FROM pet", ""),
        ("SELECT name FROM pet LIMIT 2", "read backwards"),
        ("SELECT pet FROM visit LIMIT 2", "read backwards"),
        ("SELECT name FROM old", ""),
        ("SELECT group_concat(name) FROM pet", "another result when rows are"),
        ("SELECT sum(weight) FROM pet", "another result when rows are"),
        ("SELECT sum(age) FROM pet", ""),
        ("SELECT age, name FROM pet GROUP BY age", "another result when rows are"),
        ("SELECT a FROM kept ORDER BY b", "(x) and (z) are sorted alike by (y)"),
        ("SELECT nope FROM pet LIMIT 2", ""),
        ("SELECT day FROM visit ORDER BY day LIMIT 1", ""),
        ("SELECT name FROM pet ORDER BY age LIMIT 0", ""),
        ("SELECT name FROM pet ORDER BY 1", ""),
        ("SELECT name FROM pet ORDER BY 1 LIMIT 2", ""),
        ("SELECT name, age FROM pet ORDER BY 2 LIMIT 2", "alike by (3): (Ann, 3) is in, (Bob, 3)"),
        ("SELECT *, 1 FROM pet ORDER BY 2 LIMIT 2", "stored in another order"),
        ("SELECT name FROM pet ORDER BY age LIMIT 2e0", "alike by (3): (Ann) is in, (Bob) is not"),
        ("SELECT name FROM pet ORDER BY age LIMIT 1.0", ""),
        ("SELECT name FROM pet ORDER BY age LIMIT '2'", "(Ann) is in, (Bob) is not"),
        ("SELECT name FROM pet ORDER BY age LIMIT 1 OFFSET 1", "2 rows of several sorted alike"),
        ("SELECT name FROM pet ORDER BY age LIMIT 2 OFFSET 2", "(Ann) is not in, (Bob) is"),
        ("SELECT name FROM pet ORDER BY age LIMIT 3, 1", ""),
        ("SELECT name FROM pet ORDER BY age LIMIT 4", "(Ann) and (Bob) are sorted alike by (3)"),
        ("SELECT age FROM pet ORDER BY age LIMIT 4", ""),
        (
            "SELECT name, age FROM pet UNION SELECT day, 9 FROM visit ORDER BY age LIMIT 2",
            "alike by (3): (Ann, 3) is in, (Bob, 3) is not",
        ),
        ("SELECT name, age FROM pet UNION SELECT day, 9 FROM visit ORDER BY 1 LIMIT 2", ""),
        ("SELECT name, age FROM pet UNION SELECT day, 9 FROM visit ORDER BY 2", "alike by (3)"),
        ("SELECT name, random() FROM pet", "another result each time"),
    ],
)
def test_ambiguous_gold_is_told_from_other_gold(shop, sql, told):
    found = why(shop, sql)
    assert told in found
    assert bool(found) == bool(told)


def test_a_tie_on_another_file_of_the_suite_is_found(shop):
    with closing(sqlite3.connect(shop.with_name("shop_1.sqlite"))) as connection:
        connection.executescript(SCHEMA + "UPDATE visit SET day = 'tue' WHERE pet = 'Bob';")
    sql = "SELECT day FROM visit GROUP BY day ORDER BY count(*) LIMIT 1"
    assert why(shop, sql) == ""
    with closing(sqlite3.connect(shop.with_name("shop_2.sqlite"))) as connection:
        connection.executescript(SCHEMA + "DELETE FROM visit WHERE pet = 'Bob';")
    assert why(shop, sql).startswith("shop_2.sqlite: the first row of several sorted alike by (1)")


def test_the_order_that_scoring_compares_decides(shop):
    """The official evaluator looks for "order by" with one blank between the words."""
    sql = "SELECT name FROM pet ORDER  BY age"
    assert why(shop, sql, "official") == ""
    assert "sorted alike" in why(shop, sql, "repaired")


def test_an_ambiguous_alternative_is_named(shop):
    golds = ["SELECT count(*) FROM pet", "SELECT sum(age) FROM pet", "SELECT name FROM pet LIMIT 2"]
    row = {"id": "a", "db_id": "shop", "sql": golds[0], "alternatives": golds[1:]}
    found = ambiguous_golds([row], {"shop": shop}, Limits(), QUIRKS["repaired"])
    assert found["a"].startswith("alternative 2: shop.sqlite: another result")


def contents(path):
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        return {
            name: connection.execute(f"SELECT * FROM {name}").fetchall()
            for (name,) in names.fetchall()
        }


def test_a_shuffled_copy_holds_the_same_rows_in_another_order(shop, tmp_path):
    before = shop.read_bytes()
    copy = tmp_path / "copy.sqlite"
    write_shuffled(shop, copy)
    here, there = contents(shop), contents(copy)
    assert {name: sorted(rows) for name, rows in here.items()} == {
        name: sorted(rows) for name, rows in there.items()
    }
    assert here["pet"] != there["pet"]
    assert here["visit"] == there["visit"]
    assert shop.read_bytes() == before


def test_the_program_lists_them_with_the_tie(shop, tmp_path):
    sqls = {
        "a": "SELECT name FROM pet WHERE age > 2 ORDER BY age LIMIT 1",
        "b": "SELECT 1",
        "c": "SELECT nope",
    }
    rows = [{"id": key, "db_id": "shop", "question": "?", "sql": sql} for key, sql in sqls.items()]
    examples = runs.write_lines(tmp_path / "examples.jsonl", rows)
    outputs = {name: tmp_path / f"{name}.out" for name in ("output", "checks", "summary")}
    command = [
        sys.executable,
        str(ROOT / "workflow/scripts/check_gold.py"),
        "--examples",
        str(examples),
    ]
    command += ["--databases", str(shop.parents[1]), "--ambiguity"]
    command += [f"--{name}=keep" for name in ("failing", "empty", "slow")]
    command += [f"--{name}={path}" for name, path in outputs.items()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "0 disputed, 1 ambiguous; 3 examples stay" in done.stderr
    found = [json.loads(line) for line in outputs["checks"].read_text().splitlines()]
    assert [bool(row["ambiguous"]) for row in found] == [True, False, False]
    text = outputs["summary"].read_text()
    assert "## Ambiguous" in text
    assert "(Ann) is in, (Bob) is not" in text


def test_the_report_scores_with_and_without_them(tmp_path):
    questions = [{**q, "db_id": "shop"} for q in runs.question_rows(40)]
    for wording in questions[:2]:
        wording["group"] = "one query"
    marks = [n < 20 for n in range(len(questions))]
    run = load_run(**runs.write_run(tmp_path, questions, {"v": marks}))
    checks = [
        {"id": q["id"], "status": "ok", "ambiguous": "shop.sqlite: a tie" if n < 10 else ""}
        for n, q in enumerate(questions)
    ]
    path = runs.write_lines(tmp_path / "gold.jsonl", checks)
    text = ambiguous_gold(run, path)
    assert "The results of 10 of 40 gold queries hang on the order" in text
    assert ".333" in text.replace("0.333", ".333")
    assert "| q0000, q0001 | shop | shop.sqlite: a tie |\n| q0002 | shop |" in text
    assert ambiguous_gold(run, None) == ""
    nothing = runs.write_lines(
        tmp_path / "none.jsonl", [{"id": q["id"], "status": "ok"} for q in questions]
    )
    assert ambiguous_gold(run, nothing) == ""


def opening_of(tmp_path, first, second, ambiguous):
    questions = runs.question_rows(40)
    marks = {name: [n in right for n in range(40)] for name, right in (("v", first), ("w", second))}
    run = load_run(**runs.write_run(tmp_path, questions, marks))
    checks = [
        {"id": q["id"], "status": "ok", "ambiguous": "a tie" if n in ambiguous else ""}
        for n, q in enumerate(questions)
    ]
    path = runs.write_lines(tmp_path / "gold.jsonl", checks)
    inputs = ReportInputs(compare(run), runs.run_facts(), "T", "charts", gold_checks=path)
    return opening.section(inputs)


def test_the_head_says_where_ambiguous_gold_changes_the_ranking(tmp_path):
    """v has 20 right and w 15; of those that are not ambiguous v has 10 and w 15."""
    text = opening_of(tmp_path, range(20), range(15, 30), range(10))
    assert "Without the 10 questions whose gold query is ambiguous the order by accuracy" in text
    assert "w above v ([Ambiguous gold](#ambiguous-gold))" in text


@pytest.mark.parametrize("ambiguous", [range(0), range(3), range(5), range(40)])
def test_the_head_says_nothing_where_the_order_stays(tmp_path, ambiguous):
    assert "ambiguous" not in opening_of(tmp_path, range(20), range(15, 30), ambiguous)
