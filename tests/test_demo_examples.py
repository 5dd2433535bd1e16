import subprocess
import sys
from pathlib import Path

import pytest

from sqladder.files import read_jsonl

ROOT = Path(__file__).parents[1]
SPLITS = ("pretrain", "train", "validation", "test")


def run(program, *options):
    script = ROOT / "workflow/scripts" / program
    return subprocess.run(
        [sys.executable, script, *map(str, options)], check=True, capture_output=True, text=True
    )


def make(folder, seed=7):
    schemas = ROOT / "resources/demo/schemas"
    databases = folder / "databases"
    run(
        "build_demo_databases.py",
        "--schemas",
        schemas,
        "--output",
        databases,
        "--variations",
        5,
        "--seed",
        seed,
    )
    run("make_demo_examples.py", "--databases", databases, "--output", folder, "--seed", seed)
    return folder


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return make(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def examples(demo):
    return {name: read_jsonl(demo / f"{name}.jsonl") for name in SPLITS}


def test_sizes_fit_the_toy_run(examples):
    assert 8000 <= len(examples["pretrain"]) <= 13000
    assert 2000 <= len(examples["train"]) <= 4000
    assert len(examples["test"]) == 360
    assert len(examples["validation"]) == 100


def test_the_same_seed_gives_the_same_bytes(demo, tmp_path):
    again = make(tmp_path / "again")
    for file in sorted(path for path in demo.rglob("*") if path.is_file()):
        assert file.read_bytes() == (again / file.relative_to(demo)).read_bytes(), file
