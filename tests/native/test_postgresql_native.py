"""A PostgreSQL database is judged by its server: a ranking, roles that are refused, nothing that an answer could do."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from conftest import copy_project
from native_runs import DDL, check_ranking, run, write_run
from postgresql_server import postgresql_server
from sqladder.databases.engine import open_engine
from sqladder.errors import InputError
from sqladder.metric.limits import Limits
from sqladder.native.native_scoring import NativeTask, score_files_natively

HOSTILE = {
    "COPY customer TO '/tmp/sqladder-stolen.csv'": "refused",
    "COPY customer FROM '/etc/passwd'": "refused",
    "COPY (SELECT 1) TO PROGRAM 'touch /tmp/sqladder-touched'": "refused",
    "SELECT pg_read_file('/etc/passwd')": "refused",
    "SELECT pg_ls_dir('/')": "refused",
    "SELECT lo_import('/etc/passwd')": "refused",
    "SELECT lo_export(1, '/tmp/sqladder-stolen')": "refused",
    "SELECT lo_from_bytea(0, 'x')": "refused",
    "SELECT pg_advisory_lock(7)": "refused",
    'SELECT "pg_try_advisory_lock" (7)': "refused",
    "SELECT U&\"pg!005fadvisory!005flock\" UESCAPE '!' (7)": "refused",
    "SELECT query_to_xml('SELECT pg_' || 'advisory_lock(7)', true, true, '')": "refused",
    "SELECT pg_logical_emit_message(false, 'a', 'b')": "refused",
    "SELECT pg_notify('a', 'b')": "refused",
    "SELECT * FROM dblink('dbname=shop', 'DELETE FROM customer') t(a int)": "refused",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity": "refused",
    "SELECT setval('counter', 7)": "refused",
    "SELECT * FROM pg_read_binary_file('/etc/passwd')": "refused",
    "SELECT * FROM pg_stat_file('/etc/passwd')": "refused",
    "SELECT pg_sleep(100)": "timeout",
    "SELECT set_config('statement_timeout', '0', false), pg_sleep(100)": "timeout",
    "SELECT count(*) FROM generate_series(1, 1000000000000)": "timeout",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i * 0) FROM n": "timeout",
    "SELECT name FROM customer, generate_series(1, 10000000)": "wrong_result or timeout",
    "SELECT repeat('x', 100000000)": "refused or timeout",
    "SELECT 1; DELETE FROM customer": "refused",
    "SELECT 1; COMMIT; DELETE FROM customer": "refused",
    "COMMIT": "refused",
    "DELETE FROM customer": "refused",
    "/* SELECT */ DROP TABLE customer": "refused",
    "DO $$ BEGIN DELETE FROM customer; END $$": "refused",
    "CALL nothing()": "refused",
    "SET ROLE owner": "refused",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE": "refused",
    "SELECT set_config('transaction_read_only', 'off', false)": "sql_error",
    "SELECT set_config('role', 'owner', false)": "refused",
    "WITH gone AS (DELETE FROM customer RETURNING *) SELECT * FROM gone": "sql_error",
    "SELECT * INTO mine FROM customer": "sql_error",
    "CREATE TABLE mine AS SELECT 1": "refused",
    "SELECT * FROM customer FOR UPDATE": "refused",
    "SELECT nextval('counter')": "refused",
    "SELECT pg_terminate_backend(pg_backend_pid())": "refused",
    "SELECT pg_cancel_backend(pg_backend_pid())": "refused",
    "SELECT * FROM pg_authid": "refused",
    "LISTEN x": "refused",
    "EXPLAIN ANALYZE DELETE FROM customer": "refused",
    "": "no_sql",
}
WRONG = {
    "SELECT TOP 2 name FROM customer": "dialect",
    "SELECT `name` FROM customer": "dialect",
    'SELECT name FROM customer WHERE city = "Oslo"': "dialect",
    "SELECT strftime('%Y', bought) FROM purchase": "dialect",
    "SELECT group_concat(name) FROM customer": "dialect",
    "SELECT name, max(id) FROM customer": "dialect",
    "SELECT IFNULL(nmae, '') FROM customer": "unknown_column",
    "SELECT nmae FROM customer": "unknown_column",
    "SELECT name FROM customers": "unknown_table",
    "SELECT name FORM customer": "syntax",
    "SELECT name FROM customer WHERE max(id) > 1": "wrong_aggregate",
    "SELECT name FROM customer WHERE city ILIKE 'rome'": "wrong_filter",
}
OBJECTS = """
    SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
        (SELECT count(*) FROM pg_largeobject_metadata), (SELECT count(*) FROM customer),
        (SELECT last_value FROM counter), (SELECT count(*) FROM pg_roles)
