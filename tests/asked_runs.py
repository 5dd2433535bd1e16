"""A run whose variants share an untrained model, as `sqladder ask` and `sqladder serve` find it."""

import sqlite3
from contextlib import closing

import yaml

import toy_models
from conftest import ROOT
from sqladder.experiment import asking_jobs
from sqladder.files import parse_json, write_json, write_jsonl

DATABASE = "resources/datasets/demo/databases/music/music.sqlite"
QUESTION = {"id": "q0", "db_id": "music", "question": "How many singers are there?", "sql": "x"}
POOL = [
    {"id": f"p{n}", "db_id": "music", "question": text, "sql": f"SELECT {n}"}
    for n, text in enumerate(["How many singers sing?", "Who is old?", "Name all singers."])
]


def make_database(path, *statements):
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return path


def make_run(root):
    """Write a run into a folder; its config."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    context = {**config["contexts"]["published"], "repair_turn": "{sql} fails: {error}"}
    few_shot = {
        **context,
        "user": f"{context['user']}\n{{examples}}",
        "examples": {"method": "bm25", "by": "question", "count": 2, "template": "commented_sql"},
    }
    config["contexts"] = {"published": context, "few_shot": few_shot}
    config["decoding"]["max_new_tokens"] = 40
    sampled = {"samples": 3, "temperature": 0.9, "choose": "vote", "grammar": "schema"}
    reuse = {"method": "reuse", "model_of": "full"}
    config["variants"] = {
        "full": {"method": "full"},
        "shots": {**reuse, "context": "few_shot"},
        "votes": {**reuse, "decoding": {**sampled, "repair": {"rounds": 1}}},
        "elsewhere": {
            "method": "served",
            "url": "http://localhost:9/v1",
            "model": "m",
            "key_variable": "NO_SUCH_KEY",
        },
    }
    data = root / "resources/datasets/demo"
    make_database(
        root / DATABASE,
        "CREATE TABLE singer (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)",
        "INSERT INTO singer VALUES (1, 'Ann', 30), (2, NULL, 41)",
    )
    write_jsonl(data / "test.jsonl", [QUESTION])
    write_jsonl(data / "train.jsonl", POOL)
    write_jsonl(root / "resources/decontaminated/train.jsonl", POOL)
    toy_models.save_base(root / "results/full/model")
    for variant in config["variants"]:
        asking = parse_json(asking_jobs.asking(config, variant), variant)
        write_json(root / "results" / variant / "asking.json", asking)
    return config
