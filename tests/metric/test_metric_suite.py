import sqlite3

import pytest

from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import QueryError, Sandbox
from sqladder.metric.suite import GoldQuery, Options, same_query

LIMITS = Limits(max_vm_steps=1_000_000)


@pytest.fixture
def files(tmp_path):
    databases = []
    for name, ages in (("pets", [1, 5]), ("pets_v1", [4, 9])):
        path = tmp_path / f"{name}.sqlite"
        with sqlite3.connect(path) as connection:
            connection.execute("create table pet(name, age)")
            connection.executemany("insert into pet values('x', ?)", [(age,) for age in ages])
            connection.execute("insert into pet values(cast(x'61ff62' as text), 7)")
        connection.close()
        databases.append(Sandbox(path, LIMITS))
    yield databases
    for database in databases:
        database.close()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("select a from t", "SELECT  A\nFROM t ;"),
        ("select count(*) from t", "select count ( * ) from t"),
        ("select t1 . a from t as t1", "select T1.a from t as t1"),
    ],
)
def test_blanks_and_unquoted_case_make_no_difference(left, right):
    assert same_query(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("select 'a'", "select 'A'"),
        ('select "a"', 'select "A"'),
        ("select 'a b'", "select 'a  b'"),
        ("select x'41'", "select x '41'"),
        ("select 1 2", "select 12"),
        ("select a -- b\n, c", "select a -- b , c"),
        ("select a\u2028 from t", "select a from t"),
        ("select é", "select É"),
        ("select random()", "select random()"),
        (r"select '\' , 'A'", r"select '\' , 'a'"),
        (r'select "\" , "A"', r'select "\" , "a"'),
        ("select # 'A'\n", "select # 'a'\n"),
        ("select ´A´", "select ´a´"),
        ("select a --b\n, c", "select a --b , c"),
        ("select 1 --a\r, 2\n", "select 1 --a\n, 2\n"),
        ("select 1 /* 'A", "select 1 /* 'a"),
        ("select 1;;", "select 1"),
        ("explain query plan select 1 from t a", "explain query plan select 1 from t A"),
    ],
)
def test_what_may_be_another_query_is_not_the_same(left, right):
    assert not same_query(left, right)


def test_a_backslash_before_a_quote_does_not_hide_that_a_literal_differs(files):
    gold = r"select age from pet where 'a_b' like '%\_%' escape '\' and name = 'x'"
    question = GoldQuery(files, gold, Options(), LIMITS)
    assert question.judge(gold, plug=False).verdict == "correct"
    assert question.judge(gold.replace("'x'", "'X'"), plug=False).verdict == "wrong_result"


def test_a_second_semicolon_is_executed_where_the_text_is_kept_whole(files):
    question = GoldQuery(files, "select age from pet", Options(keep_distinct=True), LIMITS)
    assert question.judge("select age from pet;", plug=False).verdict == "correct"
    assert question.judge("select age from pet;;", plug=False).verdict == "refused"


def test_gold_is_executed_once_a_file_for_all_predictions(files):
    executed = []
    question = GoldQuery(
        files,
        "select age from pet where name = 'x'",
        Options(plug_value=True),
        LIMITS,
        lambda number, gold, plugged: executed.append(gold),
    )
    for sql in ("select age from pet", "select max(age) from pet", "select age from pet limit 2"):
        question.judge(sql, plug=True)
    assert executed.count(True) == len(files)


def test_the_same_text_as_gold_is_not_executed(files):
    executed = []
    gold = "select age from pet where name = 'x'"
    question = GoldQuery(
        files, gold, Options(), LIMITS, lambda number, gold, plugged: executed.append(gold)
    )
    assert question.judge("SELECT age FROM pet WHERE name='x' ;", plug=False).verdict == "correct"
    assert executed == [True, True]


def test_a_prediction_is_left_at_the_first_difference(files):
    executed = []
    question = GoldQuery(
        files,
        "select age from pet",
        Options(),
        LIMITS,
        lambda number, gold, plugged: executed.append(gold),
    )
    question.judge("select age + 1 from pet", plug=False)
    assert executed == [True, False]


def test_stored_text_that_is_not_utf_8_loses_its_bad_bytes(files):
    assert files[0].execute("select name from pet where age = 7").rows == [("ab",)]


def test_the_same_connection_reads_good_text_afterwards(files):
    files[0].execute("select name from pet")
    assert files[0].execute("select 'é'").rows == [("é",)]


