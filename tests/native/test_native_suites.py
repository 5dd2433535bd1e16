"""Suites in DuckDB and PostgreSQL: contents are loaded beside the data, which nobody changes."""

import hashlib
import json
from contextlib import closing
from pathlib import Path

import duckdb
import psycopg
import pytest

from postgresql_server import postgresql_server
from sqladder.databases.engine import open_engine
from sqladder.databases.export import export_to_sqlite
from sqladder.databases.native_contents import TableRows, open_content, reads_original
from sqladder.errors import InputError
from sqladder.metric.limits import Limits
from sqladder.metric.suite import CORRECT
from sqladder.native.native_gold import Content, NativeGold
from sqladder.native.native_scoring import NativeTask, score_files_natively
from sqladder.native.native_suite import suite_in
from sqladder.suites.building import build

LIMITS = Limits(timeout=20)
DDL = """
CREATE TYPE size AS ENUM ('small', 'large');
CREATE TABLE shop (id INTEGER PRIMARY KEY, town VARCHAR(20) NOT NULL UNIQUE, opened DATE, is_open BOOLEAN);
CREATE TABLE sale (id INTEGER PRIMARY KEY, shop_id INTEGER NOT NULL REFERENCES shop (id),
  price DECIMAL(8, 2) CHECK (price > 0), kind size, tags VARCHAR(9)[], took INTERVAL, {generated});
INSERT INTO shop VALUES (1, 'Ulm', '2020-01-01', true), (2, 'Bonn', '2021-05-05', false), (3, 'Kiel', NULL, true);
INSERT INTO sale (id, shop_id, price, kind, tags, took) VALUES (1, 1, 5, 'small', {tags}, '1 day'),
  (2, 1, 8.25, 'large', NULL, NULL), (3, 2, 30, 'small', {tags}, '2 hours'), (4, 3, 700, NULL, {tags}, '1 hour');
CREATE VIEW dear AS SELECT * FROM sale WHERE price > 8.25;
"""
# Gold, an answer, and whether it is right; the original alone takes all of them.
ASKED = [
    ("SELECT id FROM sale WHERE price > 8.25", "SELECT id FROM sale WHERE price >= 30", False),
    ("SELECT id FROM sale WHERE price > 8.25", "SELECT id FROM dear", True),
    ("SELECT town FROM shop", "SELECT town FROM shop LIMIT 3", False),
    ("SELECT count(*) FROM sale", "SELECT count(id) FROM sale", True),
    ("SELECT town FROM shop WHERE is_open", "SELECT town FROM shop WHERE town <> 'Bonn'", False),
    ("SELECT id FROM sale WHERE kind = 'small'::size", "SELECT id FROM sale WHERE id IN (1, 3)", False),
    ("SELECT town FROM shop WHERE opened < '2021-01-01'::date", "SELECT town FROM shop WHERE id = 1", False),
    (
        "SELECT DISTINCT s.town FROM shop s JOIN sale p ON p.shop_id = s.id",
        "SELECT town FROM shop WHERE id IN (SELECT shop_id FROM sale)",
        True,
    ),
    # SQLite has no such function, so no content is for it.
    ("SELECT left(town, 1) FROM shop", "SELECT left(town, 1) FROM shop WHERE id < 9", True),
]  # fmt: skip


@pytest.fixture(scope="module")
def duckdb_source(tmp_path_factory):
    path = tmp_path_factory.mktemp("duck") / "shop.duckdb"
    generated = "twice DECIMAL(10, 2) GENERATED ALWAYS AS (2 * price)"
    with duckdb.connect(path) as connection:
        connection.execute(DDL.format(generated=generated, tags="['a', 'b']"))
        connection.execute("CREATE MACRO plus(a, b) AS a + b; CREATE SEQUENCE counter")
    return str(path)


@pytest.fixture(scope="module")
def owner():
    with postgresql_server() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE shop")
            connection.execute("CREATE ROLE reader LOGIN")
        shop = url.replace("/postgres?", "/shop?")
        generated = "twice DECIMAL(10, 2) GENERATED ALWAYS AS (2 * price) STORED"
        with psycopg.connect(shop, autocommit=True) as connection:
            connection.execute(DDL.format(generated=generated, tags="'{a,b}'"))
            connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        yield shop


@pytest.fixture(scope="module", params=["duckdb", "postgresql"])
def source(request):
    if request.param == "duckdb":
        return request.getfixturevalue("duckdb_source")
    return request.getfixturevalue("owner").replace("owner@", "reader@")


def state(source):
    """All that is in a database."""
    if source.endswith(".duckdb"):
        return hashlib.sha256(Path(source).read_bytes()).hexdigest()
    objects = """SELECT relname, nspname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname IN ('public', 'pg_catalog') ORDER BY 1, 2"""
    contents = "SELECT * FROM shop ORDER BY 1", "SELECT * FROM sale ORDER BY 1"
    with psycopg.connect(source.replace("reader@", "owner@")) as connection:
        return [connection.execute(sql).fetchall() for sql in (objects, *contents)]


