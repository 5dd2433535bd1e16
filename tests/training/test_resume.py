"""Training survives `kill -9`: the same command goes on from its last checkpoint, to the same end."""

import json
import subprocess
import time

import psutil
import pytest

import toy_models

pytestmark = pytest.mark.slow

SECONDS_TO_A_CHECKPOINT = 300


def kill_tree_after_a_checkpoint(command, work_folder):
    """Start a program, wait until it has saved a checkpoint, kill it and all its children."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + SECONDS_TO_A_CHECKPOINT
    while not list(work_folder.glob("run/checkpoint-*/sqladder_progress.json")):
        assert process.poll() is None, "the program ended before it could be killed"
        assert time.monotonic() < deadline, "no checkpoint came in time"
        time.sleep(0.02)
    family = psutil.Process(process.pid).children(recursive=True)
    for member in [*family, process]:
        member.kill()
    process.wait()


def assert_same_model(left, right):
    assert (left / "model.safetensors").read_bytes() == (right / "model.safetensors").read_bytes()


def losses(facts):
    return json.loads(facts.read_text())["loss_curve"]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toy_models.save_base(tmp_path_factory.mktemp("base") / "base")


@pytest.mark.parametrize("method", [toy_models.LORA | {"dropout": 0.1}, {"method": "full"}])
def test_a_killed_fine_tuning_ends_as_an_undisturbed_one(base, tmp_path, method):
    folders = [tmp_path / name for name in ("whole", "killed")]
    for folder in folders:
        folder.mkdir()
    whole, killed = (
        toy_models.train_options(folder, base, epochs=12, save_steps=7, **method)
        for folder in folders
    )
    assert toy_models.run("train.py", **whole).returncode == 0

    kill_tree_after_a_checkpoint(toy_models.command("train.py", **killed), killed["work_folder"])
    assert not killed["output"].exists()
    done = toy_models.run("train.py", **killed)
    assert done.returncode == 0, done.stdout
    assert json.loads(killed["facts"].read_text())["resumed"]
    assert losses(killed["facts"]) == losses(whole["facts"])
    own, other = (json.loads(run["facts"].read_text()) for run in (killed, whole))
    # A tracker has one run of it, with each point once.
    assert own["identity"] == other["identity"]
    assert [(row["step"], row["loss"]) for row in own["log"]] == [*map(tuple, own["loss_curve"])]
    assert_same_model(killed["output"], whole["output"])


def test_a_killed_base_training_ends_as_an_undisturbed_one(tmp_path):
    folders = [tmp_path / name for name in ("whole", "killed")]
    for folder in folders:
        folder.mkdir()
    whole, killed = (
        toy_models.base_options(folder, epochs=60, save_steps=11) for folder in folders
    )
    assert toy_models.run("train_base.py", **whole).returncode == 0

    command = toy_models.command("train_base.py", **killed)
    kill_tree_after_a_checkpoint(command, killed["work_folder"])
    assert not killed["output"].exists()
    done = toy_models.run("train_base.py", **killed)
    assert done.returncode == 0, done.stdout
    assert json.loads(killed["facts"].read_text())["resumed"]
    assert losses(killed["facts"]) == losses(whole["facts"])
    assert_same_model(killed["output"], whole["output"])
