"""Every engine behind the one interface: the same tables, the same results, and nothing that a query could harm."""

import shutil
import sqlite3
import time

import duckdb
import psycopg
import pytest

from postgresql_server import postgresql_server
from sqladder.databases.engine import kind_of, open_engine
from sqladder.databases.export import export_to_sqlite
from sqladder.databases.schema import ForeignKey, read_schema
from sqladder.databases.urls import without_password
from sqladder.errors import InputError
from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import QueryError

LIMITS = Limits(timeout=1.0, max_rows=5000, memory_mb=256)
DDL = """
CREATE TABLE singer ("singer id" INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, born DATE, fee DECIMAL(8, 2));
CREATE TABLE song (number INTEGER, part INTEGER, singer INTEGER REFERENCES singer ("singer id"),
  PRIMARY KEY (number, part));
INSERT INTO singer VALUES (1, 'Ann', '2001-02-03', 12.50), (2, 'Bob 100%', NULL, 7);
INSERT INTO song VALUES (1, 1, 1), (1, 2, 2), (2, 1, 1);
CREATE VIEW names AS SELECT name FROM singer;
"""


@pytest.fixture(scope="module")
def postgresql():
    with postgresql_server() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(DDL)
            connection.execute("CREATE ROLE reader LOGIN")
            # All rights on the data: the tests show that the engine does not use them.
            connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO reader")
            connection.execute("GRANT ALL ON SCHEMA public TO reader")
        yield url


@pytest.fixture(scope="module")
def sources(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("engines")
    with sqlite3.connect(folder / "a.sqlite") as connection:
        connection.executescript(DDL)
    with duckdb.connect(folder / "a.duckdb") as connection:
        connection.execute(DDL)
    return {"sqlite": str(folder / "a.sqlite"), "duckdb": str(folder / "a.duckdb")}


@pytest.fixture(params=["sqlite", "duckdb", "postgresql"])
def source(request, sources):
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql").replace("owner@", "reader@")
    return sources[request.param]


@pytest.fixture
def engine(source):
    opened = open_engine(source, LIMITS)
    yield opened
    opened.close()


def test_the_schema_has_tables_columns_and_keys(engine):
    singer, song = engine.schema().tables
    assert [column.name for column in singer.columns] == ["singer id", "name", "born", "fee"]
    assert singer.columns[1].not_null
    assert not singer.columns[2].not_null
    assert singer.primary_key == ("singer id",)
    assert song.primary_key == ("number", "part")
    assert song.foreign_keys == (ForeignKey(("singer",), "singer", ("singer id",)),)


def test_a_query_gives_values_as_sqlite_stores_them(engine):
    result = engine.execute('SELECT * FROM singer ORDER BY "singer id";')
    assert result.rows == [(1, "Ann", "2001-02-03", 12.5), (2, "Bob 100%", None, 7)]
    assert result.columns == 4
    assert engine.execute("SELECT count(*) FROM song WHERE part > 7").rows == [(0,)]
    assert engine.execute("SELECT name FROM singer WHERE name LIKE '%100%'").rows == [("Bob 100%",)]


def test_a_result_of_no_row_still_has_its_columns(engine):
    result = engine.execute("SELECT name, fee FROM singer WHERE fee > 1000")
    assert (result.rows, result.columns) == ([], 2)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM song",
        "DROP TABLE song",
        "INSERT INTO song VALUES (9, 9, 1)",
        "CREATE TABLE t (a INTEGER)",
        "SELECT 1; DELETE FROM song",
        "DELETE FROM song; SELECT 1",
        "SELECT 1; COMMIT; DELETE FROM song",
        "COMMIT",
        "ROLLBACK",
        "WITH gone AS (DELETE FROM song RETURNING *) SELECT * FROM gone",
        "COPY song TO '/tmp/sqladder-copy.csv'",
        "SET statement_timeout = 0",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "ATTACH '/tmp/sqladder-attached.db' AS other",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT nextval('nothing')",
        "SELECT readfile('/etc/passwd')",
        "PRAGMA user_version = 7",
        "",
        "no SQL at all",
    ],
)
def test_what_is_no_single_query_is_refused_and_changes_nothing(engine, sql):
    with pytest.raises(QueryError):
        engine.execute(sql)
    assert engine.execute("SELECT count(*) FROM song").rows == [(3,)]


def test_an_endless_query_is_ended_and_the_next_one_runs(engine):
    start = time.perf_counter()
    with pytest.raises(QueryError) as error:
        engine.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        )
    # DuckDB fills its memory first.
    assert error.value.verdict in ("timeout", "refused")
    assert time.perf_counter() - start < 15
    assert engine.execute("SELECT 1").rows == [(1,)]


def test_a_huge_result_is_refused(engine):
    with pytest.raises(QueryError, match="more than 5000 rows"):
        engine.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n"
        )