"""


@pytest.fixture(scope="module")
def owner():
    """URL by which the superuser reaches the shop."""
    with postgresql_server() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE shop")
            connection.execute("CREATE ROLE reader LOGIN")
        shop = url.replace("/postgres?", "/shop?")
        with psycopg.connect(shop, autocommit=True) as connection:
            connection.execute(DDL)
            connection.execute(
                'CREATE TABLE "Order" ("the day" timestamptz, tags text[]); CREATE SEQUENCE counter'
            )
            connection.execute("CREATE VIEW cities AS SELECT DISTINCT city FROM customer")
            connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        yield shop


def as_role(url, name):
    return url.replace("owner@", f"{name}@")


def test_a_ranking_is_made_in_postgresql_and_nothing_is_written(owner, tmp_path):
    project = copy_project(tmp_path)
    write_run(project, "$SHOP_URL", HOSTILE, WRONG)
    with psycopg.connect(owner) as connection:
        before = connection.execute(OBJECTS).fetchall()
    url = as_role(owner, "reader")
    targets = ["results/report.md", "resources/prompts/published/test.jsonl"]
    done = run(project, *targets, SHOP_URL=url)
    assert done.returncode == 0, done.stdout
    prompt = check_ranking(project, "PostgreSQL", HOSTILE, WRONG)
    with psycopg.connect(owner) as connection:
        assert connection.execute(OBJECTS).fetchall() == before
    assert prompt.startswith(
        "PostgreSQL\nCREATE TABLE customer (\n  id integer NOT NULL PRIMARY KEY,"
    )
    assert "name character varying(40) NOT NULL," in prompt
    quoted = 'CREATE TABLE "Order" (\n  "the day" timestamp with time zone,\n  tags text[]\n);'
    assert quoted in prompt
    assert "-- a view" in prompt
    checks = (project / "resources/datasets/shop/gold.md").read_text()
    assert "keep" in checks
    assert "failing | 0" in checks


GRANTS = {
    "SUPERUSER": ("ALTER ROLE powerful SUPERUSER", "is a superuser"),
    "roles": ("ALTER ROLE powerful CREATEROLE", "may create roles"),
    "databases": ("ALTER ROLE powerful CREATEDB", "may create databases"),
    "replication": ("ALTER ROLE powerful REPLICATION", "may replicate"),
    "files": ("GRANT pg_read_server_files TO powerful", "is a member of pg_read_server_files"),
    "programs": (
        "GRANT pg_execute_server_program TO powerful",
        "is a member of pg_execute_server_program",
    ),
    "everything": ("GRANT pg_write_all_data TO powerful", "is a member of pg_write_all_data"),
    "one table": ("GRANT INSERT ON customer TO powerful", "may write public.customer"),
    "one column": ("GRANT UPDATE (city) ON customer TO powerful", "may write public.customer"),
    "truncate": ("GRANT TRUNCATE ON purchase TO powerful", "may write public.purchase"),
    "owner": ("ALTER TABLE purchase OWNER TO powerful", "may write public.purchase"),
    "schema": ("GRANT CREATE ON SCHEMA public TO powerful", "may create tables in the schema public"),
    "everybody": ("GRANT CREATE ON SCHEMA public TO PUBLIC", "may create tables in the schema"),
    "database": ("GRANT CREATE ON DATABASE shop TO powerful", "may create schemas in the database"),
    "function": ("GRANT EXECUTE ON FUNCTION pg_read_file(text) TO powerful", "may call pg_read_file"),
    "sequence": ("GRANT USAGE ON SEQUENCE counter TO powerful", "may advance public.counter"),
    "rights of another": (
        "CREATE FUNCTION clear() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM customer'",
        "may call public.clear, which has the rights of its owner",
    ),
    "any language": (
        "CREATE LANGUAGE unsafe HANDLER plpgsql_call_handler;"
        "CREATE FUNCTION clear() RETURNS int LANGUAGE unsafe AS 'x'",
        "may call public.clear, which is written in unsafe",
    ),
    "by a group": ("GRANT INSERT ON customer TO writers; GRANT writers TO powerful", "may write"),
    "later": ("ALTER ROLE writers SUPERUSER; GRANT writers TO powerful", "is a superuser"),
}  # fmt: skip


@pytest.fixture
def powerful(owner):
    """The superuser's connection while a role `powerful` is there."""
    undo = """
        ALTER TABLE purchase OWNER TO owner; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        DROP FUNCTION IF EXISTS clear; DROP LANGUAGE IF EXISTS unsafe;
        DROP OWNED BY powerful, writers; DROP ROLE powerful, writers
    """
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("CREATE ROLE powerful LOGIN; CREATE ROLE writers")
        yield connection
        connection.execute(undo)


