import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from unittest.mock import ANY

import pytest

from conftest import ROOT

PROGRAM = ROOT / "workflow" / "scripts" / "score.py"
GOLD = {
    "count": "select count(*) from pet",
    "name": "select name from pet where age > 3",
    "broken": "select nothing from pet",
}
PREDICTED = {"count": "select count(name) from pet", "name": "select name from pet where age > 4"}


def make_database(path: Path, ages: list[int | None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("create table pet(name, age)")
        connection.executemany("insert into pet values('x', ?)", [(age,) for age in ages])
    connection.close()


@pytest.fixture
def folder(tmp_path):
    make_database(tmp_path / "db" / "pets" / "pets.sqlite", [1, 5])
    make_database(tmp_path / "db" / "pets" / "pets_v1.sqlite", [4, 9])
    return tmp_path


def run_program(folder: Path, gold: dict, predicted: dict, *options: str):
    for name, rows in (("test", gold), ("predictions", predicted)):
        text = "".join(
            json.dumps({"id": i, "db_id": "pets", "sql": sql}) + "\n" for i, sql in rows.items()
        )
        (folder / f"{name}.jsonl").write_text(text)
    command = [sys.executable, PROGRAM, "--examples", folder / "test.jsonl"]
    command += ["--predictions", folder / "predictions.jsonl", "--databases", folder / "db"]
    command += ["--verdicts", folder / "out" / "verdicts.jsonl", "--variant", "lora"]
    command += ["--rows", folder / "out" / "rows.jsonl"]
    command += ["--metrics", folder / "out" / "metrics.json", "--jobs", "1", *options]
    return subprocess.run(command, capture_output=True, text=True)


def results(folder: Path):
    verdicts = (folder / "out" / "verdicts.jsonl").read_text().splitlines()
    return list(map(json.loads, verdicts)), json.loads(
        (folder / "out" / "metrics.json").read_text()
    )


def test_verdicts_hold_the_strict_and_the_secondary_judgements(folder):
    run = run_program(folder, {k: GOLD[k] for k in PREDICTED}, PREDICTED)
    assert run.returncode == 0, run.stderr
    verdicts, _ = results(folder)
    assert verdicts == [
        {
            "id": "count",
            "db_id": "pets",
            "group": ANY,
            "hardness": "easy",
            "verdict": "correct",
            "file": None,
            "reason": "",
            "expected": None,
            "found": None,
            "plug_value": True,
            "single_database": True,
            "exact_match": False,
        },
        {
            "id": "name",
            "db_id": "pets",
            "group": ANY,
            "hardness": "easy",
            "verdict": "wrong_result",
            "file": "pets_v1.sqlite",
            "reason": "rows",
            "expected": 2,
            "found": 1,
            "plug_value": True,
            "single_database": True,
            "exact_match": True,
        },
    ]


def test_the_first_rows_of_gold_and_of_a_wrong_result_are_kept(folder):
    run_program(folder, {k: GOLD[k] for k in PREDICTED}, PREDICTED)
    right, wrong = map(json.loads, (folder / "out/rows.jsonl").read_text().splitlines())
    assert (right["id"], right["gold"]["rows"], right["answer"]) == ("count", [["=", "2"]], None)
    assert wrong["gold"]["file"] == "pets.sqlite"
    assert wrong["answer"]["file"] == "pets_v1.sqlite"
    assert wrong["answer"]["rows"] == [["=", "x"], ["-", "x"]]


def test_metrics_hold_rates_by_level_database_and_verdict(folder):
    run_program(folder, {k: GOLD[k] for k in PREDICTED}, PREDICTED)
    _, metrics = results(folder)
    half, none = {"n": 2, "correct": 1, "rate": 0.5}, {"n": 0, "correct": 0, "rate": None}
    assert metrics["accuracy"] == {
        "easy": half,
        "medium": none,
        "hard": none,
        "extra": none,
        "all": half,
        "joint_all": half,
    }
    assert metrics["by_database"] == {"pets": half}
    assert metrics["by_verdict"] == {"correct": 1, "wrong_result": 1}
    assert metrics["secondary"]["plug_value"]["all"]["correct"] == 2
    assert metrics["secondary"]["single_database"]["all"]["correct"] == 2
    assert metrics["secondary"]["exact_match"]["all"]["correct"] == 1
    assert metrics["facts"]["database_files"] == 2


def test_settings_reach_the_sandbox_and_the_facts(folder):
    endless = (
        "with recursive t(x) as (select 1 union all select x + 1 from t) select count(*) from t"
    )
    run_program(folder, {"count": GOLD["count"]}, {"count": endless}, "--max-vm-steps=20000")
    verdicts, metrics = results(folder)
    assert verdicts[0]["verdict"] == "timeout"
    keys = ("file", "reason", "expected", "found")
    assert [verdicts[0][key] for key in keys] == ["pets.sqlite", "steps", 20000, None]
    assert metrics["facts"]["settings"]["max_vm_steps"] == 20000
    assert metrics["facts"]["versions"]["sqlite"] == sqlite3.sqlite_version


@pytest.mark.parametrize(("quirks", "right"), [("official", 0), ("repaired", 1)])
def test_quirks_decide_and_are_recorded(folder, quirks, right):
    sql = {"count": "select 'value' from pet"}
    assert run_program(folder, sql, sql, f"--quirks={quirks}").returncode == 0
    _, metrics = results(folder)
    assert metrics["accuracy"]["all"]["correct"] == right
    assert metrics["facts"]["settings"]["quirks"] == quirks
    assert metrics["facts"]["value_read_as_1"] == 1 - right


def test_a_gold_that_fails_has_a_verdict_of_its_own(folder):
    run_program(folder, GOLD, {**PREDICTED, "broken": "select 1"})
    verdicts, metrics = results(folder)
    assert [row["verdict"] for row in verdicts] == ["correct", "wrong_result", "gold_error"]
    assert metrics["n"] == 3


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        ({"count": "select 1"}, "lacks predictions for 2 of 3 ids, first 'name'"),
        ({**GOLD, "other": ""}, "a prediction for 'other', which is no gold id"),
    ],
)
def test_ids_that_do_not_join_are_named_and_nothing_is_written(folder, predicted, message):
    run = run_program(folder, GOLD, predicted)
    assert run.returncode == 1
    assert message in run.stderr
    assert "Traceback" not in run.stderr
    assert not (folder / "out").exists()


def test_a_missing_database_is_named(folder):
    (folder / "db" / "pets" / "pets.sqlite").unlink()
    run = run_program(folder, {"count": GOLD["count"]}, {"count": "select 1"})
    assert run.returncode == 1
    assert "pets.sqlite is missing" in run.stderr
