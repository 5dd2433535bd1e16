"""Predictions executed by themselves: which have a result, and why the others have none."""

import sqlite3

import pytest

from sqladder.metric.limits import Limits
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.suite import Options
from sqladder.metric.trial import Tried, try_out

REPAIRED = Options(repairs=QUIRKS["repaired"])


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "pets.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("create table pet(age, value)")
    connection.close()
    return str(path)


ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"


def test_each_failure_has_its_reason_and_a_result_has_none(database):
    sqls = ["select age from pet", "select a from pet", "", "delete from pet", "select", ENDLESS]
    executed = []
    question = Tried(database, [*sqls, sqls[1]])
    try_out([question], REPAIRED, Limits(max_vm_steps=100_000), 1, executed.append)
    assert question.errors == [
        None,
        "no such column: a",
        "the text holds no statement",
        "not allowed: delete; a query may only read",
        "incomplete input",
        "more than 100000 steps (limit max_vm_steps)",
        "no such column: a",
    ]
    assert sum(executed) == len(sqls)


def test_a_prediction_is_executed_as_the_metric_would(database):
    found = {}
    for quirks, repairs in QUIRKS.items():
        question = Tried(database, ["select x.value from pet as x"])
        try_out([question], Options(repairs=repairs), Limits(), 1)
        found[quirks] = question.errors
    assert found["repaired"] == [None]
    # The official evaluator reads the word value as 1.
    assert found["official"] != [None]


def test_nothing_is_started_for_nothing(database):
    question = Tried(database, [])
    try_out([question], REPAIRED, Limits(), 1)
    assert question.errors == []
