"""What failed only for its dialect is told from what is wrong besides, by the message of the real SQLite."""

import sqlite3
from contextlib import closing

import pytest

from sqladder.databases.dialect_marks import NAMES, functions
from sqladder.databases.dialects import LONGEST, dialect_fault

TABLES = {
    "pet": ["name", "age", "born", "owner_id"],
    "owner": ["id", "name", "city", "wealth"],
}
OF_OTHERS = """
SELECT name FROM pet WHERE name ILIKE 'a%'
SELECT age::int FROM pet
SELECT born::date FROM pet
SELECT TOP 5 name FROM pet ORDER BY age
SELECT TOP (5) name FROM pet
SELECT DISTINCT TOP 5 name FROM pet
SELECT DATE_TRUNC('month', born) FROM pet
SELECT NOW()
SELECT count(*) FROM pet WHERE born < NOW() - INTERVAL '1 day'
SELECT count(*) FROM pet WHERE born < DATE_SUB(NOW(), INTERVAL 1 DAY)
SELECT EXTRACT(YEAR FROM born) FROM pet
SELECT CONCAT(name, ' ', age) FROM pet
SELECT YEAR(born), count(*) FROM pet GROUP BY YEAR(born)
SELECT DATEDIFF(day, born, GETDATE()) FROM pet
SELECT ISNULL(age, 0) FROM pet
SELECT LEFT(name, 2) FROM pet
SELECT STRING_AGG(name, ',') FROM pet
SELECT STRING_AGG(name, ',' ORDER BY name) FROM pet
SELECT GROUP_CONCAT(name SEPARATOR ', ') FROM pet
SELECT GROUP_CONCAT(DISTINCT name ORDER BY age DESC SEPARATOR ', ') FROM pet
(SELECT name FROM pet) UNION (SELECT name FROM owner)
(SELECT name FROM pet ORDER BY age LIMIT 1) UNION ALL (SELECT name FROM owner ORDER BY id LIMIT 1)
SELECT name FROM pet UNION (SELECT name FROM owner)
(SELECT name FROM pet)
SELECT DISTINCT ON (owner_id) name FROM pet ORDER BY owner_id, age
SELECT name FROM pet FETCH FIRST 5 ROWS ONLY
SELECT name FROM pet ORDER BY age OFFSET 5 ROWS FETCH NEXT 5 ROWS ONLY
SELECT name FROM pet WHERE age > ALL (SELECT age FROM pet)
SELECT name FROM pet WHERE age = ANY(SELECT age FROM pet)
SELECT name FROM pet WHERE name ~ '^a'
SELECT name FROM pet WHERE name SIMILAR TO 'a%'
SELECT name FROM pet WHERE name REGEXP '^a'
SELECT name FROM pet WHERE name RLIKE '^a'
SELECT COUNT(DISTINCT name, age) FROM pet
SELECT name FROM pet WHERE born > DATE '2020-01-01'
SELECT CURDATE()
SELECT CURRENT_DATE()
SELECT DATE_FORMAT(born, '%Y-%m') AS m, COUNT(*) FROM pet GROUP BY m
SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY age) FROM pet
SELECT IF(age > 3, 'old', 'young') FROM pet
SELECT name FROM dbo.pet
SELECT p.name FROM public.pet AS p JOIN public.owner o ON o.id = p.owner_id
SELECT TRY_CAST(age AS INT) FROM pet
SELECT CONVERT(VARCHAR(10), born, 120) FROM pet
SELECT CONVERT(age, CHAR) FROM pet
SELECT SUBSTRING(name FROM 1 FOR 2) FROM pet
SELECT TRIM(BOTH ' ' FROM name) FROM pet
SELECT POSITION('a' IN name) FROM pet
SELECT name, ROW_NUMBER() OVER (PARTITION BY owner_id ORDER BY age) rn FROM pet QUALIFY rn = 1
SELECT name FROM pet QUALIFY ROW_NUMBER() OVER (PARTITION BY owner_id ORDER BY age) = 1
SELECT owner_id, SUM(age) FROM pet GROUP BY ROLLUP(owner_id)
SELECT owner_id, SUM(age) FROM pet GROUP BY owner_id WITH ROLLUP
SELECT n FROM generate_series(1, 10) AS g(n)
SELECT age DIV 2 FROM pet
SELECT age MOD 2 FROM pet
SELECT ARRAY_AGG(name) FROM pet
SELECT ARRAY[1,2]
SELECT STDDEV(age) FROM pet
SELECT GREATEST(age, 3) FROM pet
SELECT name FROM pet FOR UPDATE
SELECT name FROM pet WITH (NOLOCK)
SELECT N'x' FROM pet
SELECT name FROM pet WHERE ROWNUM <= 5
SELECT SYSDATE FROM DUAL
SELECT TO_CHAR(born, 'YYYY') FROM pet
SELECT NVL(age, 0) FROM pet
SELECT age FROM pet WHERE name LIKE BINARY 'a'
SELECT DATEPART(year, born) FROM pet
SELECT DATE_PART('year', born) FROM pet
SELECT AGE(born) FROM pet
SELECT TIMESTAMPDIFF(YEAR, born, CURDATE()) FROM pet
SELECT CHARINDEX('a', name), LEN(name) FROM pet
SELECT born AT TIME ZONE 'UTC' FROM pet
SELECT name FROM pet ORDER BY name COLLATE utf8_general_ci
SELECT owner.name, pet.name FROM owner CROSS JOIN LATERAL (SELECT name FROM pet WHERE owner_id = owner.id LIMIT 1) pet
SELECT MEDIAN(age) FROM pet
SELECT BOOL_OR(age > 3) FROM pet
SELECT SUM(CASE WHEN EXTRACT(MONTH FROM born) = 3 THEN 1 ELSE 0 END) FILTER (WHERE age > 2) FROM pet
WITH m AS (SELECT DATE_TRUNC('month', born) AS d, COUNT(*) c FROM pet GROUP BY 1) SELECT d, c FROM m
SELECT name FROM pet LIMIT ALL
SELECT * EXCEPT (age) FROM pet
SELECT name FROM pet WHERE born BETWEEN '2020-01-01'::date AND CURRENT_DATE
SELECT ROUND(AVG(age)::numeric, 2) FROM pet
SELECT name FROM pet CROSS APPLY (SELECT 1 AS x) a
SELECT DATE_ADD(born, INTERVAL 1 MONTH) FROM pet
SELECT 7 <=> NULL
SELECT name FROM pet WHERE name = $$a$$
SELECT COUNT_IF(age > 3) FROM pet
SELECT FORMAT_DATE('%Y', born) FROM pet
SELECT SAFE_DIVIDE(age, 2) FROM pet
SELECT TOP 10 PERCENT name FROM pet
SELECT name FROM pet WHERE born >= CURRENT_DATE - INTERVAL 30 DAY
SELECT DAYNAME(born), MONTHNAME(born) FROM pet
SELECT `p`.`name` FROM `pet` AS `p` WHERE `p`.`name` ILIKE 'x'
SELECT name FROM pet EXCEPT ALL SELECT name FROM owner
SELECT name FROM pet INTERSECT ALL SELECT name FROM owner
SELECT name FROM pet UNION DISTINCT SELECT name FROM owner
SELECT name, count(*) FROM pet GROUP BY ALL
SELECT name FROM pet ORDER BY ALL
SELECT name FROM pet OFFSET 2
SELECT name FROM pet ORDER BY age OFFSET 2 LIMIT 3
SELECT CAST(name AS VARCHAR(MAX)) FROM pet
SELECT name FROM pet TABLESAMPLE BERNOULLI (10)
SELECT name FROM pet WHERE age BETWEEN SYMMETRIC 5 AND 1
SELECT name FROM pet USE INDEX (i) WHERE age > 1
SELECT SQL_CALC_FOUND_ROWS name FROM pet
SELECT name FROM pet WHERE MATCH(name) AGAINST ('a')
FROM pet SELECT name
SELECT APPROX_COUNT_DISTINCT(name) FROM pet
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL (SELECT n + 1 FROM r WHERE n < 3)) SELECT n FROM r
SELECT name FROM pet WHERE (name, age) IN (('a', 1), ('b', 2))
SELECT (name, age) FROM pet
SELECT name FROM pet WHERE name IS DISTINCT FROM 'a' AND born < NOW()
SELECT name, LAG(age) OVER (ORDER BY born) FROM pet WHERE YEAR(born) = 2000 ORDER BY age LIMIT 3
SELECT name, FROM pet WHERE name ILIKE 'a'
SELECT name FROM pet WHERE name = "Tom" AND born < NOW()
(SELECT name FROM pet ORDER BY age LIMIT 1) UNION (SELECT name FROM owner) ORDER BY name LIMIT 2
"""
WRONG_BESIDES = r"""
SELECT nme FROM pet WHERE name ILIKE 'a%'
SELECT name FROM pets WHERE name ILIKE 'a%'
SELECT name FORM pet
SELECT name FROM pet WHERE
SELECT name FROM pet LIMIT 5 ORDER BY age
SELECT FOO(name) FROM pet
SELECT NOW(), FOO(name) FROM pet
SELECT name FROM pet WHERE age = (SELECT TOP 5
SELECT born::date FROM pet WHERE (age > 3
SELECT age FROM pet GROUP BY age HAVING HAVING
SELECT T1.name FROM pet AS T2
SELECT SUM(SUM(age)) FROM pet
SELECT name FROM pet WHERE SUM(age) > 3
SELECT name, FROM pet ORDER BY
SELECT EXTRACT(YEAR FROM birth) FROM pet
TOP 5 name
I cannot answer ILIKE
DELETE FROM pet WHERE name ILIKE 'a'
SELECT '::' FROM pets
SELECT "ILIKE FROM pet
SELECT name FRM pet -- ILIKE
SELECT name FRM pet WHERE name = 'x::y'
SELECT LENGTH(name, 2), NOW() FROM pet
SELECT name, FROM pet WHERE born < CURDATE()
SELECT name FROM pet WHERE born < CURDATE() GROUP BY name,
SELECT (name, age) FROM pet WHERE born < CURDATE()
SELECT COUNT(name, age) FROM pet
"""
# Each is wrong in every engine, beside the foreign part that takes the place of the star.
BROKEN = """
SELECT `nme` FROM `pet` WHERE `age` > *
SELECT [nme] FROM [pet] WHERE age > *
SELECT `city` FROM pet WHERE age > *
SELECT name FROM `pets` WHERE age > *
SELECT name FROM pet GROUP BY name WHERE age > *
SELECT name FROM pet HAVING age > * GROUP BY name
SELECT name FROM pet LIMIT 5 ORDER BY *
SELECT name FROM pet ORDER BY * GROUP BY name
SELECT name FROM pet WHERE age > * WHERE age > 3
SELECT name FROM pet WHERE age > * ORDER BY age ORDER BY name
SELECT name FROM pet WHERE age > * ORDER BY age LIMIT 1 UNION (SELECT name FROM owner)
SELECT name FROM pet WHERE age > * ORDER BY age UNION SELECT name FROM owner
(SELECT name FROM pet WHERE age > * LIMIT 1 ORDER BY age) UNION (SELECT name FROM owner)
SELECT name FROM pet WHERE age > (SELECT max(age) FROM pet ORDER BY * WHERE name = 'a')
SELECT name INTO x FROM pet WHERE age > *
SELECT ROW_NUMBER() FROM pet WHERE age > *
SELECT LAG(age) FROM pet WHERE age > *
SELECT name FROM pet WHERE (name, age) > 3 AND age > *
SELECT name FROM pet WHERE (name, age) = (1, 2, 3) AND age > *
SELECT name FROM pet WHERE (name, age) IN (SELECT id FROM owner) AND age > *
SELECT name FROM pet WHERE (name, age) IN (1, 2) AND age > *
SELECT name FROM pet WHERE age IN (SELECT id, name FROM owner) AND age > *
SELECT name, age FROM pet WHERE age > * UNION (SELECT name FROM owner)
SELECT p.name FROM pet AS p JOIN owner AS o ON p.owner_id = o.owner_id WHERE p.age > *
SELECT name FROM pet WHERE age > * AND SUM(age) > 3
SELECT name FROM pet WHERE age > * AND
"""
FOREIGN = ("NOW()", "YEAR(born)", "age::int", "EXTRACT(YEAR FROM born)", "LEN(name)")


