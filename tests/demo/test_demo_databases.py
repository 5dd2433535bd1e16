import random
import re
import sqlite3
from contextlib import closing

import pytest

from conftest import ROOT
from sqladder.databases.schema import ddl, read_schema
from sqladder.demo.databases import build, read_rows, write_database
from sqladder.demo.variations import STYLES, vary
from sqladder.errors import InputError

SCRIPTS = sorted((ROOT / "resources/demo/schemas").glob("*.sql"))
VARIATIONS = 5

# Right on the original database, and only by accident: (database, gold, accident).
ACCIDENTS = {
    "no WHERE": (
        "library",
        "SELECT MIN(age) FROM member WHERE city = 'Bath'",
        "SELECT MIN(age) FROM member",
    ),
    "one condition of two": (
        "club",
        "SELECT date FROM game WHERE opponent = 'Tigers' AND points < 3",
        "SELECT date FROM game WHERE opponent = 'Tigers'",
    ),
    "> for >=": (
        "clinic",
        "SELECT name FROM doctor WHERE salary > 90000 AND specialty = 'surgery'",
        "SELECT name FROM doctor WHERE salary >= 90000 AND specialty = 'surgery'",
    ),
    "above the average, or at it": (
        "garden",
        "SELECT name FROM plant WHERE price > (SELECT AVG(price) FROM plant)",
        "SELECT name FROM plant WHERE price >= (SELECT AVG(price) FROM plant)",
    ),
    "COUNT for COUNT DISTINCT": (
        "railway",
        "SELECT COUNT(DISTINCT name) FROM station",
        "SELECT COUNT(name) FROM station",
    ),
    "values that repeat": (
        "school",
        "SELECT name FROM pupil WHERE city = 'Ely'",
        "SELECT DISTINCT name FROM pupil WHERE city = 'Ely'",
    ),
    "wrong join": (
        "school",
        "SELECT teacher.name FROM course JOIN teacher ON course.teacher_id = teacher.id"
        " WHERE course.room = 'B2'",
        "SELECT teacher.name FROM course JOIN teacher ON course.id = teacher.id"
        " WHERE course.room = 'B2'",
    ),
    "no ORDER BY": (
        "cinema",
        "SELECT title FROM film WHERE genre = 'drama' ORDER BY year DESC LIMIT 1",
        "SELECT title FROM film WHERE genre = 'drama' LIMIT 1",
    ),
    "one row of those that tie": (
        "library",
        "SELECT title FROM book WHERE year = (SELECT MAX(year) FROM book)",
        "SELECT title FROM book ORDER BY year DESC LIMIT 1",
    ),
    "HAVING that all groups fulfil": (
        "bakery",
        "SELECT kind FROM product GROUP BY kind HAVING COUNT(*) >= 3",
        "SELECT kind FROM product GROUP BY kind",
    ),
    "one side of EXCEPT": (
        "school",
        "SELECT subject FROM teacher WHERE salary < 29000"
        " EXCEPT SELECT subject FROM teacher WHERE salary > 50000",
        "SELECT subject FROM teacher WHERE salary < 29000",
    ),
    "rows for known values": (
        "library",
        "SELECT COUNT(age) FROM member WHERE city = 'Leeds'",
        "SELECT COUNT(*) FROM member WHERE city = 'Leeds'",
    ),
    "text at the start, or anywhere": (
        "library",
        "SELECT name FROM member WHERE city LIKE '%Leeds%'",
        "SELECT name FROM member WHERE city LIKE 'Leeds%'",
    ),
}


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    """The files of each database, the original first."""
    folder = tmp_path_factory.mktemp("demo")
    return {s.stem: build(s, folder / s.stem, VARIATIONS, seed=42) for s in SCRIPTS}


def answer(path, sql):
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(sql).fetchall()
    return rows if "ORDER BY" in sql else sorted(rows, key=repr)


def one(path, sql):
    return answer(path, sql)[0][0]


def test_there_are_at_least_six_databases_of_three_or_four_tables(suite):
    assert len(suite) >= 6
    for original, *variations in suite.values():
        assert len(variations) == VARIATIONS
        tables = read_schema(original).tables
        assert len(tables) in (3, 4)
        assert sum(len(table.foreign_keys) for table in tables) >= 2
        for table in tables:
            assert 12 <= one(original, f"SELECT COUNT(*) FROM {table.name}") <= 60


def test_names_are_short_lower_case_words():
    names = set(re.findall(r"^\s*(?:CREATE TABLE )?(\w+)", "".join(map(ddl_of, SCRIPTS)), re.M))
    assert all(re.fullmatch(r"[a-z]+(_id)?", name) for name in names - {"CREATE"}), names
    assert len(names) <= 100


