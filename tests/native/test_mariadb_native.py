"""A MariaDB database is judged by its server: a ranking, users that are refused, nothing that an answer could do."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from conftest import copy_project
from mariadb_server import mariadb_server
from native_runs import DDL, check_ranking, run, write_run
from sqladder.databases.engine import kind_of, name_of, open_engine
from sqladder.databases.export import export_to_sqlite
from sqladder.databases.schema import ForeignKey, read_schema
from sqladder.errors import InputError
from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import QueryError

pymysql = pytest.importorskip(
    "pymysql", reason="PyMySQL is not installed (workflow/envs/data.yaml)"
)

HOSTILE = {
    "SELECT name FROM customer INTO OUTFILE '/tmp/sqladder-stolen'": "refused",
    "SELECT name INTO DUMPFILE '/tmp/sqladder-stolen' FROM customer": "refused",
    "SELECT 1 /*! INTO OUTFILE '/tmp/sqladder-stolen' */": "refused",
    "SELECT LOAD_FILE('/etc/passwd')": "refused",
    "SELECT GET_LOCK('a', 100)": "refused",
    "SELECT name FROM customer LOCK IN SHARE MODE": "refused",
    "SELECT name FROM customer LOCK/**/IN # x\n SHARE MODE": "refused",
    "SELECT name FROM customer /*!50000LOCK IN SHARE MODE */": "refused",
    "SELECT name FROM customer /*M! FOR UPDATE */": "refused",
    "SELECT MASTER_POS_WAIT('a', 100)": "refused",
    "LOAD DATA INFILE '/etc/passwd' INTO TABLE customer": "refused",
    "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE customer": "refused",
    "SELECT SLEEP(100)": "timeout",
    "SELECT SLEEP(100) FROM customer": "timeout",
    "SELECT BENCHMARK(1000000000000, SHA2('x', 512))": "timeout",
    "SELECT sum(a.seq) FROM seq_1_to_1000000000 a, seq_1_to_1000000000 b": "timeout",
    "SELECT seq FROM seq_1_to_1000000000": "wrong_result or timeout",
    "SET STATEMENT max_statement_time = 0 FOR SELECT SLEEP(100)": "refused",
    "SET SESSION TRANSACTION READ WRITE": "refused",
    "SET @@session.max_statement_time = 0": "refused",
    "SELECT 1; DELETE FROM customer": "refused",
    "SELECT 1; COMMIT; DELETE FROM customer": "refused",
    "COMMIT": "refused",
    "DELETE FROM customer": "refused",
    "(((DROP TABLE customer)))": "refused",
    "/*!50000 DELETE FROM customer */": "no_sql",
    "/*M!100000 SET @a = 1 */": "no_sql",
    "# comment\nTRUNCATE TABLE customer": "refused",
    "DO SLEEP(100)": "refused",
    "BEGIN NOT ATOMIC DELETE FROM customer; END": "refused",
    "PREPARE s FROM 'DELETE FROM customer'": "refused",
    "EXECUTE IMMEDIATE 'DELETE FROM customer'": "refused",
    "CALL nothing()": "refused",
    "HANDLER customer OPEN": "refused",
    "SELECT 1 INTO @a": "no_sql",
    "SELECT * FROM customer FOR UPDATE": "refused",
    "SELECT * FROM mysql.user": "refused",
    "SELECT nextval(counter)": "refused",
    "KILL 1": "refused",
    "INSTALL SONAME 'ha_connect'": "refused",
    "SHUTDOWN": "refused",
    "": "no_sql",
    "I cannot answer this.": "no_sql",
}
WRONG = {
    "SELECT TOP 2 name FROM customer": "dialect",
    "SELECT name FROM customer WHERE name ILIKE 'a%'": "dialect",
    "SELECT bought::date FROM purchase": "dialect",
    "SELECT DATE_TRUNC('month', bought) FROM purchase": "dialect",
    "SELECT strftime('%Y', bought) FROM purchase": "dialect",
    "SELECT nmae FROM customer": "unknown_column",
    "SELECT purchase.name FROM purchase": "wrong_table",
    "SELECT name FROM customers": "unknown_table",
    "SELECT name FORM customer WHERE": "syntax",
    "SELECT name FROM customer WHERE max(id) > 1": "wrong_aggregate",
    "SELECT name FROM customer WHERE city = 'rome'": "wrong_value",
}
LIMITS = Limits(timeout=2)


def statements(server, *sqls, database=None):
    """Execute statements as the administrator; the rows of the last."""
    _, _, address = server.partition("@")
    host, _, port = address.strip("/").partition(":")
    given = {"host": host, "port": int(port), "user": "owner", "database": database}
    connection = pymysql.connect(**given, autocommit=True)
    with closing(connection), connection.cursor() as cursor:
        for sql in sqls:
            cursor.execute(sql)
        return cursor.fetchall()


def split(text):
    return [own for own in text.split(";") if own.strip()]


@pytest.fixture(scope="module")
def server():
    with mariadb_server() as url:
        statements(
            url, "CREATE DATABASE shop", "CREATE USER reader", "GRANT SELECT ON shop.* TO reader"
        )
        more = (
            "CREATE TABLE `order` (`the day` datetime(3), kind enum('a', 'b'), note json, bits bit(3), at time)",
            "INSERT INTO `order` VALUES ('2024-01-01 10:00:00', 'a', '{\"x\": 1}', b'101', '25:00:00')",
            "CREATE VIEW cities AS SELECT DISTINCT city FROM customer",
            "CREATE SEQUENCE counter",
        )
        statements(url, *split(DDL), *more, database="shop")
        yield url


def as_user(server, name):
    return f"{server.replace('owner@', f'{name}@')}shop"


def content(server):
    tables = "SELECT group_concat(table_name ORDER BY 1) FROM information_schema.tables WHERE table_schema = 'shop'"
    counts = "SELECT (SELECT count(*) FROM customer), (SELECT count(*) FROM purchase)"
    return [
        statements(server, sql, database="shop")
        for sql in (tables, counts, "CHECKSUM TABLE customer")
    ]


def test_a_ranking_is_made_in_mariadb_and_nothing_is_written(server, tmp_path):
    project = copy_project(tmp_path)
    write_run(project, "$SHOP_URL", HOSTILE, WRONG)
    before = content(server)
    targets = ["results/report.md", "resources/prompts/published/test.jsonl"]
    done = run(project, *targets, SHOP_URL=as_user(server, "reader"))
    assert done.returncode == 0, done.stdout
    prompt = check_ranking(project, "MariaDB", HOSTILE, WRONG)
    assert content(server) == before
    assert not list(Path("/tmp").glob("sqladder-stolen*"))
    assert prompt.startswith("MariaDB\nCREATE TABLE customer (\n  id int(11) NOT NULL PRIMARY KEY,")
    assert "price decimal(8,2)," in prompt
    quoted = "CREATE TABLE `order` (\n  `the day` datetime(3),\n  kind enum('a','b'),"
    assert quoted in prompt
    assert "-- a view" in prompt


def test_a_copy_in_sqlite_holds_the_same_rows(server, tmp_path):
    source = as_user(server, "reader").replace("mysql://", "mariadb://")
    assert (kind_of(source), name_of(source)) == ("mysql", "shop")
    with closing(open_engine(source, LIMITS)) as engine:
        export_to_sqlite(engine, tmp_path / "shop.sqlite")
    # In the order of creation, by the second; then by name.
    tables = {table.name: table for table in read_schema(tmp_path / "shop.sqlite").tables}
    customer, purchase, order = (tables[name] for name in ("customer", "purchase", "order"))
    assert customer.primary_key == ("id",)
    assert purchase.foreign_keys == (ForeignKey(("customer_id",), "customer", ("id",)),)
    assert [column.type for column in order.columns][:1] == ["datetime(3)"]
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as copy:
        assert copy.execute("SELECT price, bought FROM purchase WHERE id = 2").fetchall() == [
            (120.5, "2024-02-01")
        ]
        [row] = copy.execute('SELECT * FROM "order"').fetchall()
        assert row == ("2024-01-01 10:00:00.000", "a", '{"x": 1}', b"\x05", "25:00:00")


GRANTS = {
    "files": ("GRANT FILE ON *.* TO powerful", "FILE on *.*"),
    "everything": ("GRANT ALL ON shop.* TO powerful", "ALL PRIVILEGES on `shop`.*"),
    "one table": ("GRANT INSERT, SELECT ON shop.customer TO powerful", "INSERT on `shop`.`customer`"),
    "one column": ("GRANT UPDATE (city) ON shop.customer TO powerful", "UPDATE on `shop`.`customer`"),
    "routines": ("GRANT EXECUTE ON shop.* TO powerful", "EXECUTE on `shop`.*"),
    "granting": ("GRANT SELECT ON shop.* TO powerful WITH GRANT OPTION", "GRANT OPTION on"),
    "another database": ("GRANT CREATE ON other.* TO powerful", "CREATE on `other`.*"),
    "by a role": ("GRANT writers TO powerful", "the role `writers`"),
}  # fmt: skip


@pytest.fixture
def powerful(server):
    """The administrator's server while a user `powerful` is there."""
    statements(
        server,
        "CREATE USER powerful",
        "GRANT SELECT ON shop.purchase TO powerful",
        "CREATE ROLE writers",
        "GRANT DELETE ON shop.* TO writers",
    )
    yield server
    statements(server, "DROP USER powerful", "DROP ROLE writers")


