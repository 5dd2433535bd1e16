"""Judging in the engine of the data, on a real DuckDB file: texts as they are, the metric's own comparison."""

import json
import time

import duckdb
import pytest

from sqladder.databases.conversion import collect
from sqladder.errors import InputError
from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import QueryError
from sqladder.native.native_scoring import NativeTask, score_files_natively
from sqladder.native.ordering import order_matters

DDL = """
CREATE TABLE song (id INTEGER, title VARCHAR, price DECIMAL(8, 2), sold DATE, hit BOOLEAN, cover BLOB, share DOUBLE);
INSERT INTO song VALUES (1, 'a', 1.50, '2024-01-01', true, '\\x01'::BLOB, 0.1),
  (2, 'b', 2.00, NULL, false, NULL, 'nan'), (3, 'b', 0.10, '2024-01-02', NULL, NULL, 0.3);
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("native") / "music.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(DDL)
    return str(path)


def judge(source, tmp_path, pairs, **task):
    """Rows of scores for pairs of a gold record and a prediction."""
    gold, answers = tmp_path / "gold.jsonl", tmp_path / "answers.jsonl"
    records = [
        {"id": str(n), "db_id": "music", **(own if isinstance(own, dict) else {"sql": own})}
        for n, (own, _) in enumerate(pairs)
    ]
    gold.write_text("".join(json.dumps(row) + "\n" for row in records))
    sqls = [{"id": str(n), "sql": sql} for n, (_, sql) in enumerate(pairs)]
    answers.write_text("".join(json.dumps(row) + "\n" for row in sqls))
    limits = Limits(timeout=5, **task.pop("limits", {}))
    found = score_files_natively(gold, {"own": answers}, NativeTask(source, limits, **task))
    return found["own"].rows


SAME = [
    ("SELECT title FROM song", "SELECT title FROM song ORDER BY id DESC"),
    ("SELECT id, title FROM song", "SELECT title, id FROM song"),
    ("SELECT 1.50::DECIMAL(8,2)", "SELECT 1.5::DOUBLE"),
    ("SELECT 2.00::DECIMAL(8,2)", "SELECT 2"),
    ("SELECT 0.1::DOUBLE", "SELECT 0.10::DECIMAL(8,2)"),
    ("SELECT true", "SELECT 1"),
    ("SELECT DATE '2024-01-01'", "SELECT '2024-01-01'"),
    ("SELECT TIMESTAMP '2024-01-01 10:00:00'", "SELECT '2024-01-01 10:00:00'"),
    ("SELECT share FROM song", "SELECT share FROM song WHERE id > 0"),
    ("SELECT [1, 2]", "SELECT '[1, 2]'"),
    ("SELECT cover FROM song WHERE id = 1", "SELECT '\\x01'::BLOB"),
    ("SELECT value FROM (SELECT 5 AS value)", "SELECT 5 AS value"),
    ("SELECT title FROM song WHERE id > 9", "SELECT title FROM song WHERE id > 99"),
    ("(SELECT title FROM song ORDER BY id LIMIT 1)", "SELECT 'a'"),
]
OTHER = [
    ("SELECT title FROM song ORDER BY id", "SELECT title FROM song ORDER BY id DESC"),
    ("(SELECT title FROM song ORDER BY id)", "SELECT title FROM song ORDER BY id DESC"),
    ("SELECT DISTINCT title FROM song", "SELECT title FROM song"),
    ("SELECT title FROM song", "SELECT DISTINCT title FROM song"),
    ("SELECT '1'", "SELECT 1"),
    ("SELECT NULL", "SELECT 0"),
    ("SELECT TIMESTAMP '2024-01-01 00:00:00'", "SELECT DATE '2024-01-01'"),
    ("SELECT title FROM song WHERE id > 9", "SELECT title, id FROM song WHERE id > 9"),
    ("SELECT 'A'", "SELECT 'a'"),
]


def test_results_are_compared_as_the_metric_does_and_texts_are_as_they_are(source, tmp_path):
    rows = judge(source, tmp_path, [*SAME, *OTHER])
    found = [row.correct for row in rows]
    assert found == [True] * len(SAME) + [False] * len(OTHER)


def test_other_golds_allowances_and_plugged_values_count_as_on_sqlite(source, tmp_path):
    gold = "SELECT title FROM song WHERE id = 1"
    pairs = [
        ({"sql": gold, "alternatives": ["SELECT 'b'"]}, "SELECT title FROM song WHERE id = 2"),
        ({"sql": "SELECT 0.30", "tolerance": 0.1}, "SELECT 0.31"),
        ({"sql": "SELECT id, title FROM song", "optional": ["id"]}, "SELECT title FROM song"),
        ({"sql": "SELECT id FROM song ORDER BY id", "any_order": True}, "VALUES (3), (1), (2)"),
        ({"sql": gold}, "SELECT title FROM song WHERE id = 3"),
    ]
    rows = judge(source, tmp_path, pairs, plug_value=True)
    assert [row.correct for row in rows] == [True, False, False, False, False]
    assert rows[1].executed.forgiven == {"tolerance": True}
    assert rows[2].executed.forgiven == {"optional_columns": True}
    assert rows[3].executed.forgiven == {"any_order": True}
    assert [row.plugged for row in rows] == [True, True, False, False, True]
    assert [row.executed.single_database for row in rows] == [row.correct for row in rows]


def test_gold_that_fails_is_said_so_and_wrong_rows_are_shown(source, tmp_path):
    pairs = [("SELECT nothing FROM song", "SELECT 1"), ("SELECT 1", "SELECT 2")]
    failing, wrong = (row.executed for row in judge(source, tmp_path, pairs))
    assert (failing.verdict, failing.file) == ("gold_error", "music")
    assert "nothing" in failing.detail
    assert failing.gold_rows.problem
    assert wrong.gold_rows.rows == [["=", "1"]]
    assert wrong.answer_rows.rows == [["+", "2"], ["-", "1"]]


def test_limits_of_rows_and_bytes_hold(source, tmp_path):
    limits = {"max_rows": 10, "max_bytes": 1000, "max_sql_chars": 200}
    pairs = [
        ("SELECT 1", "SELECT * FROM range(1000)"),
        ("SELECT * FROM range(100)", "SELECT 1"),
        ("SELECT 1", "SELECT repeat('x', 2000)"),
        ("SELECT 1", "SELECT 1" + " " * 200),
        ("SELECT 1", "SELECT '\0'"),
    ]
    rows = [row.executed for row in judge(source, tmp_path, pairs, limits=limits)]
    assert [(row.verdict, row.reason) for row in rows] == [
        ("wrong_result", "more_rows"),
        ("gold_error", "result_rows"),
        ("refused", "result_bytes"),
        ("refused", "characters"),
        ("refused", "nul"),
    ]


def test_what_takes_too_long_to_be_sent_has_run_out_of_time():
    begun = time.monotonic() - 3
    with pytest.raises(QueryError, match="more than 2 s"):
        collect([[(1,)], [(2,)]], ["n"], Limits(timeout=2), None, begun)
    assert collect([[(1,)]], ["n"], Limits(timeout=5), None, begun).rows == [(1,)]


def test_several_connections_give_the_same_verdicts(source, tmp_path):
    one, three = (judge(source, tmp_path, [*SAME, *OTHER], jobs=jobs) for jobs in (1, 3))
    assert [row.executed for row in one] == [row.executed for row in three]


def test_a_database_that_is_not_there_is_an_error_with_its_name(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.duckdb does not exist"):
        judge(str(tmp_path / "nowhere.duckdb"), tmp_path, SAME[:1])


@pytest.mark.parametrize(
    ("sql", "ordered"),
    [
        ("SELECT a FROM t ORDER BY a", True),
        ("select a from t order\n by a;", True),
        ("select a from t order/**/by a", True),
        ("(SELECT a FROM t ORDER BY a) ;", True),
        ("((SELECT a FROM t ORDER BY a))", True),
        ("SELECT a FROM (SELECT a FROM t ORDER BY a) s", False),
        ("(SELECT a FROM t ORDER BY a) UNION (SELECT b FROM t ORDER BY b)", False),
        ("(SELECT a FROM t) UNION (SELECT b FROM t) ORDER BY 1", True),
        ("SELECT rank() OVER (ORDER BY a) FROM t", False),
        ("SELECT string_agg(a, ',' ORDER BY a) FROM t", False),
        ("SELECT 'order by' FROM t -- order by", False),
        ('SELECT "order by" FROM t /* order by */', False),
    ],
)
def test_order_matters_where_the_outermost_query_sorts(sql, ordered):
    assert [order_matters(sql, dialect) for dialect in ("postgres", "duckdb", "mysql")] == [
        ordered
    ] * 3


@pytest.mark.parametrize(
    ("sql", "dialect", "ordered"),
    [
        ("SELECT info #>> '{a}' FROM t ORDER BY a", "postgres", True),
        ("SELECT #1 FROM t ORDER BY a", "duckdb", True),
        ("SELECT a FROM t # ORDER BY a", "mysql", False),
        ("SELECT a FROM t WHERE b LIKE '10\\' AND c = ' ORDER BY '", "postgres", False),
        ("SELECT a FROM t WHERE b LIKE '10\\' ORDER BY 'x'", "postgres", True),
        ("SELECT a FROM t WHERE b = E'\\' ORDER BY '", "postgres", False),
        ("SELECT a FROM t WHERE b = '\\' ORDER BY '", "mysql", False),
        ('SELECT a FROM t WHERE b = "\\" ORDER BY "', "mysql", False),
        ("SELECT $$ order by ( $$ FROM t", "postgres", False),
        ("SELECT $1a order by 2", "postgres", True),
        ("SELECT `order by (` FROM t ORDER BY 1", "mysql", True),
        ("SELECT 5--3 FROM t ORDER BY 1", "mysql", True),
    ],
)
def test_literals_and_comments_are_those_of_the_dialect(sql, dialect, ordered):
    assert order_matters(sql, dialect) is ordered
