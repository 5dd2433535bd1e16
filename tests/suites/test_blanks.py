"""NULL where a column allows it and the original has none: counts are told apart by it, and no right answer is lost."""

import sqlite3
from contextlib import closing

import pytest

from sqladder.cli import parse_arguments
from sqladder.metric.scoring import score_pair
from sqladder.suites.blanks import may_be_blank
from sqladder.suites.catalog import read_catalog
from sqladder.suites.golds import parsed, wishes_of

SCHEMA = """
CREATE TABLE shop (id INTEGER PRIMARY KEY, code TEXT UNIQUE, town TEXT NOT NULL, owner TEXT, note TEXT);
CREATE TABLE sale (id INTEGER PRIMARY KEY, shop_id INTEGER REFERENCES shop (id), price INTEGER, day TEXT);
INSERT INTO shop VALUES (1, 'a', 'Ulm', 'Ada', 'x'), (2, 'b', 'Bonn', 'Bo', 'y'), (3, 'c', 'Kiel', 'Cy', 'z');
INSERT INTO sale VALUES (1, 1, 5, 'Mon'), (2, 1, 8, 'Tue'), (3, 2, 30, 'Wed'), (4, 3, 700, 'Mon');
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    path = tmp_path_factory.mktemp("blanks") / "shop.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(SCHEMA)
    return path


def blank(shop, sql):
    catalog = read_catalog(shop)
    wishes = wishes_of([parsed(sql)], catalog)
    return {
        f"{own.name}.{column.name}"
        for own in catalog.tables
        for column in own.columns
        if may_be_blank(own, column.name, wishes)
    }


FREE = {"shop.owner", "shop.note", "sale.price", "sale.day"}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM shop",
        "SELECT count(owner), count(DISTINCT note) FROM shop",
        "SELECT owner AS who, note FROM shop",
        "SELECT day, count(*) FROM sale GROUP BY day ORDER BY count(*) DESC",
        "SELECT town FROM shop WHERE id IN (SELECT shop_id FROM sale GROUP BY day)",
        "SELECT day FROM sale GROUP BY day HAVING count(price) > 1",
    ],
)
def test_columns_that_gold_shows_counts_or_does_not_read_may_be_null(shop, sql):
    assert blank(shop, sql) == FREE


@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        ("SELECT day FROM sale ORDER BY price LIMIT 1", "sale.price"),
        ("SELECT min(price) FROM sale", "sale.price"),
        ("SELECT town FROM shop WHERE owner <> 'Ada'", "shop.owner"),
        ("SELECT town FROM shop WHERE town NOT IN (SELECT owner FROM shop)", "shop.owner"),
        ("SELECT town FROM shop EXCEPT SELECT owner FROM shop", "shop.owner"),
        ("SELECT town FROM shop JOIN sale ON note = day", "shop.note sale.day"),
    ],
)
def test_where_null_would_make_right_answers_differ_there_is_none(shop, sql, kept):
    assert blank(shop, sql) == FREE - set(kept.split())


def test_a_count_of_a_column_is_told_from_the_count_of_rows(shop, tmp_path):
    gold = tmp_path / "gold.sql"
    gold.write_text("SELECT count(*) FROM shop\tshop\nSELECT day FROM sale ORDER BY price\tshop\n")
    flags = [
        "--db",
        shop,
        "--gold",
        gold,
        "--output",
        tmp_path / "suite",
        "--files",
        8,
        "--jobs",
        1,
    ]
    args = parse_arguments(["suite", *map(str, flags)])
    assert args.command.run(args) == 0
    original = tmp_path / "suite" / "shop" / "shop.sqlite"
    for column in ("owner", "note"):
        judged = score_pair(
            "SELECT count(*) FROM shop", f"SELECT count({column}) FROM shop", original
        )
        assert judged.single_database
        assert judged.verdict == "wrong_result"
    for column in ("id", "code", "town"):
        judged = score_pair(
            "SELECT count(*) FROM shop", f"SELECT count({column}) FROM shop", original
        )
        assert judged.verdict == "correct"
