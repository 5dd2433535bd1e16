"""judge_drawn.py: what a drawn answer counts as for whoever learns from it."""

import subprocess
import sys

import pytest

from asked_runs import make_database
from conftest import ROOT
from sqladder.files import read_jsonl, write_jsonl
from sqladder.metric.constant_answers import is_constant

COUNT = "SELECT count(*) FROM singer"
PROGRAM = ROOT / "workflow/scripts/judge_drawn.py"


def test_a_constant_with_golds_rows_is_no_answer_to_learn(tmp_path):
    """On the only file there is it gives what gold gives; an answer that reads the table is right."""
    folder = tmp_path / "databases/shop"
    make_database(
        folder / "shop.sqlite", "CREATE TABLE singer (a)", "INSERT INTO singer VALUES (1), (2)"
    )
    drawn = ["SELECT 2", "SELECT count(a) FROM singer", "SELECT 3"]
    write_jsonl(tmp_path / "examples.jsonl", [{"id": "q", "db_id": "shop", "sql": COUNT}])
    write_jsonl(tmp_path / "drawn.jsonl", [{"id": "q", "samples": [{"sql": sql} for sql in drawn]}])
    flags = [f"--{name}={tmp_path / name}.jsonl" for name in ("examples", "drawn", "output")]
    flags += [f"--facts={tmp_path / 'facts.json'}", f"--databases={folder.parent}", "--jobs=1"]
    done = subprocess.run(
        [sys.executable, PROGRAM, *flags], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (row,) = read_jsonl(tmp_path / "output.jsonl")
    found = {sample["sql"]: sample["verdict"] for sample in row["samples"]}
    assert found == dict(zip(drawn, ("wrong_result", "correct", "wrong_result"), strict=True))


@pytest.mark.parametrize(
    ("sql", "golds", "expected"),
    [
        ("SELECT 2", [COUNT], True),
        ("VALUES (2)", [COUNT], True),
        ("SELECT 2 FROM singer", [COUNT], False),
        ("SELECT 2", ["SELECT 2"], False),
        ("SELECT 2", [COUNT, "SELECT 1 + 1"], False),
    ],
)
def test_a_constant_reads_no_table_where_gold_does(sql, golds, expected):
    assert is_constant(sql, golds) == expected
