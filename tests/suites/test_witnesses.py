"""Rows on which the conditions of a gold query hold all at once."""

import random
import sqlite3
from contextlib import closing

import pytest

from sqladder.suites.catalog import read_catalog
from sqladder.suites.golds import parsed
from sqladder.suites.witnesses import add_witnesses, patterns_of

SCHEMA = """
CREATE TABLE airport (code TEXT PRIMARY KEY, city TEXT);
CREATE TABLE airline (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE flight (no INTEGER PRIMARY KEY, airline INTEGER REFERENCES airline (id),
  source TEXT REFERENCES airport (code), goal TEXT REFERENCES airport (code), price INTEGER CHECK (price > 0));
INSERT INTO airport VALUES ('a', 'Ulm'), ('b', 'Bonn'), ('c', 'Kiel'), ('d', 'Trier');
INSERT INTO airline VALUES (1, 'Blue'), (2, 'Red');
INSERT INTO flight VALUES (1, 1, 'a', 'b', 5), (2, 2, 'b', 'c', 8), (3, 1, 'd', 'a', 9);
"""


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "air.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(SCHEMA)
        yield path, database


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM flight AS f JOIN airport AS s ON f.source = s.code JOIN airport AS g ON f.goal = g.code "
        "WHERE s.city = 'Kiel' AND g.city = 'Ulm'",
        "SELECT count(*) FROM airline AS l JOIN flight AS f ON f.airline = l.id WHERE l.name = 'Red' AND f.goal = 'd'",
        "SELECT count(*) FROM flight WHERE price > 40 AND source = 'c'",
        "SELECT count(*) FROM flight WHERE source = 'x' AND airline = 2",
        "SELECT count(*) FROM airport WHERE city LIKE '%furt%' AND code = 'b'",
    ],
)
def test_conditions_that_no_row_meets_at_once_are_met(shop, sql):
    path, database = shop
    assert database.execute(sql).fetchone() == (0,)
    catalog = read_catalog(path)
    add_witnesses(database, patterns_of([parsed(sql)], catalog), catalog, 1.0, random.Random(1))
    (count,) = database.execute(sql).fetchone()
    assert count > 0
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def test_what_a_constraint_refuses_stays_as_it_was(shop):
    path, database = shop
    before = database.execute("SELECT * FROM flight").fetchall()
    catalog = read_catalog(path)
    patterns = patterns_of([parsed("SELECT no FROM flight WHERE price = -1")], catalog)
    add_witnesses(database, patterns, catalog, 1.0, random.Random(1))
    assert database.execute("SELECT * FROM flight").fetchall() == before


def test_queries_without_a_constant_or_of_unknown_tables_have_no_pattern(shop):
    catalog = read_catalog(shop[0])
    sqls = ["SELECT * FROM flight", "SELECT 1", "SELECT x FROM other WHERE x = 1"]
    assert patterns_of([parsed(sql) for sql in sqls], catalog) == []
