"""The first user's way: from nothing but a server to prompts and a ranking, by sources of the real ones' shapes."""

import hashlib
import io
import json
import shutil
import sqlite3
import zipfile
from contextlib import contextmanager

import pyarrow
import pyarrow.parquet
import pytest
import yaml

from conftest import ROOT, copy_project, run_snakemake
from fault_server import COMMIT, Fault, fault_server

DDL = "CREATE TABLE singer (singer_id INTEGER PRIMARY KEY, name TEXT, age INTEGER);"
DEV = [
    {
        "db_id": "music",
        "question": f"How many singers are older than {n}?",
        "query": f"SELECT count(*) FROM singer WHERE age > {n}",
    }
    for n in range(20, 32)
]


def database(folder, *ages):
    path = folder / "made.sqlite"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute(DDL)
        connection.executemany(
            "INSERT INTO singer (name, age) VALUES ('A', ?)", [(a,) for a in ages]
        )
    connection.close()
    return path.read_bytes()


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def training_set():
    """Rows as the published training set has them; three of them hold a question of the evaluation."""
    rows = [
        {
            "prompt": f"List shop {n}",
            "context": f"CREATE TABLE shop_{n} (id INTEGER, city TEXT)",
            "answer": f"SELECT city FROM shop_{n}",
        }
        for n in range(57)
    ]
    rows += [
        {"prompt": each["question"], "context": DDL, "answer": each["query"]} for each in DEV[:3]
    ]
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


@contextmanager
def sources(folder):
    """Serve the three downloads, two of which fail at first."""
    with fault_server() as running:
        running.add_dataset("fahmiaziz/text2sql-dataset", {"data/train.parquet": training_set()})
        running.add("/spider", zipped({"spider_data/dev.json": json.dumps(DEV)}), Fault(status=503))
        suite = {
            f"database/music/{name}.sqlite": database(folder, *ages)
            for name, ages in {"music": (25, 30), "music_other": (21, 40, 41)}.items()
        }
        running.add("/suite", zipped(suite), Fault(cut_after=100))
        yield running


def make_project(target, server):
    folder = copy_project(target)
    config = yaml.safe_load((ROOT / "tests/tiny/config.yaml").read_text())
    config["downloads"] = {
        "text2sql": {
            "source": "huggingface",
            "repository": "fahmiaziz/text2sql-dataset",
            "revision": "main",
            "files": ["*.parquet"],
        },
        "spider": {"source": "http", "url": f"{server.url}/spider", "file": "spider_data.zip"},
        "suite": {
            "source": "http",
            "url": f"{server.url}/suite",
            "file": "testsuitedatabases.zip",
            "sha256": hashlib.sha256(server.files["/suite"]).hexdigest(),
        },
    }
    config["datasets"] |= {
        "text2sql": {
            "source": "files",
            "questions": "resources/downloads/text2sql",
            "format": "parquet",
            "columns": {"question": "prompt", "schema": "context", "sql": "answer"},
        },
        "spider_dev": {
            "source": "files",
            "questions": "resources/downloads/spider/spider_data/dev.json",
            "format": "spider",
            "databases": "resources/downloads/suite/database",
        },
    }
    config |= {"train_on": "text2sql", "test_on": "spider_dev"}
    config["decontamination"] = {"drop": ["exact_question"], "mark": ["sql"]}
    (folder / "config/first.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return folder


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server and a project whose prompts were made from it, both for tests that do not change them."""
    folder = tmp_path_factory.mktemp("served")
    with sources(folder) as server:
        project = make_project(folder / "project", server)
        done = run(project, server, *PROMPTS)
        assert done.returncode == 0, done.stdout
        yield project, server


@pytest.fixture
def finished(served, tmp_path):
    """A copy of the project whose prompts were made, for a test that changes it, and its server."""
    project, server = served
    return shutil.copytree(project, tmp_path / "finished"), server


@pytest.fixture
def new(tmp_path):
    """A project that has made nothing yet, and a server of its own."""
    with sources(tmp_path) as server:
        yield make_project(tmp_path / "project", server), server


def run(project, server, *arguments):
    config = ["--configfile", "config/first.yaml", "--replace-workflow-config"]
    return run_snakemake(project, "--cores", "2", *config, *arguments, HF_ENDPOINT=server.url)


PROMPTS = [f"resources/prompts/published/{split}.jsonl" for split in ("train", "test")]


def lines(project, name):
    return [json.loads(line) for line in (project / name).read_text().splitlines()]


def test_prompts_are_made_from_nothing_but_the_server(served):
    project, _ = served
    train, test = (lines(project, name) for name in PROMPTS)
    assert (len(train), len(test)) == (57, len(DEV))
    assert "CREATE TABLE shop_0 (id INTEGER, city TEXT)" in train[0]["messages"][1]["content"]
    assert train[0]["messages"][2]["content"] == "SELECT city FROM shop_0"
    assert "CREATE TABLE singer" in test[0]["messages"][1]["content"]
    facts = json.loads((project / "results/decontamination.json").read_text())
    assert facts["training_rows"] == {"seen": 60, "dropped": 3, "kept": 57}


def test_another_rule_of_decontamination_cleans_and_renders_again(finished):
    project, server = finished
    assert "Nothing to be done" in run(project, server, "-n", *PROMPTS).stdout
    path = project / "config/first.yaml"
    path.write_text(path.read_text().replace("- exact_question", "- folded_question"))
    done = run(project, server, "-n", *PROMPTS)
    assert "rule decontaminate" in done.stdout
    assert "rule render_prompts" in done.stdout
    assert "rule import_rows" not in done.stdout


# Of this and the next one tests/downloads/test_fetch.py has each fault of a server and the attempt after it, without a
# whole run.
@pytest.mark.slow
@pytest.mark.long
def test_what_was_downloaded_is_recorded_and_the_next_machine_gets_the_same(finished, monkeypatch):
    project, server = finished
    record = json.loads((project / "config/checksums/text2sql.json").read_text())
    assert record["commit"] == COMMIT
    for name in ("downloads", "datasets", "prompts", "decontaminated"):
        shutil.rmtree(project / "resources" / name)
    other = zipped({"spider_data/dev.json": json.dumps(DEV[:5])})
    monkeypatch.setitem(server.files, "/spider", other)
    done = run(project, server, *PROMPTS)
    assert done.returncode != 0
    assert "config/checksums/spider.json says" in done.stdout
    assert not (project / "resources/downloads/spider").exists()


@pytest.mark.slow
@pytest.mark.long
def test_a_run_that_lost_its_server_goes_on_when_it_is_back(new):
    project, server = new
    server.faults["/suite"] = [Fault(status=404)]
    done = run(project, server, *PROMPTS)
    assert done.returncode != 0
    assert "answers 404" in done.stdout
    before = len(server.asked("/spider"))
    done = run(project, server, *PROMPTS)
    assert done.returncode == 0, done.stdout
    assert len(server.asked("/spider")) == before


@pytest.mark.slow
def test_the_server_is_enough_for_a_ranking(finished):
    project, server = finished
    done = run(project, server, "results/report.md")
    assert done.returncode == 0, done.stdout
    assert "Which of 3 variants answers 12 questions" in (project / "results/report.md").read_text()