def test_rows_beyond_those_asked_for_are_not_fetched(files):
    endless = "with recursive t(x) as (select 1 union all select x + 1 from t) select x from t"
    result = files[0].execute(endless, max_rows=50)
    assert not result.complete
    assert len(result.rows) < 2000


@pytest.mark.parametrize(
    ("limits", "detail"),
    [
        (Limits(max_rows=100), "result holds more than 100 rows"),
        (Limits(max_bytes=5_000), "result holds more than 5000 bytes"),
    ],
)
def test_results_are_bounded(files, limits, detail):
    count = (
        "with recursive t(x) as (select 1 union all select x + 1 from t limit 5000) select x from t"
    )
    database = Sandbox(files[0].path, limits)
    with pytest.raises(QueryError, match=detail):
        database.execute(count)
    database.close()


def test_the_budget_of_steps_is_for_one_execution(files):
    count = "with recursive t(x) as (select 1 union all select x + 1 from t limit 20000) select max(x) from t"
    database = Sandbox(files[0].path, Limits(max_vm_steps=500_000))
    for _ in range(20):
        assert database.execute(count).rows == [(20000,)]
    database.close()


def test_a_long_text_of_printf_is_not_null(files):
    # Beyond SQLite's length limit printf gives NULL, with which `not in` would be empty.
    database = Sandbox(files[0].path, Limits(max_bytes=100_000))
    wide = "select age from pet where age not in (select printf('%300000d', 1))"
    assert len(database.execute(wide).rows) == 3
    with pytest.raises(QueryError, match="more than 100000 bytes"):
        database.execute("select printf('%300000d', 1)")
    with pytest.raises(QueryError, match="a value of more than 100000 bytes"):
        database.execute("select hex(zeroblob(100000))")
    database.close()


@pytest.fixture
def with_virtual_tables(tmp_path):
    path = tmp_path / "virtual.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """create table doc(j text, x as (json_extract(j, '$.x')) stored, y as (json_extract(j, '$.y')));
            create index by_y on doc(json_extract(j, '$.y'));
            insert into doc(j) values('{"x": 1, "y": [2, 3]}');
            create virtual table page using fts5(body); insert into page values('hello world'), ('bye');
            create virtual table old using fts4(body); insert into old values('hello world'), ('bye');
            create virtual table terms using fts5vocab(page, 'row');
            create virtual table box using rtree(id, low, high); insert into box values(1, 0, 5), (2, 3, 9);
            create view element as select value from doc, json_each(doc.y);"""
        )
    connection.close()
    return path


READS = {
    "select value from json_each('[1, 2]')": [(1,), (2,)],
    "select atom from json_tree('[1]') where atom is not null": [(1,)],
    "select value from element": [(2,), (3,)],
    "select x, y from doc where json_extract(j, '$.y') = '[2,3]'": [(1, "[2,3]")],
    "select highlight(page, 0, '[', ']') from page where page match 'hello'": [("[hello] world",)],
    "select body from page where page match 'bye' order by rank": [("bye",)],
    "select body from old where body match 'bye'": [("bye",)],
    "select term from terms where doc = 1 and term > 'c'": [("hello",), ("world",)],
    "select id from box where low < 2": [(1,)],
    "select name from pragma_table_info('page')": [("body",)],
    "select name from pragma_table_xinfo('doc')": [("j",), ("x",), ("y",)],
    "select name from pragma_index_list('doc')": [("by_y",)],
    "select count(*) from pragma_foreign_key_list('doc')": [(0,)],
    "pragma user_version": [(0,)],
}
WRITES = [
    "insert into box values(3, 0, 1)",
    "delete from box_node",
    "insert into page(page) values('rebuild')",
    "update page set body = ''",
    "update sqlite_master set sql = ''",
    "pragma user_version = 3",
    "create virtual table more using fts5(body)",
    "drop table page",
]


@pytest.mark.parametrize("first", [*READS, *WRITES])
def test_what_only_reads_is_answered_and_what_writes_is_refused_whatever_ran_before(
    with_virtual_tables, first
):
    database = Sandbox(with_virtual_tables, LIMITS)
    for sql in (first, *READS, *WRITES, first, *reversed(READS)):
        if sql in READS:
            assert database.execute(sql).rows == READS[sql]
        else:
            with pytest.raises(QueryError) as refusal:
                database.execute(sql)
            assert refusal.value.verdict == "refused"
    database.close()