def message(sql):
    """What SQLite says of a text."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for name, columns in TABLES.items():
            connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        try:
            connection.execute(sql)
        except sqlite3.Error as error:
            return str(error)
    return ""


def fault(sql):
    found = message(sql)
    return dialect_fault(sql, found, TABLES) if found else "SQLite takes it"


@pytest.mark.parametrize("sql", OF_OTHERS.strip().splitlines())
def test_a_text_of_another_engine_is_told(sql):
    assert fault(sql)


@pytest.mark.parametrize("sql", WRONG_BESIDES.strip().splitlines())
def test_what_is_wrong_besides_is_no_matter_of_dialect(sql):
    assert fault(sql) == ""


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("sql", BROKEN.strip().splitlines())
def test_what_no_engine_takes_is_no_matter_of_dialect_whatever_stands_beside(sql, foreign):
    assert fault(sql.replace("*", foreign)) == ""


@pytest.mark.parametrize("foreign", FOREIGN)
def test_the_same_foreign_part_alone_is_told(foreign):
    assert fault(f"SELECT name FROM pet WHERE age > {foreign}")


def test_the_reason_names_what_was_found_and_who_writes_so():
    assert fault("SELECT name FROM pet WHERE name ILIKE 'a' AND born < NOW()") == (
        "ILIKE, NOW, as in PostgreSQL or DuckDB"
    )
    assert fault("SELECT TOP 5 name FROM pet") == "TOP, as in SQL Server or Snowflake"


def test_the_words_of_literals_and_comments_say_nothing():
    for inside in ("'a::b ILIKE'", '"TOP 5"', "1 /* ILIKE */"):
        assert fault(f"SELECT {inside} FORM pet WHERE") == ""


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 1500 + "1::int" + ")" * 1500,
        "SELECT 1::int" + " + 1" * LONGEST,
        "\0 ILIKE",
        "SELECT '\ud800' ILIKE 'a'",
        "SELECT TOP",
        "::",
        "",
    ],
)
def test_a_degenerate_text_is_no_matter_of_dialect(sql):
    assert dialect_fault(sql, "syntax error", TABLES) == ""


@pytest.mark.parametrize(
    ("own", "sql", "told", "expected"),
    [
        ("postgres", "SELECT `name` FROM pet", 'syntax error at or near "`"', "backticks"),
        (
            "postgres",
            'SELECT age FROM pet WHERE name = "Tom"',
            'column "Tom" does not exist',
            "a text in double quotes",
        ),
        (
            "postgres",
            "SELECT strftime('%Y', born) FROM pet",
            "function strftime(unknown, date) does not exist",
            "STRFTIME",
        ),
        (
            "postgres",
            "SELECT name, max(age) FROM pet",
            'column "pet.name" must appear in the GROUP BY clause',
            "columns beside an aggregate",
        ),
        ("mysql", "SELECT name FROM pet WHERE name ILIKE 'a'", "syntax", "ILIKE"),
        ("mysql", "SELECT born::date FROM pet", "syntax", "::"),
        ("duckdb", "SELECT TOP 5 name FROM pet", "syntax", "TOP"),
        ("duckdb", "SELECT CURDATE() FROM pet", "curdate does not exist", "CURDATE"),
    ],
)
def test_other_engines_have_dialects_that_are_foreign_to_them(own, sql, told, expected):
    found = dialect_fault(sql, told, TABLES, own)
    assert found.startswith(expected)
    assert NAMES[own] not in found


def test_a_column_in_double_quotes_is_no_text():
    told = 'column "name" does not exist'
    assert dialect_fault('SELECT "name" FROM owner AS pet', told, TABLES, "postgres") == ""


def test_the_functions_of_each_dialect_are_listed_once():
    assert functions()["ifnull"] >= {"sqlite", "mysql", "duckdb"}
    assert all(name == name.lower() for name in functions())