@pytest.mark.parametrize(("grant", "told"), GRANTS.values(), ids=GRANTS)
def test_a_user_that_may_do_more_than_read_is_refused_with_the_way_out(powerful, grant, told):
    statements(powerful, grant)
    with pytest.raises(InputError) as error:
        open_engine(as_user(powerful, "powerful"), LIMITS).refuse_writers()
    assert told in str(error.value)
    assert "CREATE USER reader" in str(error.value)


def test_a_user_that_may_read_is_taken(powerful):
    with closing(open_engine(as_user(powerful, "powerful"), LIMITS)) as engine:
        engine.refuse_writers()


def test_the_user_is_refused_before_any_job(powerful, tmp_path):
    statements(powerful, "GRANT FILE ON *.* TO powerful")
    project = copy_project(tmp_path)
    write_run(project, "$SHOP_URL", {}, {})
    done = run(project, "results/report.md", SHOP_URL=as_user(powerful, "powerful"))
    assert done.returncode != 0
    assert "FILE on *.*" in done.stdout
    assert not (project / "resources/datasets/shop").exists()


def test_the_next_query_runs_after_one_that_was_ended_or_cut(server):
    with closing(open_engine(as_user(server, "reader"), LIMITS)) as engine:
        cut = engine.execute("SELECT seq FROM seq_1_to_1000000000", 5)
        assert (len(cut.rows), cut.complete) == (6, False)
        with pytest.raises(QueryError, match="more than 2 s"):
            engine.execute("SELECT SLEEP(30)")
        assert engine.execute("SELECT 'a;b' -- ;\n;").rows == [("a;b",)]
        assert engine.execute("SELECT '50 % %s'").rows == [("50 % %s",)]


