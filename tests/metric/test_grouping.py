"""Answers sorted by their results, as the metric compares them."""

import random
import sqlite3

import pytest

from sqladder.metric import Limits, Options, pool
from sqladder.metric.grouping import Answered, group_by_result
from sqladder.metric.normalise import QUIRKS

ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"


@pytest.fixture
def file(tmp_path):
    with sqlite3.connect(tmp_path / "pets.sqlite") as connection:
        connection.executescript(
            "create table pet(name, age, value); "
            "insert into pet values('a', 3, 7), ('b', 2, 8), ('c', 3, 9)"
        )
    connection.close()
    return tmp_path / "pets.sqlite"


def groups(file, *sqls, options=None, limits=None):
    answered = Answered(str(file), sqls)
    group_by_result([answered], options or Options(), limits or Limits(), jobs=2)
    return answered.groups


def test_equal_results_make_a_group_whatever_the_text_and_the_order_of_columns(file):
    assert groups(
        file,
        "select name, age from pet where age > 2",
        "select count(*) from pet",
        "SELECT age, name FROM pet WHERE age = 3",
        "select 3",
        "select name, age from pet where age > 2",
    ) == [0, 1, 0, 1, 0]


def test_an_order_counts_where_the_first_of_a_group_sorts(file):
    up, down = "select name from pet order by name", "select name from pet order by name desc"
    assert groups(file, up, down, "select name from pet") == [0, 1, 0]
    assert groups(file, "select name from pet", down) == [0, 0]


@pytest.mark.parametrize(
    "failing",
    [
        "",
        "select nme from pet",
        "delete from pet",
        "select 1; select 2",
        "select 'half",
        "no sql at all",
        ENDLESS,
        "select zeroblob(500000000)",
        "select name \ud800 from pet",
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_answer_without_result_is_in_no_group_and_spoils_none(file, failing, place):
    sqls = ["select count(*) from pet", "select 3"]
    sqls.insert(place, failing)
    found = groups(file, *sqls, options=Options(repairs=QUIRKS["repaired"]), limits=small_limits())
    assert found.pop(place) is None
    assert found == [0, 0]


def small_limits():
    return Limits(max_vm_steps=1_000_000, max_bytes=1_000_000)


def test_a_question_without_any_result_has_no_group(file):
    assert groups(file, "select nme from pet", "nothing", "") == [None, None, None]


def test_what_has_no_row_is_a_result(file):
    assert groups(file, "select name from pet where age > 9", "select 1 where 0") == [0, 0]


def test_an_answer_is_executed_as_the_metric_executes_predictions(file):
    # The official evaluator writes 1 for the word.
    official = groups(file, "select value from pet", "select 1 from pet")
    assert official == [0, 0]
    repaired = Options(repairs=QUIRKS["repaired"])
    assert groups(file, "select value from pet", "select 1 from pet", options=repaired) == [0, 1]


def test_groups_agree_with_verdicts_of_pairs(file):
    rng = random.Random(3)
    parts = [
        "name",
        "age",
        "count(*)",
        "max(age)",
        "name, age",
        "age, name",
        "distinct age",
        "agee",
    ]
    ends = ["", " where age = 3", " where age > 2", " order by age", " limit 2", " group by age"]
    sqls = [f"select {rng.choice(parts)} from pet{rng.choice(ends)}" for _ in range(40)]
    found = groups(file, *sqls)
    golds = [sqls[found.index(group)] for group in sorted({*found} - {None})]
    candidates = [(sql, False) for sql in sqls]
    pairs = [pool.Question([str(file)], gold, candidates, [None] * len(sqls)) for gold in golds]
    pool.run(pairs, Options(), Limits(), jobs=2)
    for place, (sql, group) in enumerate(zip(sqls, found, strict=True)):
        verdicts = [question.judgement(place).verdict for question in pairs]
        assert group == (verdicts.index("correct") if "correct" in verdicts else None), sql


def test_many_questions_report_each_once(file):
    questions = [Answered(str(file), [f"select {i}", "select age from pet"]) for i in range(30)]
    finished = []
    group_by_result(questions, Options(), Limits(), jobs=2, progress=finished.append)
    assert sum(finished) == 30
    assert {tuple(question.groups) for question in questions} == {(0, 1)}
