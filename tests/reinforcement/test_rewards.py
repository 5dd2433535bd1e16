"""What answers to training questions are worth, and that none gets the reward of a right one by a trick."""

import sqlite3

import pytest
import torch

from sqladder.errors import InputError
from sqladder.files import write_jsonl
from sqladder.generation.extraction import extract_sql
from sqladder.metric.inputs import Item
from sqladder.metric.limits import Limits
from sqladder.metric.scoring import Task
from sqladder.reinforcement.answer_judge import AnswerJudge
from sqladder.reinforcement.rewards import Parts, group_counts, parts_of
from sqladder.suites.building import build

GOLD = "SELECT name FROM singer WHERE age > 30"
COUNT = "SELECT count(*) FROM singer"
ITEMS = [
    Item("older", "music", GOLD, 0, 0),
    Item("count", "alone", COUNT, 1, 0),
    Item("either", "music", "SELECT age FROM singer", 2, 0, alternatives=(GOLD,)),
]
LIMITS = Limits(max_vm_steps=1_000_000, timeout=2, memory_mb=256)


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("create table singer(id integer primary key, name text, age integer)")
        connection.executemany("insert into singer(name, age) values (?, ?)", rows)
    connection.close()


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    """One database with a suite of two files, and one of a single file."""
    folder = tmp_path_factory.mktemp("databases")
    write(folder / "music/music.sqlite", [("Ann", 20), ("Bob", 31), ("Cleo", 42)])
    write(folder / "music/other.sqlite", [("Dan", 55), ("Eve", 17)])
    write(folder / "alone/alone.sqlite", [("Ann", 20), ("Bob", 31)])
    return folder


@pytest.fixture(scope="module")
def judge(databases):
    judge = AnswerJudge(ITEMS, Task(databases, limits=LIMITS, jobs=1))
    yield judge
    judge.close()


def reward_of(judge, question, text):
    sql = extract_sql(text)
    [judgement] = judge.judge([(question, sql)])
    return parts_of(text, sql, judgement, judge.golds(question))


@pytest.mark.parametrize(
    ("question", "text", "parts"),
    [
        ("older", "SELECT name FROM singer WHERE NOT age <= 30", Parts(1, 0, 0)),
        ("older", f"The answer is: {GOLD}", Parts(1, 0, 0)),
        ("either", GOLD, Parts(1, 0, 0)),
        ("older", "SELECT name FROM singer;", Parts(0, 1, 1)),
        ("older", "Here it is:\nSELECT name FROM singer;", Parts(0, 1, 0)),
        ("older", "SELECT name FROM singers", Parts(0, 0, 1)),
        ("older", "I do not know.", Parts(0, 0, 0)),
        ("older", "DELETE FROM singer", Parts(0, 0, 0)),
    ],
)
def test_a_reward_has_its_parts(judge, question, text, parts):
    assert reward_of(judge, question, text) == parts


@pytest.mark.parametrize(
    ("question", "text"),
    [
        # A constant: gold's rows of one file, or of the only one.
        ("older", "SELECT 'Bob' UNION ALL SELECT 'Cleo'"),
        ("count", "SELECT 2"),
        ("count", "VALUES (2)"),
        # Gold's rows on the original file alone.
        ("older", "SELECT name FROM singer WHERE id > 1"),
        # Endless.
        ("older", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n"),
        # What is not the database's.
        ("older", "SELECT readfile('/proc/self/environ') FROM singer"),
        ("older", "SELECT load_extension('/tmp/gold.so') FROM singer"),
        ("older", "ATTACH '/proc/self/mem' AS gold"),
        ("older", "SELECT * FROM pragma_database_list"),
        ("count", "SELECT sql FROM sqlite_master"),
    ],
)
def test_no_trick_gets_the_reward_of_a_right_answer(judge, question, text):
    parts = reward_of(judge, question, text)
    assert parts.right == 0
    assert parts.select <= 1


# A constant that reads a table: on one file nothing tells it from an answer.
ACCIDENT = "SELECT 2 FROM singer LIMIT 1"


def test_databases_of_one_file_reward_accidents_and_are_counted(judge):
    assert reward_of(judge, "count", ACCIDENT).right == 1
    assert judge.databases() == {"databases": 2, "databases_of_one_file": 1}


def test_a_suite_made_for_the_training_questions_rewards_no_accident(databases, tmp_path):
    write_jsonl(tmp_path / "gold.jsonl", [{"id": "count", "db_id": "alone", "sql": COUNT}])
    build(databases, tmp_path / "gold.jsonl", tmp_path / "suite", 4, 1, 1)
    judge = AnswerJudge(ITEMS[1:2], Task(tmp_path / "suite", limits=LIMITS, jobs=1))
    assert reward_of(judge, "count", ACCIDENT) == Parts(0, 1, 1)
    assert reward_of(judge, "count", "SELECT count(id) FROM singer").right == 1
    assert judge.databases() == {"databases": 1, "databases_of_one_file": 0}
    judge.close()


def test_an_answer_that_ends_a_worker_costs_the_others_nothing(judge):
    huge = "SELECT zeroblob(900000000) || zeroblob(900000000) FROM singer"
    found = judge.judge([("older", huge), ("older", GOLD), ("older", huge)])
    assert [own.verdict == "correct" for own in found] == [False, True, False]


def test_gold_is_executed_once_for_all_trainings(databases, tmp_path):
    task = Task(databases, limits=LIMITS, jobs=1, gold_results=tmp_path / "gold")
    for expected in ({}, {0, 1}):
        judge = AnswerJudge(ITEMS, task)
        known = judge._known.get(("music", GOLD))
        assert set(known.outlines if known else {}) == set(expected)
        assert judge.judge([("older", GOLD)])[0].verdict == "correct"
        judge.close()


def test_gold_that_fails_is_named(databases):
    broken = [Item("broken", "music", "SELECT nothing FROM nowhere", 0, 0)]
    judge = AnswerJudge(broken, Task(databases, limits=LIMITS, jobs=1))
    with pytest.raises(InputError, match=r"question broken cannot be executed.*leave the question"):
        judge.judge([("broken", GOLD)])
    judge.close()


def test_groups_that_teach_nothing_are_counted():
    right = torch.tensor([[1.0, 1.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    rewards = torch.tensor([[1.0, 1.0], [0.0, 0.1], [0.0, 1.0], [0.1, 0.1]])
    assert group_counts(right, rewards) == {
        "groups/equal": 0.5,
        "groups/none_right": 0.5,
        "groups/all_right": 0.25,
    }
