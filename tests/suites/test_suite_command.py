"""`sqladder suite`: what it writes keeps the schema and the original, and catches what is right by accident."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sqladder.cli import parse_arguments
from sqladder.errors import InputError
from sqladder.metric.scoring import score_pair

SCHEMA = """
CREATE TABLE shop (id INTEGER PRIMARY KEY, town TEXT NOT NULL, code TEXT UNIQUE);
CREATE TABLE sale (id INTEGER PRIMARY KEY, shop_id INTEGER NOT NULL REFERENCES shop (id),
  price INTEGER CHECK (price > 0));
CREATE TRIGGER dear BEFORE INSERT ON sale WHEN new.price > 900 BEGIN SELECT RAISE(ABORT, 'too dear'); END;
INSERT INTO shop VALUES (1, 'Ulm', 'a'), (2, 'Bonn', 'b'), (3, 'Kiel', 'c');
INSERT INTO sale VALUES (1, 1, 5), (2, 1, 8), (3, 2, 30), (4, 3, 700);
"""
GOLD = "SELECT count(*) FROM sale WHERE price > 8"


def make(folder: Path, name: str, *more: str) -> Path:
    output = folder / name
    flags = ["--db", str(folder / "shop.sqlite"), "--gold", str(folder / "gold.sql")]
    args = parse_arguments(["suite", *flags, "--output", str(output), "--jobs", "1", *more])
    assert args.command.run(args) == 0
    return output


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    with closing(sqlite3.connect(folder / "shop.sqlite")) as database:
        database.executescript(SCHEMA)
    (folder / "gold.sql").write_text(f"{GOLD}\tshop\nSELECT town FROM shop ORDER BY id\tshop\n")
    return folder


@pytest.fixture(scope="module")
def suite(folder) -> Path:
    return make(folder, "suite", "--files", "8")


def digests(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.sqlite")
    }


def test_the_suite_holds_the_original_unchanged_and_the_other_files(folder, suite):
    files = digests(suite / "shop")
    assert len(files) == 8
    assert files["shop.sqlite"] == digests(folder)["shop.sqlite"]


def test_every_file_keeps_schema_keys_checks_and_triggers(suite):
    for path in (suite / "shop").glob("*.sqlite"):
        with closing(sqlite3.connect(path)) as database:
            kinds = database.execute("SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL")
            assert set(kinds) == {("table", "shop"), ("table", "sale"), ("trigger", "dear")}
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert (
                database.execute("SELECT * FROM sale WHERE price <= 0 OR price > 900").fetchall()
                == []
            )


def test_a_query_that_the_original_takes_for_right_is_caught(suite):
    judgement = score_pair(
        GOLD, "SELECT count(*) FROM sale WHERE price > 9", suite / "shop" / "shop.sqlite"
    )
    assert judgement.single_database and judgement.verdict == "wrong_result"


def test_the_same_seed_gives_the_same_files(folder, suite):
    assert digests(make(folder, "again", "--files", "8") / "shop") == digests(suite / "shop")


def test_the_report_counts_neighbours_and_lists_those_that_live_on(suite):
    facts = json.loads((suite / "suite.json").read_text())["shop"]
    assert facts["told_apart_by_original"] < facts["told_apart"] <= facts["neighbours"]
    assert facts["without_rows"] == 0
    living = [neighbour for gold in facts["golds"] for neighbour in gold["living"]]
    assert len(living) == facts["neighbours"] - facts["told_apart"]
    assert "told apart" in (suite / "suite.md").read_text()


def test_values_at_the_ends_of_what_sqlite_holds_are_no_obstacle(tmp_path):
    ends = (-(2**63), 2**63 - 1)
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as database, database:
        database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, big INTEGER, size)")
        rows = [(ends[0], 3, float("inf")), (ends[1], ends[1], 7), (1, ends[0], 2.5)]
        database.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    golds = (
        f"SELECT id FROM t WHERE big > {ends[1]}",
        f"SELECT id FROM t WHERE big < {ends[0]}",
        "SELECT id FROM t WHERE big = 92233720368547758070 AND size = 1",
        "SELECT size FROM t GROUP BY size ORDER BY count(*) LIMIT 1",
    )
    (tmp_path / "gold.sql").write_text("".join(f"{gold}\tshop\n" for gold in golds))
    assert len(digests(make(tmp_path, "suite", "--files", "8") / "shop")) == 8


@pytest.mark.parametrize(
    ("more", "message"),
    [(["--files", "1"], "at least one other file"), (["--jobs", "0"], "at least one worker")],
)
def test_wrong_numbers_are_refused(folder, more, message):
    with pytest.raises(InputError, match=message):
        make(folder, "refused", *more)


def test_an_output_that_is_there_is_refused(folder, suite):
    with pytest.raises(InputError, match="is there already"):
        make(folder, "suite")
