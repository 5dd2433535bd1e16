"""A training in the process of the tests, which keeps what train.py would remove: its work folder and adapter."""

import json

import toy_models
from sqladder.files import write_json
from sqladder.training.launch import FACTS_FILE
from sqladder.training.run import run_job


def train_here(folder, base, settings, rows, judge=()):
    """Do what a training process does, on so many rows; the facts of the training.

    The model is in `folder`/model; `folder`/work has the adapter, in run. The judge of checkpoints is a program with
    its flags.
    """
    data = toy_models.write_rows(folder / "train.jsonl", rows)
    return train_on(folder, base, settings, data, judge)


def train_on(folder, base, settings, data, judge=()):
    """The same on a file of rows, or of pairs where these are what is learned from."""
    job = {
        "settings": settings.model_dump(exclude_none=True),
        "launcher": None,
        "base_model": str(base),
        "data": str(data),
        "output": str(folder / "model"),
        "work_folder": str(folder / "work"),
        "profile": None,
        "judge": [str(word) for word in judge],
    }
    write_json(folder / "work" / "job.json", job)
    run_job(folder / "work" / "job.json")
    return json.loads((folder / "work" / FACTS_FILE).read_text())
