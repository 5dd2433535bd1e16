"""What a checkpoint of a training by reward is known by."""

import pytest

import reinforce
from sqladder.errors import InputError
from sqladder.files import read_json
from sqladder.reinforcement.settings import AnyReinforced
from sqladder.settings.problems import settings_of
from sqladder.training import launch
from sqladder.training.checkpoints import mark_complete

SETTINGS = {
    "method": "full",
    "cutoff_length": 512,
    "learning_rate": 1e-6,
    "epochs": 1.0,
    "batch_size": 16,
    "gradient_accumulation": 1,
    "seed": 1,
    "drawn": {"engine": "transformers", "max_new_tokens": 24, "batch_size": 32},
    "reinforcement": {},
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "base").mkdir()
    for name in ("rows.jsonl", "gold.jsonl"):
        (tmp_path / name).write_text(name)
    return tmp_path


def begin_and_be_killed(monkeypatch, folder, **flags):
    """Begin a training that is killed at its first step, and say what its process was told."""
    usual = {
        "base-model": "base",
        "data": "rows.jsonl",
        "examples": "gold.jsonl",
        "databases": "databases",
        "work-folder": "work",
        "output": "model",
        "facts": "train.json",
    }
    words = [word for flag, name in usual.items() for word in (f"--{flag}", str(folder / name))]
    words += [word for flag, value in flags.items() for word in (f"--{flag}", str(value))]
    files = reinforce.training_files(reinforce.make_parser().parse_args(words))
    monkeypatch.setattr(launch, "run_to_end", lambda *_, **__: 137)
    with pytest.raises(InputError, match="ended with status 137"):
        launch.fine_tune(settings_of(AnyReinforced, SETTINGS), files)
    return read_json(folder / "work/job.json")


def test_another_number_of_judging_processes_goes_on_from_the_same_checkpoint(monkeypatch, folder):
    assert begin_and_be_killed(monkeypatch, folder, jobs=1)["judging_jobs"] == 1
    checkpoint = folder / "work/run/checkpoint-1"
    checkpoint.mkdir(parents=True)
    mark_complete(checkpoint, 1.0)
    assert begin_and_be_killed(monkeypatch, folder, jobs=8)["judging_jobs"] == 8
    assert checkpoint.exists()


@pytest.mark.parametrize("change", ["limits", "gold"])
def test_what_decides_a_verdict_begins_it_anew(monkeypatch, folder, change):
    begin_and_be_killed(monkeypatch, folder)
    checkpoint = folder / "work/run/checkpoint-1"
    checkpoint.mkdir(parents=True)
    mark_complete(checkpoint, 1.0)
    if change == "gold":
        (folder / "gold.jsonl").write_text("mended")
    begin_and_be_killed(monkeypatch, folder, **({"timeout": 5} if change == "limits" else {}))
    assert not checkpoint.exists()
