"""First rows of results: executed once, cut, and marked by how an answer differs from gold."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import report_runs as runs
from sqladder.metric.sandbox import Limits
from sqladder.report.answer_rows import COLUMNS, LETTERS, SHOWN, Query, differences, execute

LIMITS = ["--max-vm-steps", 2_000_000, "--timeout", 2, "--memory-mb", 512]
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"


def make_database(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a, b)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        connection.commit()
    return path


@pytest.fixture
def shown(tmp_path):
    """Give what is shown of one gold query and one answer, found different on a file of the suite."""

    def shown(gold, answer, verdict="wrong_result", file="db_0.sqlite", rows=((1, "x"), (2, "y"))):
        make_database(tmp_path / "databases/db_0/db_0.sqlite", rows)
        make_database(tmp_path / "databases/db_0/db_0_v1.sqlite", [(7, "seven")])
        question = {**runs.question_rows(1)[0], "sql": gold}
        verdict_row = runs.verdict_rows([question], [verdict])[0] | {"detail": f"{file}: differs"}
        here = tmp_path / "results/full"
        arguments = {
            "questions": runs.write_lines(tmp_path / "questions.jsonl", [question]),
            "verdicts": runs.write_lines(here / "verdicts.jsonl", [verdict_row]),
            "predictions": runs.write_lines(
                here / "predictions.jsonl", [{"id": question["id"], "sql": answer, "text": ""}]
            ),
            "databases": tmp_path / "databases",
            "output": tmp_path / "rows.jsonl",
        }
        flags = [part for name, value in arguments.items() for part in (f"--{name}", value)]
        done = runs.call("execute_answers.py", *flags, *LIMITS)
        assert done.returncode == 0, done.stderr
        return {row["variant"]: row for row in map(json.loads, (tmp_path / "rows.jsonl").open())}

    return shown


def test_gold_and_a_wrong_result_are_shown_with_their_difference(shown):
    found = shown("SELECT a, b FROM t", "SELECT a, b FROM t WHERE a > 1 UNION ALL SELECT 3, NULL")
    assert found[""] | {"id": ""} == {
        "id": "",
        "variant": "",
        "file": "db_0.sqlite",
        "names": ["a", "b"],
        "more_columns": 0,
        "rows": [["=", "1", "x"], ["=", "2", "y"]],
        "n": 2,
        "problem": "",
    }
    assert found["full"]["rows"] == [["=", "2", "y"], ["+", "3", None], ["-", "1", "x"]]
    assert found["full"]["n"] == 2


def test_the_file_on_which_the_verdict_found_the_difference_is_shown(shown):
    found = shown("SELECT a FROM t", "SELECT b FROM t", file="db_0_v1.sqlite")
    assert found["full"]["file"] == "db_0_v1.sqlite"
    assert found["full"]["rows"] == [["+", "seven"], ["-", "7"]]
    assert found[""]["file"] == "db_0.sqlite"


@pytest.mark.parametrize("verdict", ["correct", "sql_error", "timeout", "no_sql", "refused"])
def test_only_wrong_results_are_executed_beside_gold(shown, verdict):
    assert set(shown("SELECT a FROM t", "SELECT b FROM t", verdict)) == {""}


def test_a_file_outside_of_the_suite_is_never_opened(shown):
    assert set(shown("SELECT a FROM t", "SELECT b FROM t", file="../db_0.sqlite/../x")) == {""}


def test_long_results_names_and_values_are_cut(shown):
    rows = [(n, "long " * 100) for n in range(900)]
    found = shown("SELECT a FROM t", f"SELECT {', '.join('abababab')} FROM t", rows=rows)["full"]
    assert found["n"] is None
    assert [row[0] for row in found["rows"]] == ["+"] * SHOWN + ["-"] * SHOWN
    assert {len(row) for row in found["rows"][:SHOWN]} == {1 + COLUMNS}
    assert found["more_columns"] == 2
    assert max(len(value) for row in found["rows"] for value in row) == LETTERS + 1


def test_a_blob_is_described(shown):
    assert shown("SELECT x'00ff'", "SELECT 1")[""]["rows"] == [["=", "blob of 2 bytes"]]


def test_a_query_that_never_ends_costs_its_own_result_only(shown):
    found = shown(ENDLESS, "SELECT 1")
    assert found[""]["problem"] == "more than 2000000 steps"
    assert found["full"]["rows"] == [["+", "1"]]


def test_a_query_that_ends_its_process_costs_its_own_result_only(tmp_path):
    file = str(make_database(tmp_path / "a.sqlite", [(1, 2)]))
    queries = [Query(file, sql) for sql in ("SELECT 1", ENDLESS, "SELECT 2")]
    tables = execute(queries, Limits(max_vm_steps=10**12, timeout=1, memory_mb=512))
    assert "ended the process" in tables[queries[1]].problem
    assert [tables[query].rows for query in (queries[0], queries[2])] == [[(1,)], [(2,)]]


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


def test_predictions_of_every_variant_are_needed(tmp_path):
    questions = runs.question_rows(2)
    files = runs.write_run(tmp_path, questions, {"a": [True] * 2, "b": [True] * 2})
    done = runs.call(
        "execute_answers.py",
        *("--questions", files["questions"], "--databases", Path(tmp_path)),
        *("--verdicts", *files["verdicts"], "--predictions", files["predictions"][0]),
        *("--output", tmp_path / "rows.jsonl"),
    )
    assert done.returncode == 1
    assert "no predictions.jsonl was given for variant 'b'" in done.stderr
