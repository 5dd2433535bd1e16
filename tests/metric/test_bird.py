"""BIRD's own metrics: what its evaluation says of rows, its files, and an efficiency that no machine changes."""

import json
import math
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from conftest import ROOT
from sqladder.metric.bird import efficiency_reward, set_equal, soft_f1
from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import Sandbox


@pytest.mark.parametrize(
    ("gold", "found", "expected"),
    [
        ([], [], 1.0),
        ([(1,)], [], 0.0),
        ([], [(1,)], 0.0),
        ([(1, 2)], [(1, 2)], 1.0),
        # Values anywhere in the row, doubled rows once.
        ([(1, 2)], [(2, 1)], 1.0),
        ([(1,), (1,)], [(1,)], 1.0),
        # The example of BIRD's page: rows of one value more, of one value less, and another row.
        ([("a", 1), ("b", 2)], [("a",), ("b",)], 2 * 1 * 0.5 / 1.5),
        ([("a",), ("b",)], [("a", 1), ("b", 2)], 2 * 0.5 * 1 / 1.5),
        ([("a", 1), ("b", 2)], [("b", 2), ("a", 1)], 0.0),
        ([("a",), ("b",), ("c",)], [("a",)], 2 * 1 * (1 / 3) / (4 / 3)),
        ([("a", None)], [("a", 0)], 0.5),
    ],
)
def test_soft_f1_is_that_of_bird(gold, found, expected):
    assert soft_f1(gold, found) == pytest.approx(expected)


def test_execution_accuracy_is_of_sets_with_columns_in_order():
    assert set_equal([(1, "a"), (1, "a")], [(1, "a")])
    assert set_equal([(1, "a"), (2, "b")], [(2, "b"), (1, "a")])
    assert not set_equal([(1, "a")], [("a", 1)])
    assert set_equal([(1,)], [(1.0,)])


@pytest.mark.parametrize(
    ("gold", "found", "reward"),
    [
        (100, 50, 1.25),
        (100, 51, 1.0),
        (100, 100, 1.0),
        (99, 100, 0.75),
        (50, 100, 0.75),
        (49, 100, 0.5),
        (25, 100, 0.5),
        (24, 100, 0.25),
        (1, 10**9, 0.25),
    ],
)
def test_the_reward_goes_by_the_ratio_of_cost(gold, found, reward):
    assert efficiency_reward(gold, found) == reward


@pytest.fixture
def folder(tmp_path):
    """A database and questions in BIRD's form."""
    home = tmp_path / "databases/shop"
    home.mkdir(parents=True)
    with closing(sqlite3.connect(home / "shop.sqlite")) as connection, connection:
        connection.execute("create table item (id integer primary key, name text, value real)")
        rows = [(f"thing {n}", n % 7) for n in range(500)]
        connection.executemany("insert into item (name, value) values (?, ?)", rows)
    golds = [
        ("simple", "SELECT count(*) FROM item WHERE value > 3"),
        ("moderate", "SELECT DISTINCT value FROM item"),
        ("challenging", "SELECT name, value FROM item WHERE id < 4"),
        ("simple", "SELECT nope FROM item"),
    ]
    questions = [
        {
            "question_id": 3 * n,
            "db_id": "shop",
            "question": "?",
            "evidence": "",
            "SQL": sql,
            "difficulty": level,
        }
        for n, (level, sql) in enumerate(golds)
    ]
    (tmp_path / "mini_dev.json").write_text(json.dumps(questions))
    return tmp_path


ANSWERS = [
    "SELECT sum(value > 3) FROM item",
    "SELECT value FROM item",
    "SELECT name FROM item WHERE id < 4",
    "SELECT 1",
]