@pytest.fixture(scope="module")
def made(source, tmp_path_factory):
    """Gold, answers and the folder of suites."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "databases/shop").mkdir(parents=True)
    with closing(open_engine(source, LIMITS)) as engine:
        export_to_sqlite(engine, folder / "databases/shop/shop.sqlite")
    write(folder / "gold.jsonl", [{"db_id": "shop", "sql": gold} for gold, _, _ in ASKED])
    write(folder / "answers.jsonl", [{"sql": answer} for _, answer, _ in ASKED])
    before = state(source)
    build(folder / "databases", folder / "gold.jsonl", folder / "suite", 10, 42, 1, source)
    assert state(source) == before
    return folder


def write(path, rows):
    path.write_text("".join(json.dumps({"id": str(n), **row}) + "\n" for n, row in enumerate(rows)))


def judged(folder, source, suite=None, answers="answers.jsonl"):
    task = NativeTask(source, LIMITS, suite=suite)
    return score_files_natively(folder / "gold.jsonl", {"own": folder / answers}, task)["own"].rows


def test_answers_that_are_right_by_accident_are_wrong_on_the_suite(made, source):
    suite, before = suite_in(made / "suite", source), state(source)
    assert [row.correct for row in judged(made, source)] == [True] * len(ASKED)
    rows = judged(made, source, suite)
    assert [row.correct for row in rows] == [right for _, _, right in ASKED]
    assert all(row.executed.single_database for row in rows)
    assert rows[0].executed.file.startswith("shop_")
    assert state(source) == before


def test_which_gold_no_content_is_for_is_said(made):
    [facts] = json.loads((made / "suite/suite.json").read_text()).values()
    assert facts["judged_on_original_alone"] == 1
    judged_on = json.loads((made / "suite/shop/judged_on.json").read_text())
    assert {gold for gold, _, _ in ASKED} - set(judged_on) == {"SELECT left(town, 1) FROM shop"}


def test_contents_keep_what_the_engine_keeps(made, source):
    most = 0
    for number in range(1, 10):
        path = made / f"suite/shop/shop_{number:02}.sqlite"
        with closing(open_engine(str(path), LIMITS)) as content:
            for broken in (
                "SELECT 1 FROM sale WHERE price <= 0 OR twice <> 2 * price",
                "SELECT 1 FROM sale WHERE shop_id NOT IN (SELECT id FROM shop)",
                "SELECT 1 FROM sale WHERE kind NOT IN ('small', 'large')",
                "SELECT 1 FROM shop GROUP BY town HAVING count(*) > 1",
            ):
                assert content.execute(broken).rows == []
            [counts] = content.execute(
                "SELECT count(kind), count(tags), count(took) FROM sale"
            ).rows
            most = max(most, min(counts))
    # Of the largest content 18 rows would be left without those whose enumeration, list or interval is none.
    assert most > 25


def test_an_answer_that_writes_to_a_content_is_wrong_and_writes_nothing(made, source, tmp_path):
    hostile = [
        "DELETE FROM sale",
        "SELECT 1; DELETE FROM sale",
        "CREATE TABLE pg_temp.x (a INTEGER)",
    ]
    write(made / "hostile.jsonl", [{"sql": hostile[n % 3]} for n in range(len(ASKED))])
    before, suite = state(source), suite_in(made / "suite", source)
    rows = judged(made, source, suite, "hostile.jsonl")
    assert {row.executed.verdict for row in rows} == {"refused"}
    assert state(source) == before


def tables(rows):
    columns = ("id", "shop_id", "price", "kind", "tags", "took", "twice")
    return [
        TableRows("shop", ("id", "town", "opened", "is_open"), [(7, "Rome", "2024-02-29", 1), (8, "Rome", None, 0)]),
        TableRows("sale", columns, rows),
    ]  # fmt: skip


def test_a_content_hides_the_data_and_takes_what_fits_its_types(source):
    right = (1, 7, 2.5, "small", '["a", null]', "1 day, 2:00:00", None)
    wrong = [(2, 7, -1, None, None, None, None), (3, 7, 1, "huge", None, None, None)]
    with closing(open_content(source, tables([right, *wrong]), LIMITS)) as content:
        assert content.execute("SELECT town, opened, is_open FROM shop").rows == [
            ("Rome", "2024-02-29", 1)
        ]
        assert list(content.rows("sale")) == [
            (1, 7, 2.5, "small", '["a", null]', "1 day, 2:00:00", 5)
        ]
        assert content.execute("SELECT count(*) FROM dear").rows == [(0,)]


def test_an_answer_that_names_the_schema_of_the_data_is_judged_on_the_data_alone(owner):
    source = owner.replace("owner@", "reader@")
    assert reads_original("SELECT 1 FROM public.shop", source)
    assert reads_original('SELECT 1 FROM "public" . shop', source)
    assert not reads_original("SELECT 'public.' FROM shop -- public.", source)
    assert not reads_original("SELECT a.public.b FROM shop", source)
    with (
        closing(open_engine(source, LIMITS)) as engine,
        closing(open_content(source, tables([]), LIMITS)) as other,
    ):
        content = Content("shop_01", other.execute, lambda sql: not reads_original(sql, source))
        contents = [Content("shop", engine.execute), content]
        question = NativeGold(contents, "SELECT count(*) FROM shop", LIMITS, "postgres")
        for sql, verdict in {
            "SELECT count(*) FROM public.shop": CORRECT,
            "SELECT 3": "wrong_result",
        }.items():
            assert question.judge(sql, plug=False).verdict == verdict


def test_a_role_that_may_make_no_temporary_table_is_told_so(owner):
    source = owner.replace("owner@", "reader@")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("REVOKE TEMPORARY ON DATABASE shop FROM PUBLIC")
        with pytest.raises(InputError, match="GRANT TEMPORARY ON DATABASE"):
            open_content(source, tables([]), LIMITS)
        connection.execute("GRANT TEMPORARY ON DATABASE shop TO PUBLIC")
