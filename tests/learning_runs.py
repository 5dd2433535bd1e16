"""A run that learns from execution within a minute: a network of 20,000 weights and one table."""

import json
import sqlite3

import yaml

import toy_models

ROWS = [("Ann", 20), ("Bob", 31), ("Cleo", 42), ("Dan", 55)]
CONFIG = {
    "title": "Learning from execution at toy size",
    "seed": 1,
    "train_on": "music",
    "test_on": "asked",
    "validate_on": "tried",
    "contexts": {
        "short": {"schema": "compact", "system": "Write SQL.", "user": "{schema}\n{question}"}
    },
    "context": "short",
    "training": {
        "learning_rate": 1.0e-2,
        "epochs": 30,
        "batch_size": 16,
        "gradient_accumulation": 1,
        "cutoff_length": 512,
        "over_cutoff": "drop",
    },
    "decoding": {
        "engine": "transformers",
        "max_new_tokens": 24,
        "batch_size": 64,
        "temperature": 0,
        "top_p": 1,
        "repetition_penalty": 1,
    },
    "scoring": {"max_vm_steps": 1_000_000, "timeout": 5, "memory_mb": 256},
}


# Name, database and ages of the questions of each data set; what chooses a checkpoint has a database of its own.
DATASETS = (
    ("music", "music", range(10, 58, 2)),
    ("asked", "music", range(11, 59, 4)),
    ("tried", "band", range(13, 57, 4)),
)


def write_experiment(folder, variants):
    """Write the base, the data sets and config/run.yaml with these variants into a copy of the project.

    One of them at least has to choose its checkpoint on validation.
    """
    data = folder / "data"
    for name in ("music", "band"):
        (data / "databases" / name).mkdir(parents=True)
        with sqlite3.connect(data / f"databases/{name}/{name}.sqlite") as connection:
            connection.execute(
                "create table singer(id integer primary key, name text, age integer)"
            )
            connection.executemany("insert into singer(name, age) values (?, ?)", ROWS)
        connection.close()
    toy_models.save_base(data / "base")
    datasets = {}
    for name, database, ages in DATASETS:
        rows = [
            {
                "id": f"{name}{age}",
                "db_id": database,
                "question": f"Which singers are older than {age}?",
                "sql": f"SELECT name FROM singer WHERE age > {age}",
            }
            for age in ages
        ]
        (data / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        datasets[name] = {
            "source": "files",
            "questions": f"data/{name}.jsonl",
            "databases": "data/databases",
        }
    base = {"source": "folder", "path": "data/base"}
    config = {**CONFIG, "base_model": base, "datasets": datasets, "variants": variants}
    (folder / "config/run.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
