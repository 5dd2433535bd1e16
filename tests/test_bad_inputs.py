"""Every program says in one line what is wrong with a file that it is given; none ends in a traceback."""

import json
import logging
import re
import runpy
import shutil
import sqlite3
import sys
from contextlib import closing

import pytest

import report_runs as runs
from conftest import ROOT
from sqladder.report.charts.registry import CHARTS

LINE = {"id": "q0", "db_id": "pets", "question": "How many?", "sql": "SELECT count(*) FROM pet"}
LINES = [LINE, {**LINE, "id": "q1", "question": "Who?", "sql": "SELECT name FROM pet"}]


def changed(**fields) -> bytes:
    return json.dumps({**LINE, **fields}).encode()


NAMES = ("id", "db_id", "question", "sql", "hardness", "verdict", "messages", "kind", "variant")
# What stands in a file in place of what should; None is a folder.
BAD = {
    "folder": None,
    "not UTF-8": b'{"id": "caf\xe9"}\n',
    "no JSON": b"SELECT 1\n",
    "no object": b"[1]\n",
    "no field": b'{"id": "q0"}\n',
    "half a surrogate pair": changed(question="\ud83d", sql="\ud83d"),
    "half a pair in an id": changed(id="\ud83d"),
    "a list as id": changed(id=[1]),
    "wrong types": changed(db_id=5, question=5, sql=None),
    "deep": b"[" * 100_000,
    "nulls": json.dumps(dict.fromkeys(NAMES)).encode(),
}

# The options of programs; of what stands in braces, one file at a time is bad.
PROGRAMS = {
    "average_seeds": "--variant v --metrics {v/seed_1/metrics.json} {v/seed_2/metrics.json} --output out",
    "check_gold": "--examples {examples.jsonl} --databases databases --failing keep --empty keep "
    "--slow keep --repairs {repairs.jsonl} --output out --checks out2 --summary out3",
    "check_validation": "--validation {validation.jsonl} --test {examples.jsonl} --one-set --output out",
    "decontaminate": "--examples {examples.jsonl} --evaluation {examples.jsonl} "
    "--evaluation-databases databases --drop --mark exact_question --output out --marks out2 "
    "--evaluation-marks out3 --report out4 --facts out5",
    "import_predictions": "--predictions {v/predictions.jsonl} --questions {examples.jsonl} "
    "--examples {examples.jsonl} --output out",
    "import_questions": "--questions {examples.jsonl} --format jsonl --databases databases "
    "--all out --output out2 --left-out out3",
    "render_prompts": "--examples {examples.jsonl} --databases databases --schema ddl "
    "--system= --user={schema}{question} --output out",
    "retrieve_examples": "--questions {examples.jsonl} --pool {pool.jsonl} --method bm25 --by question "
    "--count 1 --output out",
    "score": "--examples {examples.jsonl} --predictions {v/predictions.jsonl} --databases databases "
    "--variant v --verdicts out --rows out2 --metrics out3 --jobs 1",
    "split_examples": "--examples {examples.jsonl} --by question --validation 0 --test 0.5 --seed 1 "
    "--output out",
    "write_report": "--questions {examples.jsonl} --verdicts {v/verdicts.jsonl} "
    "--metrics {v/metrics.json} --predictions {v/predictions.jsonl} --rows {v/rows.jsonl} "
    "--databases databases --failures out --baseline v --run-facts {run.json} --charts charts --report out2 "
    "--page out3 --csv out4 --pairs out5 --results out6 --record out7",
}
FILE = re.compile(r"\{(\S+\.jsonl?)\}")
# These take ids and databases as texts whatever they are.
TAKEN = {("import_questions", "a list as id"), ("import_questions", "half a pair in an id")}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Good files of all kinds, in the folder where programs run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "databases/pets").mkdir(parents=True)
    with closing(sqlite3.connect(tmp_path / "databases/pets/pets.sqlite")) as connection:
        connection.executescript("CREATE TABLE pet (name); INSERT INTO pet VALUES ('Rex')")
    questions = [{**row, "hardness": "easy"} for row in LINES]
    runs.write_run(tmp_path, questions, {"v": runs.verdict_rows(questions, [True, False])})
    shutil.copytree(tmp_path / "results/v", tmp_path / "v")
    for seed in (1, 2):
        shutil.copytree(tmp_path / "results/v", tmp_path / f"v/seed_{seed}")
    kept = [{"id": row["id"], "gold": None, "answer": None} for row in LINES]
    runs.write_lines(tmp_path / "v/rows.jsonl", kept)
    runs.write_lines(tmp_path / "repairs.jsonl", [{"id": "q0", "sql": "SELECT 1"}])
    for name in ("examples", "pool"):
        runs.write_lines(tmp_path / f"{name}.jsonl", LINES)
    others = [{**row, "question": f"{row['question']} Please."} for row in LINES]
    runs.write_lines(tmp_path / "validation.jsonl", others)
    (tmp_path / "run.json").write_text(json.dumps(runs.run_facts()))
    (tmp_path / "charts").mkdir()
    for name in [*CHARTS, *(f"{chart}_narrow" for chart in CHARTS)]:
        (tmp_path / f"charts/{name}.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    return tmp_path


def ending(program: str, monkeypatch) -> object:
    """What a program ends with: its exit status, or the exception that no user should see."""
    options = FILE.sub(r"\1", PROGRAMS[program]).split()
    monkeypatch.setattr(sys, "argv", [program, *options])
    try:
        runpy.run_path(str(ROOT / f"workflow/scripts/{program}.py"), run_name="__main__")
    except SystemExit as end:
        return end.code
    except Exception as error:
        return error
    return 0


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_bad_file_is_named_in_one_line(program, files, monkeypatch):
    monkeypatch.setattr(logging.root, "handlers", list(logging.root.handlers))
    assert ending(program, monkeypatch) == 0
    found = {}
    for name in dict.fromkeys(FILE.findall(PROGRAMS[program])):
        good = (files / name).read_bytes()
        for kind, content in BAD.items():
            (files / name).unlink()
            if content is None:
                (files / name).mkdir()
            else:
                (files / name).write_bytes(content)
            found[program, name, kind] = ending(program, monkeypatch)
            if content is None:
                (files / name).rmdir()
            (files / name).write_bytes(good)
        (files / name).unlink()
        found[program, name, "missing"] = ending(program, monkeypatch)
        (files / name).write_bytes(good)
    wrong = {
        case: said
        for case, said in found.items()
        if not (isinstance(said, str) and said.startswith("error: "))
    }
    assert {case: said for case, said in wrong.items() if case[::2] not in TAKEN} == {}