@pytest.mark.parametrize(("grant", "told"), GRANTS.values(), ids=GRANTS)
def test_a_role_that_may_do_more_than_read_is_refused_with_the_way_out(
    owner, powerful, grant, told
):
    powerful.execute(grant)
    with pytest.raises(InputError) as error:
        open_engine(as_role(owner, "powerful"), Limits(timeout=5)).refuse_writers()
    assert told in str(error.value)
    if "may read only" in str(error.value):
        assert "CREATE ROLE reader" in str(error.value)


def test_a_role_that_may_read_is_taken(owner, powerful):
    powerful.execute("GRANT SELECT ON customer TO powerful")
    open_engine(as_role(owner, "powerful"), Limits(timeout=5)).refuse_writers()


def test_the_role_is_refused_before_any_job(owner, powerful, tmp_path):
    powerful.execute("GRANT DELETE ON customer TO powerful")
    project = copy_project(tmp_path)
    write_run(project, "$SHOP_URL", {}, {})
    done = run(project, "results/report.md", SHOP_URL=as_role(owner, "powerful"))
    assert done.returncode != 0
    assert "may write public.customer" in done.stdout
    assert "CREATE ROLE reader LOGIN" in done.stdout
    assert not (project / "resources/datasets/shop").exists()


@pytest.fixture
def engine(owner):
    with closing(open_engine(as_role(owner, "reader"), Limits(timeout=3))) as found:
        yield found


@pytest.mark.parametrize("ended", ["pg_terminate_backend", "pg_cancel_backend"])
def test_a_session_or_query_that_somebody_else_ends_is_no_verdict(owner, engine, ended):
    slow = "SELECT pg_sleep(1)::text, count(*) FROM customer"
    with psycopg.connect(owner, autocommit=True) as connection, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(engine.execute, slow)
        end = f"SELECT {ended}(pid) FROM pg_stat_activity WHERE query LIKE 'FETCH%' AND state = 'active'"
        while not connection.execute(end).fetchall():
            assert not answer.done()
        assert answer.result().rows == [("", 4)]


def test_dates_that_python_lacks_stay_the_servers_text(engine):
    sql = "SELECT date 'infinity', timestamp '-infinity', date '0044-03-15 BC', time '24:00', interval '1 mon'"
    assert engine.execute(sql).rows == [
        ("infinity", "-infinity", "0044-03-15 BC", "24:00:00", "30 days, 0:00:00")
    ]


def test_values_become_what_the_metric_compares(engine):
    sql = """SELECT 1.50, 'NaN'::numeric, 'Infinity'::float8, true, '\\x01'::bytea,
        ARRAY[1.5, NULL], '{"b": 1}'::jsonb,
        int4range(1, 5), uuid '00000000-0000-0000-0000-000000000001', 12345678901234567890,
        timestamp '2024-01-01 10:00'"""
    assert engine.execute(sql).rows == [
        (1.5, None, math.inf, 1, b"\x01", "[1.5, null]", '{"b": 1}', "[1, 5)", "00000000-0000-0000-0000-000000000001",
         12345678901234567890.0, "2024-01-01 10:00:00")
    ]  # fmt: skip


def test_blanks_that_fill_a_char_are_no_part_of_it(engine):
    assert engine.execute("SELECT 'a '::char(5), ' b'::char(5), 'c '::varchar(5)").rows == [
        ("a", " b", "c ")
    ]


def test_names_that_only_look_like_functions_of_the_server_are_taken(engine):
    sql = "SELECT lo_revenue, pg_total FROM (VALUES (1, 2)) lineorder(lo_revenue, pg_total)"
    assert engine.execute(sql).rows == [(1, 2)]


def test_a_result_too_large_for_this_process_is_refused(owner, tmp_path):
    gold, answers = tmp_path / "gold.jsonl", tmp_path / "answers.jsonl"
    gold.write_text('{"id": "1", "db_id": "shop", "sql": "SELECT 1"}\n')
    large = "SELECT repeat('x', 200000000), repeat('y', 200000000)"
    answers.write_text(json.dumps({"id": "1", "sql": large}) + "\n")
    limits = Limits(timeout=60, memory_mb=512, max_bytes=2**31 - 1)
    task = NativeTask(as_role(owner, "reader"), limits)
    [row] = score_files_natively(gold, {"own": answers}, task)["own"].rows
    assert (row.executed.verdict, row.executed.reason) == ("refused", "memory")
