import time

import pytest

from sqladder.data.sql_keys import statement_key, table_columns

SAME = [
    (
        "SELECT T1.Name FROM singer AS T1 WHERE T1.age > 30",
        "select name from singer where age > ?",
    ),
    ("SELECT name FROM singer s WHERE s.age>7;", "select name from singer where age > ?"),
    ('select "Name" from "singer" where age > 30.5', "select name from singer where age > ?"),
    (
        "SELECT [name] FROM `singer` -- all\nWHERE age > 1e3",
        "select name from singer where age > ?",
    ),
    (
        "SELECT a.x FROM a INNER JOIN b ON a.i = b.i WHERE b.y = 'it''s'",
        "select x from a join b on i = i where y = ?",
    ),
    ('SELECT x FROM a WHERE y = "France"', "select x from a where y = ?"),
    ("SELECT x FROM a WHERE y <> 'F' ORDER BY x ASC", "select x from a where y != ? order by x"),
    ('SELECT x FROM a WHERE y IN ("F", "G")', "select x from a where y in ( ? , ? )"),
    ('SELECT x FROM a WHERE y BETWEEN "F" AND "G"', "select x from a where y between ? and ?"),
    (
        'SELECT x FROM a WHERE y IN (SELECT "z" FROM b)',
        "select x from a where y in ( select z from b )",
    ),
    (
        "SELECT count(*) AS n FROM a ORDER BY count(*)",
        "select count ( * ) from a order by count ( * )",
    ),
    ("SELECT main.a.x FROM main.a", "select x from a"),
]


@pytest.mark.parametrize(("sql", "key"), SAME)
def test_values_aliases_quotes_and_case_are_set_aside(sql, key):
    assert statement_key(sql) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT name FROM singer", "SELECT name FROM song"),
        ("SELECT name FROM singer", "SELECT age FROM singer"),
        ("SELECT name FROM singer ORDER BY age", "SELECT name FROM singer ORDER BY age DESC"),
        ("SELECT max(age) FROM singer", "SELECT min(age) FROM singer"),
        ("SELECT x FROM a WHERE y = 1", "SELECT x FROM a WHERE y > 1"),
        ("SELECT x FROM a LEFT JOIN b ON i = j", "SELECT x FROM a JOIN b ON i = j"),
        ("SELECT DISTINCT x FROM a", "SELECT x FROM a"),
        ("SELECT x FROM a WHERE y IN (1, 2)", "SELECT x FROM a WHERE y IN (1)"),
    ],
)
def test_what_changes_the_meaning_changes_the_key(one, other):
    assert statement_key(one) != statement_key(other)


@pytest.mark.parametrize(
    "text", ["", "no SQL (", "'open", '"open', "a.", "AS", "in (", "x in (select"]
)
def test_a_text_that_is_no_sql_has_a_key(text):
    assert isinstance(statement_key(text), str)


@pytest.mark.parametrize(
    "piece", ["'", '"', "(", "a.", "in (", "as ", "/*", "-- ", "x in (1, ", "create table x ("]
)
def test_a_long_hostile_text_takes_no_long_time(piece):
    start = time.process_time()
    statement_key(piece * 20_000)
    table_columns(piece * 20_000)
    assert time.process_time() - start < 5


def test_columns_are_read_from_create_table():
    ddl = """
    CREATE TABLE IF NOT EXISTS "Singer" (
      Singer_ID int PRIMARY KEY, -- the key
      "full name" varchar(40) NOT NULL, fee DECIMAL(8, 2) DEFAULT (1 + 2),
      PRIMARY KEY (Singer_ID), CONSTRAINT f FOREIGN KEY (fee) REFERENCES other (x)
    );
    INSERT INTO Singer VALUES (1, 'CREATE TABLE no (x)', 2);
    CREATE TABLE main.song (title, "key" text)
    """
    assert table_columns(ddl) == {
        ("singer", "singer_id"),
        ("singer", "full name"),
        ("singer", "fee"),
        ("song", "title"),
        ("song", "key"),
    }


@pytest.mark.parametrize("text", ["", "CREATE TABLE", "CREATE TABLE t (", "CREATE TABLE (a)", ")("])
def test_a_text_that_is_no_schema_gives_what_can_be_read(text):
    assert table_columns(text) == frozenset()
