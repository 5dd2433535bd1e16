"""Trainings by reward in the process of the tests: one that was cut off ends as one that was not."""

import json
import shutil
import sqlite3
from dataclasses import asdict

import pytest
import torch
from safetensors.torch import load_file

import toy_models
from sqladder.files import write_json, write_jsonl
from sqladder.metric.limits import Limits
from sqladder.reinforcement.reinforced_run import run_job
from sqladder.reinforcement.settings import AnyReinforced
from sqladder.settings.problems import settings_of
from sqladder.training.launch import FACTS_FILE
from sqladder.training.settings import FullTraining
from training_here import train_here

pytestmark = pytest.mark.slow

SETTINGS = {
    "cutoff_length": 512,
    "learning_rate": 3e-3,
    "epochs": 6.0,
    "batch_size": 16,
    "gradient_accumulation": 2,
    "seed": 1,
    "drawn": {"engine": "transformers", "max_new_tokens": 24, "batch_size": 32},
}
FULL = {"method": "full", "save_steps": 5}
# Two updates on the same answers lie between the same checkpoints, wherever those would be.
LORA = {**toy_models.LORA, "dropout": 0.1, "learning_rate": 1e-2, "save_steps": 5}


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A model that answers some questions now and then, with questions and their database beside it."""
    folder = tmp_path_factory.mktemp("start")
    base = toy_models.save_base(folder / "base")
    own = {"method": "full", "learning_rate": 1e-2, "epochs": 40.0, "batch_size": 8}
    supervised = {**SETTINGS, **own, "gradient_accumulation": 1}
    del supervised["drawn"]
    train_here(folder, base, settings_of(FullTraining, supervised), 16)
    (folder / "databases/music").mkdir(parents=True)
    with sqlite3.connect(folder / "databases/music/music.sqlite") as connection:
        connection.execute("create table singer(id, name, age)")
        ages = [(n, f"Singer {n}", n) for n in range(0, 18, 2)]
        connection.executemany("insert into singer values (?, ?, ?)", ages)
    connection.close()
    gold = [
        {"id": row["id"], "db_id": "music", "question": "", "sql": row["messages"][-1]["content"]}
        for row in toy_models.rows(16)
    ]
    write_jsonl(folder / "examples.jsonl", gold)
    return folder


def reinforce_here(folder, start, own, reinforcement, judge=()):
    """Do what the process of a training by reward does; its facts."""
    settings = settings_of(AnyReinforced, {**SETTINGS, **own, "reinforcement": reinforcement})
    judging = {
        "examples": str(start / "examples.jsonl"),
        "databases": str(start / "databases"),
        "gold_results": None,
        "quirks": "repaired",
        "limits": asdict(Limits()),
    }
    job = {
        "settings": settings.model_dump(exclude_none=True),
        "launcher": None,
        "base_model": str(start / "model"),
        "data": str(start / "train.jsonl"),
        "output": str(folder / "model"),
        "work_folder": str(folder / "work"),
        "judging": judging,
        "judging_jobs": 1,
        "judge": list(map(str, judge)),
    }
    write_json(folder / "work/job.json", job)
    run_job(folder / "work/job.json")
    return json.loads((folder / "work" / FACTS_FILE).read_text())


# Three of ten validation questions are right after the fourth step, and two after the eighth.
JUDGE = """
import json, sys
print(json.dumps({"groups": list("abcdefghij"), "databases": 3}), flush=True)
for line in sys.stdin:
    n = {4: 3, 8: 2}[int(line.rpartition("-")[2])]
    print("1" * n + "0" * (10 - n), flush=True)
"""


def curves(facts):
    own = facts["learning"]["curves"]
    return {name: curve for name, curve in own.items() if not name.endswith("_seconds")}


@pytest.mark.parametrize(
    ("own", "reinforcement", "steps", "checkpoint"),
    [
        (FULL, {"samples": 8, "steps": 8, "beta": 0.01}, 8, 5),
        (LORA, {"samples": 8, "steps": 8, "updates": 2, "beta": 0.0, "loss": "dr_grpo"}, 8, 6),
    ],
)
def test_a_training_that_was_cut_off_ends_as_an_undisturbed_one(
    start, tmp_path, own, reinforcement, steps, checkpoint
):
    whole = reinforce_here(tmp_path, start, own, reinforcement)
    left = tmp_path / "left"
    shutil.copytree(tmp_path / "model", left)
    checkpoints = sorted(path.name for path in (tmp_path / "work/run").glob("checkpoint-*"))
    assert checkpoints == [f"checkpoint-{checkpoint}"]
    again = reinforce_here(tmp_path, start, own, reinforcement)
    assert min(curves(whole)["equal"]) < 1
    assert again["resumed"]
    assert not whole["resumed"]
    assert whole["steps"] == again["steps"] == steps
    assert curves(again) == curves(whole)
    # A tracker gets the same curves, each point once.
    assert [row["step"] for row in again["log"]] == curves(whole)["step"]
    assert [row["right"] for row in again["log"]] == curves(whole)["right"]
    assert ("kl" in curves(whole)) == (reinforcement["beta"] > 0)
    weights = [(path / "model.safetensors").read_bytes() for path in (left, tmp_path / "model")]
    assert weights[0] == weights[1]
    assert weights[0] != (start / "model/model.safetensors").read_bytes()
    # What stops an answer of the drawing is not written into the model.
    ends = [
        json.loads((path / "generation_config.json").read_text())
        for path in (left, start / "model")
    ]
    assert ends[0] == ends[1]


def test_the_best_checkpoint_on_validation_is_the_model_and_patience_ends_the_training(
    start, tmp_path
):
    program = tmp_path / "judge.py"
    program.write_text(JUDGE)
    own = {
        "method": "full",
        "choose": "validation",
        "checkpoints": {"per_epoch": 1},
        "stop_early": {"patience": 1},
        "keep_checkpoints": True,
    }
    asked = (tmp_path, start, own, {"samples": 8, "beta": 0.0}, [program])
    facts = reinforce_here(*asked)
    found = facts["validation"]
    # Sixteen questions are asked in four steps, six times over.
    assert [(point["step"], point["epoch"]) for point in found["points"]] == [(4, 1.0), (8, 2.0)]
    assert (found["chosen"], found["stopped_early"], found["databases"]) == (4, True, 3)
    assert (facts["steps"], facts["epochs"]) == (8, 2.0)
    assert facts["learning"]["groups"] == 32
    assert [row["epoch"] for row in facts["log"]] == [n / 4 for n in range(1, 9)]
    assert facts["learning"]["curves"]["step"] == [*range(1, 9)]
    kept = [tmp_path / f"work/checkpoints/step_{step}/model.safetensors" for step in (4, 8)]
    left, right = (path.read_bytes() for path in kept)
    assert left != right
    assert hold_the_same(tmp_path / "model/model.safetensors", kept[0])
    # Killed before its model was written, it takes no further step.
    again = reinforce_here(*asked)
    assert again["validation"]["chosen"] == 4
    assert (again["steps"], again["epochs"]) == (8, 2.0)
    assert curves(again) == curves(facts)
    assert hold_the_same(tmp_path / "model/model.safetensors", kept[0])


def hold_the_same(left, right):
    weights = [load_file(path) for path in (left, right)]
    return weights[0].keys() == weights[1].keys() and all(
        torch.equal(weights[0][name], weights[1][name]) for name in weights[0]
    )
