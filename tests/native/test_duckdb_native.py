"""A DuckDB file is judged in DuckDB: a whole ranking, and nothing that a prediction could do to the machine."""

import hashlib

import duckdb
import pytest
import yaml

from conftest import copy_project
from native_runs import DDL, check_ranking, lines, run, write_run

HOSTILE = {
    "COPY customer TO 'stolen.csv'": "refused",
    "COPY customer FROM '/etc/passwd'": "refused",
    "SELECT * FROM read_csv('/etc/passwd')": "refused",
    "SELECT * FROM read_text('/etc/passwd')": "refused",
    "SELECT * FROM read_parquet('https://127.0.0.1/x')": "refused",
    "SELECT * FROM glob('/etc/*')": "refused",
    "SELECT * FROM '/etc/passwd'": "sql_error",
    "ATTACH 'other.duckdb' AS other": "refused",
    "INSTALL httpfs": "refused",
    "LOAD httpfs": "refused",
    "SET enable_external_access = true": "refused",
    "PRAGMA enable_checkpoint_on_shutdown": "refused",
    "RESET threads": "refused",
    "SELECT 1; DROP TABLE customer": "refused",
    "DROP TABLE customer": "refused",
    "CREATE TABLE mine AS SELECT 1": "refused",
    "WITH gone AS (DELETE FROM customer RETURNING *) SELECT * FROM gone": "sql_error",
    "EXPORT DATABASE 'stolen'": "refused",
    "CALL force_checkpoint()": "refused",
    "EXPLAIN ANALYZE SELECT 1": "refused",
    "SELECT * FROM query('DROP TABLE customer')": "sql_error",
    "SELECT count(*) FROM generate_series(1, 1000000000000)": "timeout",
    "SELECT count(*) FROM range(1000000000) a, range(1000000000) b": "refused or timeout",
    "SELECT list(i) FROM range(1000000000) t(i)": "refused or timeout",
    "SELECT name FROM customer, range(1000000000)": "wrong_result",
    "SELECT repeat('x', 900000000)": "refused or timeout",
    "/* x */ DELETE FROM customer": "refused",
    "": "no_sql",
}
WRONG = {
    "SELECT TOP 2 name FROM customer": "dialect",
    "SELECT name FROM customer WHERE bought > DATE_SUB(CURDATE(), INTERVAL 1 DAY)": "other",
    "SELECT name FROM customer WHERE name = IFNULL(CURDATE(), 'x')": "dialect",
    "SELECT nmae FROM customer": "unknown_column",
    "SELECT name FROM customers": "unknown_table",
    "SELECT name FORM customer": "syntax",
    "SELECT name FROM customer WHERE city ILIKE 'rome'": "wrong_filter",
}


@pytest.fixture
def project(tmp_path):
    folder = copy_project(tmp_path)
    with duckdb.connect(folder / "shop.duckdb") as connection:
        connection.execute(DDL)
        connection.execute('CREATE TABLE "order" ("the day" TIMESTAMP, tags VARCHAR[])')
        connection.execute("CREATE VIEW cities AS SELECT DISTINCT city FROM customer")
    return folder


def files(folder):
    kept = ("results", "resources", "logs", ".snakemake")
    return {path for path in folder.iterdir() if path.name not in kept}


def test_a_ranking_is_made_in_duckdb_and_nothing_is_written(project):
    write_run(project, "shop.duckdb", HOSTILE, WRONG)
    before = files(project), hashlib.sha256((project / "shop.duckdb").read_bytes()).digest()
    done = run(project, "results/report.md", "resources/prompts/published/test.jsonl")
    assert done.returncode == 0, done.stdout
    prompt = check_ranking(project, "DuckDB", HOSTILE, WRONG)
    assert prompt.startswith("DuckDB\nCREATE TABLE customer (\n  id INTEGER NOT NULL PRIMARY KEY,")
    assert "price DECIMAL(8,2)," in prompt
    assert 'CREATE TABLE "order" (\n  "the day" TIMESTAMP,\n  tags VARCHAR[]\n);' in prompt
    assert "CREATE TABLE cities (\n  city VARCHAR\n); -- a view" in prompt
    assert (
        files(project),
        hashlib.sha256((project / "shop.duckdb").read_bytes()).digest(),
    ) == before


def test_gold_is_checked_in_duckdb_alone(project):
    write_run(project, "shop.duckdb", {}, {})
    done = run(project, "resources/datasets/shop/gold.md")
    assert done.returncode == 0, done.stdout
    # On the copy nearly all of them fail.
    assert "| ok | 6 | keep |" in (project / "resources/datasets/shop/gold.md").read_text()


# tests/native/test_native_suites.py judges on suites in DuckDB, without a whole run.
@pytest.mark.slow
@pytest.mark.long
def test_a_ranking_on_a_suite_in_duckdb_says_how_strong_it_is(project):
    write_run(
        project,
        "shop.duckdb",
        {},
        {"SELECT name FROM customer WHERE id <> 2 AND id < 4": "wrong_filter"},
    )
    path = project / "config/native.yaml"
    config = yaml.safe_load(path.read_text())
    config["datasets"]["shop"]["suite"] = {"files": 6}
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    before = hashlib.sha256((project / "shop.duckdb").read_bytes()).digest()
    done = run(project, "results/report.md")
    assert done.returncode == 0, done.stdout
    verdicts = {row["id"]: row for row in lines(project / "results/other/verdicts.jsonl")}
    # On the data it is right, by accident.
    assert verdicts["q6"]["verdict"] == "wrong_result"
    assert verdicts["q6"]["single_database"]
    assert verdicts["q6"]["file"].startswith("shop_")
    report = (project / "results/report.md").read_text()
    assert "there and on every content of the suite that is loaded beside the data" in report
    assert "The suites were made from the gold queries, up to 6 files a database" in report
    assert "of the gold queries are judged on the data alone" in report
    assert hashlib.sha256((project / "shop.duckdb").read_bytes()).digest() == before
