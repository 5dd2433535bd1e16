"""Groups that tie at the LIMIT of a gold query are told apart by further rows."""

import random
import sqlite3
from contextlib import closing

import pytest

from sqladder.suites.catalog import read_catalog
from sqladder.suites.judging import chance_golds, gold_of
from sqladder.suites.untying import untie

# Kiel, Bonn and Ulm have two flights each, Trier and Jena one each.
SCHEMA = """
CREATE TABLE airport (code TEXT PRIMARY KEY, city TEXT);
CREATE TABLE flight (airline INTEGER, no INTEGER, source TEXT REFERENCES airport (code),
  goal TEXT REFERENCES airport (code), PRIMARY KEY (airline, no));
CREATE TABLE seat (name TEXT PRIMARY KEY, row INTEGER) WITHOUT ROWID;
INSERT INTO airport VALUES ('k', 'Kiel'), ('b', 'Bonn'), ('u', 'Ulm'), ('t', 'Trier'), ('j', 'Jena'), ('x', 'Celle');
INSERT INTO flight VALUES (1, 1, 'k', 'b'), (1, 2, 'k', 'u'), (2, 1, 'b', 'k'), (2, 2, 'b', 't'), (3, 1, 'u', 'k'),
  (3, 2, 'u', 'j'), (4, 1, 't', 'b'), (4, 2, 'j', 'u');
INSERT INTO seat VALUES ('1a', 1), ('2a', 2);
"""
ON_SOURCE = "FROM airport AS a JOIN flight AS f ON f.source = a.code"


@pytest.fixture
def air(tmp_path):
    path = tmp_path / "air.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(SCHEMA)
    return path


def untie_all(path, sql):
    """Untie until nothing ties, some times at most; the number of rows added, and whether something still ties."""
    catalog, golds = read_catalog(path), (gold_of(sql, []),)
    count = "SELECT (SELECT count(*) FROM flight) + (SELECT count(*) FROM airport)"
    rng = random.Random(1)
    with closing(sqlite3.connect(path, isolation_level=None)) as content:
        before = content.execute(count).fetchone()[0]
        tries = 0
        while tries < 5 and chance_golds(path, golds, [0]) and untie(content, sql, catalog, rng):
            tries += 1
        assert content.execute("PRAGMA foreign_key_check").fetchall() == []
        added = content.execute(count).fetchone()[0] - before
    return added, bool(chance_golds(path, golds, [0]))


@pytest.mark.parametrize(
    ("sql", "most_added"),
    [
        (f"SELECT a.city {ON_SOURCE} GROUP BY a.code ORDER BY count(*) DESC LIMIT 1", 1),
        (f"SELECT a.city {ON_SOURCE} GROUP BY a.code ORDER BY count(*) LIMIT 1", 1),
        (f"SELECT a.city, count(*) AS n {ON_SOURCE} GROUP BY a.code ORDER BY n DESC LIMIT 2", 2),
        (f"SELECT a.city {ON_SOURCE} GROUP BY a.code ORDER BY count(*) DESC LIMIT 1 OFFSET 1", 3),
        (
            "SELECT source FROM flight WHERE airline < 4 GROUP BY source ORDER BY count(*) LIMIT 1",
            2,
        ),
        (
            "SELECT a.city FROM airport AS a JOIN flight AS f ON a.code = f.source OR a.code = f.goal "
            "GROUP BY a.code ORDER BY count(*) LIMIT 1",
            4,
        ),
    ],
)
def test_as_many_groups_as_are_shown_stand_apart(air, sql, most_added):
    added, still_ties = untie_all(air, sql)
    assert not still_ties
    assert 1 <= added <= most_added


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT source FROM flight ORDER BY airline LIMIT 1",
        "SELECT source FROM flight GROUP BY source ORDER BY avg(no) LIMIT 1",
        "SELECT source FROM flight GROUP BY source ORDER BY count(*), source LIMIT 1",
        "SELECT source FROM flight GROUP BY source ORDER BY count(*)",
        "SELECT row FROM seat GROUP BY row ORDER BY count(*) LIMIT 1",
        "SELECT x FROM other GROUP BY x ORDER BY count(*) LIMIT 1",
    ],
)
def test_queries_that_do_not_sort_groups_by_their_size_are_left_alone(air, sql):
    with closing(sqlite3.connect(air)) as content:
        assert not untie(content, sql, read_catalog(air), random.Random(1))
