"""The second user's way: a database and forty pairs become training, validation and test, and a ranking."""

import csv
import json
import sqlite3

import duckdb
import psycopg
import pytest
import yaml

from conftest import ROOT, copy_project, run_snakemake
from postgresql_server import postgresql_server

DDL = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, city VARCHAR(40));
CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer (id),
  item VARCHAR(40), price INTEGER, bought DATE);
INSERT INTO customer VALUES (1, 'Ann', 'Oslo'), (2, 'Bo', 'Rome'), (3, 'Cy', 'Oslo'), (4, 'Di', NULL);
INSERT INTO purchase VALUES (1, 1, 'lamp', 30, '2024-01-05'), (2, 1, 'desk', 120, '2024-02-01'),
  (3, 2, 'lamp', 28, '2024-02-14'), (4, 3, 'chair', 55, '2024-03-03'), (5, 3, 'desk', 99, '2024-03-09');
"""
JOIN = "customer JOIN purchase ON customer.id = purchase.customer_id"


def pairs():
    """Forty questions with SQL, as a user of the shop would write them."""
    rows = []
    for city in ("Oslo", "Rome", "Bern", "Paris"):
        rows += [
            (
                f"Which customers live in {city}?",
                f"SELECT name FROM customer WHERE city = '{city}'",
            ),
            (
                f"How many customers live in {city}?",
                f"SELECT count(*) FROM customer WHERE city = '{city}'",
            ),
            (
                f"What do customers from {city} buy?",
                f"SELECT DISTINCT item FROM {JOIN} WHERE city = '{city}'",
            ),
        ]
    for item in ("lamp", "desk", "chair", "sofa"):
        rows += [
            (f"Who bought a {item}?", f"SELECT DISTINCT name FROM {JOIN} WHERE item = '{item}'"),
            (
                f"What does a {item} cost at most?",
                f"SELECT max(price) FROM purchase WHERE item = '{item}'",
            ),
            (
                f"How often was a {item} sold?",
                f"SELECT count(*) FROM purchase WHERE item = '{item}'",
            ),
        ]
    for price in (20, 40, 60, 80, 100):
        rows += [
            (
                f"Which items cost more than {price}?",
                f"SELECT item FROM purchase WHERE price > {price}",
            ),
            (
                f"Who paid less than {price}?",
                f"SELECT DISTINCT name FROM {JOIN} WHERE price < {price}",
            ),
            (
                f"How many purchases were above {price}?",
                f"SELECT count(*) FROM purchase WHERE price > {price}",
            ),
        ]
    rows.append(
        ("Which customers bought nothing?", "SELECT name FROM customer WHERE id NOT IN (1, 2, 3)")
    )
    return rows


BROKEN = ("Who is the tallest?", "SELECT name FROM customer ORDER BY height DESC LIMIT 1")
ENTRY = {
    "source": "files",
    "questions": "shop.csv",
    "format": "csv",
    "databases": "shop.sqlite",
    "gold_problems": {"failing": "drop", "empty": "keep", "slow": "drop"},
    "split": {"by": "question", "validation": 0.2, "test": 0.3},
}


def write_questions(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("question", "sql"), *rows])


def configure(project, **changes):
    """Change the tiny config as the user does: one data set, and its name in two places."""
    config = yaml.safe_load((ROOT / "tests/tiny/config.yaml").read_text())
    config["datasets"]["shop"] = {**ENTRY, **changes.pop("entry", {})}
    config |= {"train_on": "shop", "test_on": "shop", **changes}
    (project / "config/shop.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def run(project, *arguments, **environment):
    config = ["--configfile", "config/shop.yaml", "--replace-workflow-config"]
    return run_snakemake(project, "--cores", "2", *config, *arguments, **environment)


def ids(project, name):
    lines = (project / "resources/datasets/shop" / name).read_text().splitlines()
    return [json.loads(line)["id"] for line in lines]


@pytest.fixture
def project(tmp_path):
    folder = copy_project(tmp_path)
    with sqlite3.connect(folder / "shop.sqlite") as connection:
        connection.executescript(DDL)
    write_questions(folder / "shop.csv", [*pairs(), BROKEN])
    configure(folder)
    return folder


PARTS = [f"resources/datasets/shop/{part}.jsonl" for part in ("train", "validation", "test")]


def test_forty_pairs_and_a_broken_one_become_three_splits(project):
    assert len(pairs()) == 40
    done = run(project, *PARTS)
    assert done.returncode == 0, done.stdout
    parts = {part: ids(project, f"{part}.jsonl") for part in ("train", "validation", "test")}
    assert {part: len(keys) for part, keys in parts.items()} == {
        "train": 20,
        "validation": 8,
        "test": 12,
    }
    assert sorted((key for keys in parts.values() for key in keys), key=int) == [
        str(n) for n in range(1, 41)
    ]
    table = (project / "resources/datasets/shop/gold.md").read_text()
    assert "| 41 | shop | failing | no such column: height |" in table
    assert "| failing | 1 | drop |" in table


def test_stopping_at_failing_gold_leaves_the_table_to_mend_it_by(project):
    configure(
        project, entry={"gold_problems": {"failing": "stop", "empty": "keep", "slow": "stop"}}
    )
    done = run(project, *PARTS)
    assert done.returncode != 0
    assert "1 of 41 gold queries are failing, first that of '41'" in done.stdout


def test_prompts_can_be_chosen_on_the_validation_split(project):
    configure(project, test_split="validation")
    done = run(project, "resources/prompts/published/test.jsonl")
    assert done.returncode == 0, done.stdout
    lines = (project / "resources/prompts/published/test.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids(project, "validation.jsonl")


def test_a_folder_of_the_database_and_its_suite_serves_as_well(project):
    for name in ("shop.sqlite", "shop_other.sqlite"):
        (project / "suites/shop").mkdir(parents=True, exist_ok=True)
        (project / "suites/shop" / name).write_bytes((project / "shop.sqlite").read_bytes())
    configure(project, entry={"databases": "suites"})
    done = run(project, *PARTS)
    assert done.returncode == 0, done.stdout
    folder = project / "resources/datasets/shop/databases/shop"
    assert sorted(path.name for path in folder.iterdir()) == ["shop.sqlite", "shop_other.sqlite"]


def test_training_questions_like_those_of_the_test_are_reported(project):
    rules = {"drop": ["folded_question"], "mark": ["sql", "near_duplicate"]}
    configure(project, decontamination=rules)
    done = run(project, "resources/prompts/published/train.jsonl")
    assert done.returncode == 0, done.stdout
    facts = json.loads((project / "results/decontamination.json").read_text())
    # Questions that differ in a value have one SQL key.
    assert facts["rules"]["sql"]["training_rows"] > 0
    assert facts["rules"]["folded_question"]["training_rows"] == 0


def check_foreign(project, source, **environment):
    # DuckDB divides to a fraction, PostgreSQL and SQLite do not; only SQLite knows the last one.
    extra = [
        ("Half of each price?", "SELECT price / 7 FROM purchase"),
        ("Which cities, in one text?", "SELECT group_concat(city) FROM customer"),
    ]
    write_questions(project / "shop.csv", [*pairs(), *extra])
    configure(project, entry={"databases": source})
    done = run(project, *PARTS, "--show-failed-logs", **environment)
    assert done.returncode == 0, done.stdout
    checks = (project / "resources/datasets/shop/gold.jsonl").read_text().splitlines()
    return {row["id"]: row["status"] for row in map(json.loads, checks)}


def test_a_duckdb_database_is_read_and_its_gold_compared_with_the_copy(project):
    (project / "shop.sqlite").unlink()
    with duckdb.connect(project / "shop.duckdb") as connection:
        connection.execute(DDL)
    checks = check_foreign(project, "shop.duckdb")
    assert checks["41"] == "failing"
    assert set(checks.values()) - {"failing"} == {"ok", "empty"}
    assert sum(status == "failing" for status in checks.values()) == 1


def test_a_postgresql_database_is_read_by_its_url(project):
    (project / "shop.sqlite").unlink()
    with postgresql_server() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE ROLE reader LOGIN")
            connection.execute("CREATE DATABASE shop")
        shop = url.replace("/postgres?", "/shop?")
        with psycopg.connect(shop, autocommit=True) as connection:
            connection.execute(DDL)
            connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        checks = check_foreign(project, "$SHOP_URL", SHOP_URL=shop.replace("owner@", "reader@"))
    assert checks["42"] == "failing"
    assert sum(status == "failing" for status in checks.values()) == 1


@pytest.mark.slow
def test_one_config_entry_gives_a_ranking(project):
    done = run(project, "results/report.md")
    assert done.returncode == 0, done.stdout
    report = (project / "results/report.md").read_text()
    assert "Which of 3 variants answers 12 questions" in report
    metrics = json.loads((project / "results/full/metrics.json").read_text())
    assert metrics["n"] == 12
    assert sum(metrics["by_verdict"].values()) == 12
