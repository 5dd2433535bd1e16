"""Suites as a part of the workflow: an answer that is right by accident counts as right without, and as wrong with."""

import json
import sqlite3
from contextlib import closing

import pytest
import yaml

from conftest import ROOT, copy_project, run_snakemake
from sqladder.errors import InputError
from sqladder.experiment.config import check

SCHEMA = """
CREATE TABLE shop (id INTEGER PRIMARY KEY, town TEXT NOT NULL);
CREATE TABLE sale (id INTEGER PRIMARY KEY, shop_id INTEGER NOT NULL REFERENCES shop (id), price INTEGER);
INSERT INTO shop VALUES (1, 'Ulm'), (2, 'Bonn'), (3, 'Kiel');
INSERT INTO sale VALUES (1, 1, 5), (2, 1, 8), (3, 2, 30), (4, 3, 700);
"""
# Question, gold, and an answer that the original cannot tell from it.
ASKED = [
    ("Dear sales?", "SELECT id FROM sale WHERE price > 8", "SELECT id FROM sale WHERE price >= 30"),
    ("Towns?", "SELECT town FROM shop", "SELECT town FROM shop LIMIT 3"),
    ("Sales?", "SELECT count(*) FROM sale", "SELECT count(*) FROM sale"),
]


def config_of(folder, **more):
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config["datasets"]["shop"] = {
        "source": "files",
        "questions": str(folder / "shop.jsonl"),
        "databases": str(folder / "shop.sqlite"),
        **more,
    }
    config["test_on"] = "shop"
    config["variants"] = {
        "theirs": {"method": "imported", "predictions": str(folder / "theirs.jsonl")}
    }
    return config


@pytest.fixture
def shop(tmp_path):
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as database:
        database.executescript(SCHEMA)
    for name, rows in (
        (
            "shop",
            [
                {"id": str(n), "db_id": "shop", "question": q, "sql": g}
                for n, (q, g, _) in enumerate(ASKED)
            ],
        ),
        ("theirs", [{"id": str(n), "sql": a} for n, (_, _, a) in enumerate(ASKED)]),
    ):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


@pytest.mark.slow
def test_answers_are_judged_on_suites_made_for_the_run_and_the_report_says_how_strong_they_are(
    shop,
):
    project = copy_project(shop)
    right = {}
    for name, more in (("without", {}), ("with", {"suite": {"files": 12}})):
        (project / "config/run.yaml").write_text(yaml.safe_dump(config_of(shop, **more)))
        done = run_snakemake(
            project, "--cores", "2", "--configfile", "config/run.yaml", "--replace-workflow-config",
            "--", "results/report.md",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        metrics = json.loads((project / "results/theirs/metrics.json").read_text())
        right[name] = metrics["accuracy"]["all"]["correct"]
    assert right == {"without": 3, "with": 1}
    made = json.loads((project / "results/facts.json").read_text())["suite"]
    assert made["files"] == 12
    assert made["told_apart"] > made["told_apart_by_original"] > 0
    report = (project / "results/report.md").read_text()
    assert (
        "The suites were made from the gold queries, up to 12 files a database: they tell" in report
    )
    assert f"{made['told_apart']} of {made['neighbours']} queries" in report


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: c["datasets"]["shop"].update(suite={"files": 1}),
            r"datasets\.shop\.suite\.files",
        ),
        (lambda c: c["datasets"]["shop"].update(suite={"file": 9}), r"datasets\.shop\.suite"),
        (lambda c: c.update(test_on="demo"), r"datasets\.shop\.suite: .* remove it here"),
        (
            lambda c: c["datasets"]["shop"].pop("databases"),
            r"datasets\.shop\.suite: has no use without databases",
        ),
    ],
)
def test_a_suite_that_cannot_be_is_refused_before_any_job(shop, change, message):
    config = config_of(shop, suite={"files": 20})
    check(config)
    change(config)
    with pytest.raises(InputError, match=message):
        check(config)
