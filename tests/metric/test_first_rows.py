"""First rows of results: kept while scoring, cut, and marked by how an answer differs from gold."""

import sqlite3
from contextlib import closing

import pytest

from sqladder.metric.first_rows import CELLS, COLUMNS, LETTERS, SHOWN, differences
from sqladder.metric.inputs import Gold, Item
from sqladder.metric.limits import Limits
from sqladder.metric.scoring import Task, score

LIMITS = Limits(max_vm_steps=2_000_000, timeout=2, memory_mb=512)
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT {} FROM c"


def make_database(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a, b)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        connection.commit()


@pytest.fixture
def judged(tmp_path):
    """Judge one answer, on a suite of two files, with its rows kept or not."""

    def judged(gold, answer, rows=((1, "x"), (2, "y")), keep_rows=True):
        make_database(tmp_path / "db/db.sqlite", rows)
        make_database(tmp_path / "db/db_v1.sqlite", [(7, "seven")])
        golds = Gold([Item("q", "db", gold, 0, 0)], 1)
        task = Task(tmp_path, limits=LIMITS, keep_rows=keep_rows)
        return score(golds, {"": [answer]}, task)[""].rows[0].judgement

    return judged


def test_gold_and_a_wrong_result_are_kept_with_their_difference(judged):
    found = judged("SELECT a, b FROM t", "SELECT a, b FROM t WHERE a > 1 UNION ALL SELECT 3, NULL")
    gold = found.gold_rows
    assert (gold.file, gold.names, gold.more_columns) == ("db.sqlite", ["a", "b"], 0)
    assert (gold.rows, gold.n, gold.problem) == ([["=", "1", "x"], ["=", "2", "y"]], 2, "")
    assert found.answer_rows.rows == [["=", "2", "y"], ["+", "3", None], ["-", "1", "x"]]
    assert (found.answer_rows.file, found.answer_rows.n) == ("db.sqlite", 2)


def test_the_rows_are_those_of_the_file_on_which_the_difference_is(judged):
    found = judged("SELECT a FROM t", "SELECT a FROM t WHERE a < 3")
    assert (found.file, found.reason, found.expected, found.found) == ("db_v1.sqlite", "rows", 1, 0)
    assert (found.answer_rows.file, found.answer_rows.rows) == ("db_v1.sqlite", [["-", "7"]])
    assert found.gold_rows.file == "db.sqlite"


def test_rows_are_kept_only_where_they_are_asked_for(judged):
    found = judged("SELECT a FROM t", "SELECT b FROM t", keep_rows=False)
    assert (found.reason, found.gold_rows, found.answer_rows) == ("values", None, None)


@pytest.mark.parametrize("answer", ["SELECT b AS a, a AS b FROM t", "SELECT", "DROP TABLE t"])
def test_only_a_wrong_result_has_rows_beside_golds(judged, answer):
    found = judged("SELECT a, b FROM t", answer)
    assert (found.answer_rows, found.gold_rows.n) == (None, 2)


def test_gold_that_was_not_executed_has_no_rows(judged):
    assert judged("SELECT a FROM t", "-- no SQL").gold_rows is None


def test_long_results_names_and_values_are_cut(judged):
    rows = [(n, "long " * 100) for n in range(900)]
    found = judged("SELECT a FROM t", f"SELECT {', '.join('abababab')} FROM t", rows).answer_rows
    assert found.n == 900
    assert [row[0] for row in found.rows] == ["+"] * SHOWN + ["-"] * SHOWN
    assert {len(row) for row in found.rows[:SHOWN]} == {1 + COLUMNS}
    assert found.more_columns == 2
    assert max(len(value) for row in found.rows for value in row) == LETTERS + 1


def test_of_an_answer_with_too_many_rows_nothing_is_said_to_be_missing(judged):
    found = judged("SELECT 900", ENDLESS.format("x"))
    assert (found.reason, found.expected) == ("more_rows", 1)
    assert found.answer_rows.n is None
    assert found.answer_rows.rows == [["+", "1"], ["+", "2"], ["+", "3"]]


def test_gold_with_other_columns_is_certainly_not_in_an_answer_with_too_many_rows(judged):
    found = judged("SELECT 900", ENDLESS.format("x, x"))
    assert found.answer_rows.rows[-1] == ["-", "900"]


def test_very_wide_results_are_compared_by_fewer_rows(judged):
    # Two thousand columns, of which only so many rows are compared as hold CELLS values.
    wide = ", ".join(["a"] * 2000)
    rows = [(n, "") for n in range(100)]
    moved = f"SELECT {wide} FROM t ORDER BY a < {CELLS // 2000}, a"
    found = judged(f"SELECT {wide} FROM t ORDER BY a", moved, rows)
    assert {row[0] for row in found.answer_rows.rows} == {"+", "-"}


def test_a_blob_is_described(judged):
    assert judged("SELECT x'00ff'", "SELECT 1").gold_rows.rows == [["=", "blob of 2 bytes"]]


def test_a_gold_that_fails_says_why_in_place_of_rows(judged):
    found = judged(ENDLESS.format("count(*)"), "SELECT 1")
    assert (found.gold_rows.rows, found.gold_rows.problem) == (
        [],
        "more than 2000000 steps (limit max_vm_steps)",
    )
    assert (found.verdict, found.detail) == (
        "gold_error",
        "db.sqlite: gold: more than 2000000 steps (limit max_vm_steps)",
    )


@pytest.mark.parametrize(
    ("rows", "gold", "ordered", "marks"),
    [
        ([(1,), (2,)], [(2,), (1,)], True, "~~"),
        ([(1,), (2,)], [(2,), (1,)], False, "=="),
        ([(1,), (1,)], [(1,)], False, "=+"),
        ([], [(1,), (2,)], False, "--"),
        ([(1.0,)], [(1,)], False, "="),
        ([("1",)], [(1,)], False, "+-"),
        ([(None,)], [(None,)], False, "="),
        ([(float("nan"),)], [(float("nan"),)], False, "="),
        ([(1,)] * 9 + [(2,)], [(1,)] * 9 + [(3,)], False, "===+-"),
    ],
)
def test_rows_are_marked_by_where_they_are(rows, gold, ordered, marks):
    assert "".join(mark for mark, _ in differences(rows, gold, ordered)) == marks
