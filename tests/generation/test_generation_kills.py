"""A generation that is killed, and the same command again: the same file, and nothing drawn twice."""

import json
import os
import subprocess
import sys

import pytest

import toy_models
from conftest import ROOT

PROMPTS = 11
SAMPLING = {"samples": 3, "temperature": 1.5, "include_greedy": True, "log_probabilities": True}

# Runs generate.py, and kills it at a write of the work file: before the write, in the middle of it, or behind it.
KILLED = """
import os, runpy, signal, sys
writes, moment, program = int(sys.argv[1]), sys.argv[2], sys.argv[3]
sys.argv[:] = sys.argv[3:]
sys.path.insert(0, os.path.dirname(program))
from sqladder.generation import work_file
add = work_file.WorkFile.add
seen = 0
def add_or_die(self, rows, seconds=0.0):
    global seen
    seen += 1
    if seen == writes and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    add(self, rows, seconds)
    if seen == writes and moment == "torn":
        self._file.truncate(self._file.seek(0, os.SEEK_END) - 9)
    if seen == writes:
        os.kill(os.getpid(), signal.SIGKILL)
work_file.WorkFile.add = add_or_die
runpy.run_path(program, run_name="__main__")
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    options = toy_models.base_options(folder, epochs=30, learning_rate=0.01)
    done = toy_models.run("train_base.py", **options)
    assert done.returncode == 0, done.stdout
    return folder / "base"


def options(folder, model):
    folder.mkdir(exist_ok=True)
    return {
        **toy_models.GREEDY,
        **SAMPLING,
        "model": model,
        "prompts": toy_models.write_rows(folder / "test.jsonl", PROMPTS, with_answer=False),
        "output": folder / "predictions.jsonl",
        "facts": folder / "generation.json",
        "max_new_tokens": 12,
        "batch_size": 2,
    }


@pytest.fixture(scope="module")
def undisturbed(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    done = toy_models.run("generate.py", **options(folder, model))
    assert done.returncode == 0, done.stdout
    assert sorted(path.name for path in folder.iterdir()) == [
        "generation.json",
        "predictions.jsonl",
        "test.jsonl",
    ]
    return (folder / "predictions.jsonl").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("write", "moment", "kept"),
    [(1, "before", 0), (1, "behind", 2), (3, "torn", 5), (4, "before", 6), (6, "behind", 11)],
)
def test_a_killed_generation_goes_on_and_ends_with_the_same_file(
    model, undisturbed, tmp_path, write, moment, kept
):
    asked = options(tmp_path, model)
    command = toy_models.command("generate.py", **asked)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(write), moment, *command[1:]],
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow/scripts")},
    )
    assert killed.returncode == -9
    assert not (tmp_path / "predictions.jsonl").exists()
    done = toy_models.run("generate.py", **asked)
    assert done.returncode == 0, done.stdout
    assert (f"generate: {kept} of {PROMPTS} were answered before" in done.stdout) == (
        0 < kept < PROMPTS
    )
    assert (tmp_path / "predictions.jsonl").read_bytes() == undisturbed
    facts = json.loads((tmp_path / "generation.json").read_text())
    assert facts.get("resumed", {"answers": 0})["answers"] == kept
    assert ("engine_start" in facts["stages"]) == (kept < PROMPTS)
    assert facts["prompts"] == PROMPTS
    assert not list(tmp_path.glob("*.work"))
