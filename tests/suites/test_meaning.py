"""Neighbours that certainly mean the same as their gold query are told from those that nothing has tested."""

import sqlite3
from contextlib import closing

import pytest

from sqladder.suites.catalog import read_catalog
from sqladder.suites.judging import GoldCase
from sqladder.suites.meaning import same_as_gold
from sqladder.suites.neighbours import Neighbour

SCHEMA = """
CREATE TABLE pet (id INTEGER PRIMARY KEY, name TEXT NOT NULL, chip TEXT NOT NULL UNIQUE, age INT, code TEXT UNIQUE);
CREATE TABLE loose (tag TEXT PRIMARY KEY, pet INT REFERENCES pet (id));
INSERT INTO pet VALUES (1, 'a', 'x', 2, NULL);
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    path = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)
    return path


@pytest.mark.parametrize(
    ("gold", "neighbour", "same"),
    [
        ("SELECT count(*) FROM pet", "SELECT DISTINCT count(*) FROM pet", True),
        ("SELECT count(*) FROM pet", "SELECT count(id) FROM pet", True),
        ("SELECT count(*) FROM pet", "SELECT count(name) FROM pet", True),
        ("SELECT count(*) FROM pet", "SELECT count(DISTINCT chip) FROM pet", True),
        (
            "SELECT count(id) FROM pet WHERE age > 2",
            "SELECT count(name) FROM pet WHERE age >= 3",
            False,
        ),
        (
            "SELECT name FROM pet WHERE age > 2",
            "SELECT T1.name FROM pet AS T1 WHERE T1.age > 2",
            True,
        ),
        # A name may be there twice, an age may be NULL, and so may a key that is no number of a row.
        ("SELECT count(*) FROM pet", "SELECT count(DISTINCT name) FROM pet", False),
        ("SELECT count(*) FROM pet", "SELECT count(age) FROM pet", False),
        ("SELECT count(*) FROM pet", "SELECT count(DISTINCT code) FROM pet", False),
        ("SELECT count(*) FROM loose", "SELECT count(tag) FROM loose", False),
        # Of two tables.
        (
            "SELECT count(*) FROM loose LEFT JOIN pet ON pet.id = loose.pet",
            "SELECT count(id) FROM loose LEFT JOIN pet ON pet.id = loose.pet",
            False,
        ),
        (
            "SELECT count(*) FROM pet GROUP BY age",
            "SELECT DISTINCT count(*) FROM pet GROUP BY age",
            False,
        ),
        ("SELECT max(age), name FROM pet", "SELECT DISTINCT max(age), name FROM pet", False),
        ("SELECT name FROM pet", "SELECT chip FROM pet", False),
        ("SELECT random() FROM pet", "SELECT random() FROM pet AS p", False),
        ("SELECT nope FROM pet", "SELECT nope FROM pet", False),
    ],
)
def test_what_is_certainly_the_same(shop, gold, neighbour, same):
    case = GoldCase(gold, (Neighbour("any", neighbour),), ())
    assert same_as_gold(shop, read_catalog(shop), [case]) == (frozenset([0] if same else []),)