def test_a_query_leaves_nothing_to_the_next(server):
    with closing(open_engine(as_user(server, "reader"), LIMITS)) as engine:
        assert engine.execute("SELECT @n := 5, LAST_INSERT_ID(7)").rows == [(5, 7)]
        assert engine.execute("SELECT @n, LAST_INSERT_ID()").rows == [(None, 0)]


def test_values_become_what_the_metric_compares(server):
    sql = """SELECT 1.50, 1e0 / 4, TRUE, UNHEX('ff'), b'101', CAST('2024-01-01' AS DATE), CAST('-25:00' AS TIME),
        CAST('2024-01-01 10:00' AS DATETIME), 18446744073709551615, JSON_OBJECT('a', 1.50), NULL, 'é', 'a;b', "\\";\""""
    with closing(open_engine(as_user(server, "reader"), LIMITS)) as engine:
        assert engine.execute(sql).rows == [
            (1.5, 0.25, 1, b"\xff", b"\x05", "2024-01-01", "-25:00:00", "2024-01-01 10:00:00",
             18446744073709551615.0, '{"a": 1.50}', None, "é", "a;b", '";')
        ]  # fmt: skip


@pytest.mark.parametrize(
    "secret", ["mysql://me:secret@host/shop", "mysql://me@host/shop?password=secret"]
)
def test_a_password_in_a_url_is_refused_and_never_shown(secret):
    with pytest.raises(
        InputError, match=r"mysql://host/shop holds a password.* MYSQL_PWD"
    ) as error:
        open_engine(secret, LIMITS)
    assert "secret" not in str(error.value)


def test_a_server_that_is_not_there_is_an_error_with_its_name():
    with pytest.raises(InputError, match=r"mysql://127\.0\.0\.1:9/shop cannot be opened"):
        open_engine("mysql://me@127.0.0.1:9/shop", LIMITS)
