"""Queries that SQLite compiles to one program are one query, on every file of their schema; others are not."""

import sqlite3
from contextlib import closing

import pytest

from sqladder.metric.limits import Limits
from sqladder.metric.programs import program_of
from sqladder.metric.sandbox import Sandbox
from sqladder.metric.suite import GoldQuery, Options

SCHEMA = """CREATE TABLE pet (id INTEGER PRIMARY KEY, name TEXT, age REAL, owner INTEGER REFERENCES owner);
CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE);
CREATE VIEW lot AS SELECT random() AS n FROM pet;"""


def same_program(database, left, right):
    return program_of(database, left) == program_of(database, right) is not None


def database(path, content="", schema=SCHEMA):
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"{schema}\n{content}")
    return path


@pytest.fixture
def opened(tmp_path):
    file = database(tmp_path / "pets.sqlite")
    with closing(Sandbox(file, Limits())) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    "other",
    [
        "SELECT T1.name FROM pet AS T1 WHERE T1.age > 7",
        'select "name" from main.pet where (age) > 7 -- seven',
        "select name as title from [pet] where age>0007",
    ],
)
def test_spellings_of_one_query_are_one_program(opened, other):
    assert same_program(opened, "select name from pet where age > 7", other)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("select name from pet where age > 7", "select name from pet where age >= 7"),
        ("select name from pet", "select name from owner"),
        ("select name, age from pet", "select age, name from pet"),
        ("select name from pet order by name", "select name from pet order by name desc"),
        # A listed program shows sixteen digits of a number, and no blob.
        ("select 1.00000000000000001e0", "select 1.00000000000000001"),
        ("select 0.1234567890123456712", "select 0.1234567890123456788"),
        ("select 9223372036854775809", "select 9223372036854777000"),
        ("select x'01'", "select x'02'"),
        ("select 'a'", "select 'A'"),
        ("select name = 'x' collate nocase from pet", "select name = 'x' from pet"),
        # Two executions give two results.
        ("select n from lot", "select T1.n from lot as T1"),
        ("select random() from pet", "select random() from pet as p"),
        # What is no query has no program.
        ("select nope from pet", "select nope from pet"),
        ("select 1; select 2", "select 1; select 2"),
    ],
)
def test_what_may_be_another_query_is_not_one_program(opened, left, right):
    assert not same_program(opened, left, right)


def judged(files, gold, *predictions):
    """The verdict of the last prediction, and on how many files all of them were executed."""
    executed = []
    sandboxes = [Sandbox(file, Limits()) for file in files]
    question = GoldQuery(
        sandboxes, gold, Options(), Limits(), lambda number, gold, _: executed.append(gold)
    )
    verdict = [question.judge(sql, plug=False).verdict for sql in predictions][-1]
    for sandbox in sandboxes:
        sandbox.close()
    return verdict, executed.count(False)


GOLD, OTHER = "select name from pet where age > 7", "SELECT T1.name FROM pet AS T1 WHERE T1.age > 7"


def test_another_spelling_of_gold_is_executed_on_the_original_only(tmp_path):
    files = [
        database(tmp_path / f"{n}.sqlite", f"INSERT INTO pet VALUES (1, 'x', {n}, NULL);")
        for n in range(6, 10)
    ]
    assert judged(files, GOLD, OTHER) == ("correct", 1)
    # 7 and more is another query, and 6 to 9 alike until there is one of 7.
    assert judged(files, GOLD, OTHER.replace(">", ">=")) == ("wrong_result", 2)


def test_two_spellings_of_one_right_answer_are_executed_once(tmp_path):
    files = [
        database(tmp_path / f"{n}.sqlite", f"INSERT INTO pet VALUES (1, 'x', {n}, NULL);")
        for n in range(5)
    ]
    first = "select name from pet where age - 7 > 0"
    second = "select T1.name from pet as T1 where T1.age - 7 > 0"
    assert judged(files, GOLD, first) == ("correct", 5)
    assert judged(files, GOLD, first, second) == ("correct", 6)
    # One that fails on a later file says nothing of its other spellings.
    wrong = [sql.replace("7", "2") for sql in (first, second)]
    assert judged(files, GOLD, *wrong) == ("wrong_result", 8)


@pytest.mark.parametrize(
    ("content", "schema"),
    [("", SCHEMA.replace("age REAL", "age TEXT")), ("ANALYZE;", SCHEMA)],
    ids=["another schema", "statistics"],
)
def test_on_a_file_that_compiles_otherwise_it_is_executed(tmp_path, content, schema):
    row = "INSERT INTO pet VALUES (1, 'x', 9, NULL);"
    original = database(tmp_path / "1.sqlite", row)
    other = database(tmp_path / "2.sqlite", row + content, schema)
    assert judged([original, other], GOLD, OTHER) == ("correct", 2)