def score(folder, answers, *options):
    predictions = folder / "predict.json"
    mark = "\t----- bird -----\tshop"
    predictions.write_text(json.dumps({str(n): sql + mark for n, sql in enumerate(answers)}))
    command = [sys.executable, "-m", "sqladder.cli", "score", "--etype", "bird"]
    command += ["--gold", str(folder / "mini_dev.json"), "--pred", str(predictions)]
    command += ["--db", str(folder / "databases"), "--gold-results", str(folder / "kept"), *options]
    environment = {"PYTHONPATH": str(ROOT / "workflow/scripts"), "PATH": ""}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_scores_are_by_birds_levels_in_per_cent(folder):
    done = score(folder, ANSWERS)
    assert done.returncode == 3, done.stderr
    assert "gold failed on 1 of 4 questions" in done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["simple", "moderate", "challenging", "total"]
    assert lines[1].split() == ["count", "2", "1", "1", "4"]
    # DISTINCT is kept, `value` stays, and rows are a set.
    assert lines[2].split() == ["EX", "50.00", "100.00", "0.00", "50.00"]
    f1 = 100 * 2 * 0.5 / 1.5
    assert lines[3].split() == [
        "Soft",
        "F1",
        "50.00",
        "100.00",
        f"{f1:.2f}",
        f"{(200 + f1) / 4:.2f}",
    ]


def test_the_same_answers_always_get_the_same_numbers(folder):
    runs = [score(folder, ANSWERS, "--json", f"--jobs={jobs}").stdout for jobs in (1, 2, 1)]
    first, *others = (json.loads(run)["predict.json"]["bird"] for run in runs)
    assert others == [first] * 2
    # One pass over the table each, so neither is twice as dear as gold.
    assert (
        2 * math.sqrt(0.75) - 1e-5 < first["efficiency"]["total"]["correct"] <= 2 * math.sqrt(1.25)
    )
    assert first["efficiency"]["challenging"]["correct"] == 0


def test_a_verdict_has_the_marks(folder):
    out = folder / "verdicts.jsonl"
    score(folder, ANSWERS, "--verdicts", str(out))
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["id"] for row in rows] == [0, 3, 6, 9]
    assert [row["ex"] for row in rows] == [True, True, False, False]
    assert rows[2]["soft_f1"] == pytest.approx(2 * 0.5 / 1.5)
    assert rows[2]["reward"] == rows[3]["soft_f1"] == 0


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "SELECT",
        "DROP TABLE item",
        "SELECT 1; DROP TABLE item",
        "ATTACH 'x' AS y",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t",
    ],
)
def test_hostile_answers_get_nothing_and_change_nothing(folder, answer):
    before = (folder / "databases/shop/shop.sqlite").read_bytes()
    answers = [answer, *ANSWERS[1:]]
    done = score(folder, answers, "--json", "--max-vm-steps=2000000")
    found = json.loads(done.stdout)["predict.json"]["bird"]
    assert [found[name]["simple"]["correct"] for name in ("ex", "soft_f1", "efficiency")] == [
        0,
        0,
        0,
    ]
    assert found["ex"]["total"]["correct"] == 1
    assert (folder / "databases/shop/shop.sqlite").read_bytes() == before


def test_steps_are_counted_one_by_one_where_they_are_few(folder):
    with closing(Sandbox(folder / "databases/shop/shop.sqlite", Limits())) as database:
        one, two = (
            database.steps_of(f"SELECT count(*) FROM item WHERE id <= {n}") for n in (100, 200)
        )
        assert one == database.steps_of("SELECT count(*) FROM item WHERE id <= 100")
        assert 100 <= two - one <= 1000
        assert database.steps_of("SELECT 1") < one
        product = "SELECT count(*) FROM item a, item b WHERE a.value = b.value"
        assert database.steps_of(product) > 100_000


def test_answers_are_written_in_birds_form(folder):
    examples = folder / "examples.jsonl"
    rows = [{"id": key, "db_id": "shop"} for key in ("9", "5")]
    examples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    predictions = folder / "predictions.jsonl"
    answers = [{"id": "5", "sql": "select 5"}, {"id": "9", "sql": ""}]
    predictions.write_text("".join(json.dumps(row) + "\n" for row in answers))
    program = ROOT / "workflow/scripts/write_bird_predictions.py"
    output = folder / "predict_bird.json"
    command = [
        sys.executable,
        program,
        "--examples",
        examples,
        "--predictions",
        predictions,
        "--output",
        output,
    ]
    subprocess.run(command, check=True)
    assert json.loads(output.read_text()) == {
        "0": "\t----- bird -----\tshop",
        "1": "select 5\t----- bird -----\tshop",
    }