def test_a_copy_in_sqlite_has_the_same_schema_and_rows(engine, tmp_path):
    counts = export_to_sqlite(engine, tmp_path / "copy.sqlite")
    assert counts == {"singer": 2, "song": 3}
    copied, original = read_schema(tmp_path / "copy.sqlite"), engine.schema()
    for table, before in zip(copied.tables, original.tables, strict=True):
        assert [column.name for column in table.columns] == [c.name for c in before.columns]
        assert (table.primary_key, table.foreign_keys) == (before.primary_key, before.foreign_keys)
    with open_read(tmp_path / "copy.sqlite") as copy:
        query = 'SELECT * FROM singer ORDER BY "singer id"'
        assert copy.execute(query).fetchall() == engine.execute(query).rows


def open_read(path):
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def test_the_engine_is_told_by_content_not_by_name(sources, tmp_path):
    shutil.copyfile(sources["duckdb"], tmp_path / "x.db")
    assert kind_of(str(tmp_path / "x.db")) == "duckdb"
    assert kind_of(sources["sqlite"]) == "sqlite"
    (tmp_path / "x.sqlite").write_text("no database")
    with pytest.raises(InputError, match="neither a SQLite nor a DuckDB database"):
        kind_of(str(tmp_path / "x.sqlite"))
    with pytest.raises(InputError, match="does not exist"):
        kind_of(str(tmp_path / "none"))


def test_a_superuser_is_not_accepted(postgresql):
    with pytest.raises(InputError, match="'owner' is a superuser"):
        open_engine(postgresql, LIMITS)


def test_a_password_in_a_url_is_refused_and_never_shown():
    with pytest.raises(InputError) as error:
        open_engine("postgresql://me:hush@host.example/db", LIMITS)
    assert "hush" not in str(error.value)
    assert "PGPASSWORD" in str(error.value)
    assert (
        without_password("postgresql://me@host.example:5432/db")
        == "postgresql://host.example:5432/db"
    )


def test_a_server_that_is_not_there_is_an_error_with_its_name(tmp_path):
    with pytest.raises(InputError, match="cannot be opened"):
        open_engine(f"postgresql://me@/db?host={tmp_path}", LIMITS)


def test_values_of_other_engines_have_a_form_in_sqlite(tmp_path):
    with duckdb.connect(tmp_path / "v.duckdb") as connection:
        connection.execute(
            "CREATE TABLE v AS SELECT true AS b, 1.50::DECIMAL(5,2) AS m, TIMESTAMP '2020-01-02 03:04:05' AS t,"
            " [1, 2] AS l, {'a': DATE '2020-01-01'} AS s, INTERVAL 1 DAY AS i, 'x'::BLOB AS o,"
            " 170141183460469231731687303715884105727::HUGEINT AS h,"
            " '00000000-0000-0000-0000-000000000001'::UUID AS u"
        )
    engine = open_engine(str(tmp_path / "v.duckdb"), LIMITS)
    export_to_sqlite(engine, tmp_path / "v.sqlite")
    engine.close()
    with open_read(tmp_path / "v.sqlite") as copy:
        row = copy.execute("SELECT * FROM v").fetchone()
    assert row == (
        1,
        1.5,
        "2020-01-02 03:04:05",
        "[1, 2]",
        '{"a": "2020-01-01"}',
        "1 day, 0:00:00",
        b"x",
        1.7014118346046923e38,
        "00000000-0000-0000-0000-000000000001",
    )


def test_tables_of_other_schemas_are_left_out_and_named(tmp_path, caplog):
    with duckdb.connect(tmp_path / "s.duckdb") as connection:
        connection.execute("CREATE SCHEMA sales; CREATE TABLE sales.orders (n INT)")
    engine = open_engine(str(tmp_path / "s.duckdb"), LIMITS)
    with pytest.raises(InputError, match=r"no table, but in other schemas.*sales\.orders.*main"):
        export_to_sqlite(engine, tmp_path / "s.sqlite")
    engine.close()
    with duckdb.connect(tmp_path / "s.duckdb") as connection:
        connection.execute("CREATE TABLE item (n INT)")
    engine = open_engine(str(tmp_path / "s.duckdb"), LIMITS)
    assert export_to_sqlite(engine, tmp_path / "s.sqlite") == {"item": 0}
    engine.close()
    assert "left out of s.sqlite" in caplog.text
    assert "sales.orders" in caplog.text


def test_tables_of_other_schemas_of_a_server_are_known(postgresql):
    import psycopg

    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA sales; CREATE TABLE sales.orders (n INT)")
    try:
        engine = open_engine(postgresql.replace("owner@", "reader@"), LIMITS)
        assert engine.schema().left_out == ("sales.orders",)
        engine.close()
    finally:
        with psycopg.connect(postgresql, autocommit=True) as connection:
            connection.execute("DROP SCHEMA sales CASCADE")