def ddl_of(script):
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(script.read_text(encoding="utf-8"))
        return "\n".join(row[0] for row in connection.execute("SELECT sql FROM sqlite_master"))


def test_the_data_hold_nulls_dates_quotes_and_other_alphabets(suite):
    for db_id, (original, *_) in suite.items():
        values = [value for rows in read_rows(original).values() for row in rows for value in row]
        texts = [value for value in values if isinstance(value, str)]
        assert None in values, db_id
        assert any(re.fullmatch(r"\d{4}-\d\d-\d\d", text) for text in texts), db_id
        assert any("'" in text for text in texts), db_id
        assert any(not text.isascii() for text in texts), db_id


def test_variations_have_the_same_schema_and_consistent_keys(suite):
    for original, *variations in suite.values():
        for path in variations:
            assert read_schema(path) == read_schema(original)
            assert answer(path, "PRAGMA foreign_key_check") == []
            assert read_rows(path) != read_rows(original)


def test_every_table_of_every_file_has_a_row(suite):
    for path in (path for paths in suite.values() for path in paths):
        assert all(read_rows(path).values()), path


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_a_query_that_is_right_by_accident_is_caught(accident, suite):
    db_id, gold, wrong = ACCIDENTS[accident]
    original, *variations = suite[db_id]
    assert answer(original, gold) == answer(original, wrong) != []
    assert any(answer(path, gold) != answer(path, wrong) for path in variations)


def test_equal_seeds_give_equal_bytes_and_other_seeds_other_rows(tmp_path):
    script = SCRIPTS[0]
    one, same, other = (
        build(script, tmp_path / name, 3, seed)
        for name, seed in (("one", 1), ("same", 1), ("other", 2))
    )
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in same]
    assert read_rows(one[0]) == read_rows(other[0])
    assert all(read_rows(a) != read_rows(b) for a, b in zip(one[1:], other[1:], strict=True))


def test_building_again_with_fewer_variations_leaves_no_old_file(tmp_path):
    build(SCRIPTS[0], tmp_path, 3, seed=1)
    paths = build(SCRIPTS[0], tmp_path, 1, seed=1)
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_more_variations_than_styles_go_round_again(tmp_path):
    paths = build(SCRIPTS[0], tmp_path, len(STYLES) + 1, seed=1)
    first, last = read_rows(paths[1]), read_rows(paths[-1])
    assert {name: len(rows) for name, rows in first.items()} == {
        name: len(rows) for name, rows in last.items()
    }
    assert first != last


@pytest.mark.parametrize(
    "script, message",
    [
        ("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES ('x');", "does not run"),
        (
            "CREATE TABLE p (id INTEGER PRIMARY KEY);"
            "CREATE TABLE c (id INTEGER PRIMARY KEY, p_id INTEGER REFERENCES p (id));"
            "INSERT INTO c VALUES (1, 7);",
            "row 1 of c refers to a missing row of p",
        ),
        (
            "CREATE TABLE t (a INTEGER, b INTEGER, PRIMARY KEY (a, b)); INSERT INTO t VALUES (1, 2);",
            r"table t has the key \('a', 'b'\), not one column",
        ),
        (
            "CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INTEGER REFERENCES b (id));"
            "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a (id));",
            "no order of tables puts parents before children among: a, b",
        ),
    ],
)
def test_a_script_that_cannot_be_built_is_refused(script, message, tmp_path):
    path = tmp_path / "bad.sql"
    path.write_text(script)
    with pytest.raises(InputError, match=message):
        build(path, tmp_path / "bad", 1, seed=1)


def test_a_file_of_rows_without_parents_is_not_written(tmp_path):
    (original,) = build(SCRIPTS[0], tmp_path, 0, seed=1)
    schema, rows = read_schema(original), read_rows(original)
    rows[schema.tables[0].name] = []
    with pytest.raises(InputError, match="refer to missing rows"):
        write_database(tmp_path / "broken.sqlite", schema, rows)
    assert not (tmp_path / "broken.sqlite").exists()


def test_the_fullest_style_has_several_rows_for_each_name(tmp_path):
    (original,) = build(SCRIPTS[0], tmp_path, 0, seed=1)
    schema, rows = read_schema(original), read_rows(original)
    varied = vary(schema, rows, STYLES[1], random.Random(1))
    assert all(len(varied[name]) == 6 * len(rows[name]) for name in rows)


def test_ddl_of_the_demonstration_reads_as_its_own_text(suite):
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8").replace("\n    ", "\n  ")
        for statement in ddl(read_schema(suite[script.stem][0])).split(";\n"):
            assert statement in text
