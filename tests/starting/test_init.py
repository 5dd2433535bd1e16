"""`sqladder init`: what a user has becomes a config that the workflow takes, and nothing is overwritten."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
import yaml

from conftest import ROOT, run_snakemake
from sqladder.cli import parse_arguments
from sqladder.errors import InputError
from sqladder.experiment.config import check
from sqladder.starting import found_machine, init_command
from sqladder.starting.chosen_settings import choose_split, choose_training
from sqladder.starting.found_data import (
    FoundDatabases,
    FoundQuestions,
    look_at_databases,
    look_at_questions,
)
from sqladder.starting.found_machine import FoundBase, look_at_base


def make_database(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bread (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
        connection.execute("INSERT INTO bread VALUES (1, 'rye', 3.5)")
        connection.commit()


def pairs(count, **more):
    return [
        {"question": f"Costs it {n}?", "sql": f"SELECT name FROM bread WHERE price > {n}", **more}
        for n in range(count)
    ]


def write_questions(path, rows):
    text = json.dumps(rows) if path.suffix == ".json" else "\n".join(map(json.dumps, rows))
    if path.suffix == ".csv":
        lines = [row.keys() for row in rows[:1]] + [row.values() for row in rows]
        text = "\n".join(",".join(line) for line in lines)
    path.write_text(text)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    make_database(tmp_path / "bakery.db")
    write_questions(tmp_path / "asked.csv", pairs(20))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return tmp_path


def init(*words):
    arguments = parse_arguments(["init", *map(str, words)])
    assert arguments.command.run(arguments) == 0


HAS = ("--database", "bakery.db", "--questions", "asked.csv")


def test_a_toy_config_is_written_told_and_planned(folder, capsys):
    init(*HAS, "--model", "toy")
    told = capsys.readouterr().out
    assert "questions: 20 about 1 database, format csv" in told
    assert "split: by question, about 10 for training, 4 for validation, 6 for the test" in told
    commands = [line.split("#")[0].split() for line in told.splitlines() if line.startswith("    ")]
    assert [line[:2] for line in commands] == [["sqladder", "run"]] * 2
    assert "results/" in (folder / ".gitignore").read_text()
    done = run_snakemake(folder, "-n", "--snakefile", str(ROOT / "Snakefile"))
    assert done.returncode == 0, done.stdout
    assert {"make_suite", "train_base", "write_report"} <= set(done.stdout.split())


def test_nothing_is_overwritten(folder):
    init(*HAS, "--model", "toy")
    before = (folder / "config/config.yaml").read_text()
    with pytest.raises(InputError, match=r"is there already and is not overwritten: .*--folder"):
        init(*HAS, "--model", "toy")
    assert (folder / "config/config.yaml").read_text() == before
    (folder / "other").mkdir()
    (folder / "other/.gitignore").write_text("mine\n")
    init(*HAS, "--model", "toy", "--folder", "other")
    assert (folder / "other/.gitignore").read_text() == "mine\n"
    # Seen from there, the files lie outside.
    config = yaml.safe_load((folder / "other/config/config.yaml").read_text())
    assert config["datasets"]["bakery"]["questions"] == str(folder / "asked.csv")


@pytest.mark.parametrize("model", ["Qwen/Qwen3-0.6B", "someone/nameless", "Qwen/Qwen3-8B"])
@pytest.mark.parametrize("gpus", [0, 2])
def test_a_config_for_any_model_and_machine_is_sound(folder, monkeypatch, model, gpus):
    monkeypatch.setattr(init_command, "count_gpus", lambda: (gpus, "NVIDIA H100"))
    init(*HAS, "--model", model)
    config = yaml.safe_load((folder / "config/config.yaml").read_text())
    check(config)
    assert config["downloads"]["base"]["repository"] == model
    assert ("full" in config["variants"]) == ("8B" not in model)


def test_what_is_not_named_is_asked_for(folder, monkeypatch, capsys):
    answers = iter(["bakery.db", "asked.csv", ""])
    monkeypatch.setattr(init_command, "_read_line", lambda question: next(answers))
    monkeypatch.setattr(sys, "stdin", type("Terminal", (), {"isatty": lambda self: True})())
    init()
    assert (
        yaml.safe_load((folder / "config/config.yaml").read_text())["base_model"]["source"] == "toy"
    )


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("null.sqlite", "my_null"),
        ("demo.db", "my_demo"),
        ("2026 Läden: Köln.sqlite", "my_2026_l_den_k_ln"),
        ("#x.sqlite", "x"),
    ],
)
def test_any_name_of_a_file_gives_a_config_that_can_be_read(folder, file, name):
    make_database(folder / file)
    asked = write_questions(folder / f"- {file}: #.jsonl", pairs(12))
    init("--database", file, "--questions", asked, "--model", "toy")
    config = yaml.safe_load((folder / "config/config.yaml").read_text())
    check(config)
    assert config["test_on"] == name
    assert config["datasets"][name]["databases"] == file


def test_without_a_terminal_the_missing_option_is_named(folder):
    command = [sys.executable, "-m", "sqladder.cli", "init", "--database", "bakery.db"]
    done = subprocess.run(
        command,
        env={"PYTHONPATH": str(ROOT / "workflow/scripts"), "PATH": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == "error: --questions is missing, and there is no terminal to ask at\n"
    assert not (folder / "config").exists()


@pytest.mark.parametrize(
    ("name", "keys", "form", "columns"),
    [
        ("a.csv", {}, "csv", {}),
        (
            "a.csv",
            {"question": "utterance", "sql": "query"},
            "csv",
            {"question": "utterance", "sql": "query"},
        ),
        ("a.jsonl", {"sql": "answer"}, "jsonl", {"sql": "answer"}),
        ("a.json", {"sql": "query"}, "spider", {}),
        ("a.json", {"sql": "SQL"}, "bird", {}),
    ],
)
def test_formats_and_columns_are_told_by_the_file(folder, name, keys, form, columns):
    rows = [{keys.get(key, key): value for key, value in row.items()} for row in pairs(12)]
    found = look_at_questions(write_questions(folder / name, rows), look_at_databases("bakery.db"))
    assert (found.form, dict(found.columns), found.count) == (form, columns, 12)


def test_several_databases_are_split_by_database(folder):
    for number in range(12):
        make_database(folder / f"many/d{number}/d{number}.sqlite")
    make_database(folder / "many/d0/d0_v1.sqlite")
    databases = look_at_databases("many")
    assert (len(databases.names), databases.has_suites) == (12, True)
    rows = [row for n in range(12) for row in pairs(3, database=f"d{n}")]
    questions = look_at_questions(write_questions(folder / "q.jsonl", rows), databases)
    assert questions.columns == {"db_id": "database"}
    assert choose_split(questions).by == "database"
    init("--database", "many", "--questions", "q.jsonl", "--model", "a/b-1.7B")
    check(yaml.safe_load((folder / "config/config.yaml").read_text()))


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        (pairs(4), "4 different questions: too few"),
        (
            [{"ask": "a", "say": "b"}],
            "no column that is likely to hold the question; it has 'ask', 'say'",
        ),
        ([], "holds no question"),
    ],
)
def test_questions_that_cannot_be_used_are_refused(folder, rows, error):
    path = write_questions(folder / "bad.jsonl", rows)
    with pytest.raises(InputError, match=error):
        init("--database", "bakery.db", "--questions", path, "--model", "toy")
    assert not (folder / "config").exists()


def test_questions_about_a_database_that_is_not_there_are_refused(folder):
    path = write_questions(folder / "bad.jsonl", pairs(12, db_id="shop"))
    with pytest.raises(InputError, match="12 questions are about 'shop', which is no database in"):
        init("--database", "bakery.db", "--questions", path, "--model", "toy")


def test_a_server_is_named_without_its_password(folder):
    with pytest.raises(InputError, match="password"):
        init("--database", "postgresql://u:secret@h/shop", "--questions", "asked.csv")
    init("--database", "postgresql://u@h/shop", "--questions", "asked.csv", "--model", "toy")
    check(yaml.safe_load((folder / "config/config.yaml").read_text()))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Qwen/Qwen3-0.6B", 6e8),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", 1.35e8),
        ("a/llama-3.1-8b", 8e9),
    ],
)
def test_the_size_of_a_model_is_read_off_its_name(name, parameters):
    assert look_at_base(name) == FoundBase(name, "hub", round(parameters))


def test_the_size_of_a_folder_is_read_off_its_weights(folder):
    numpy = pytest.importorskip("numpy")
    from safetensors.numpy import save_file

    base = folder / "base"
    base.mkdir()
    (base / "config.json").write_text("{}")
    save_file({"a": numpy.zeros((3, 5), "float32")}, base / "model.safetensors")
    assert look_at_base(str(base)) == FoundBase(str(base), "folder", 15, has_template=False)


@pytest.mark.parametrize("name", ["nowhere", "a/b/c", "a b/c"])
def test_a_model_that_is_none_is_refused(folder, name):
    with pytest.raises(InputError, match="there is no model"):
        look_at_base(name)
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match="holds no checkpoint"):
        look_at_base("empty")


def test_batch_epochs_and_packing_follow_model_data_and_machine():
    databases = FoundDatabases("x", "sqlite", ("x",), False, 20_000)
    small, large = FoundBase("s", "hub", 135_000_000), FoundBase("l", "hub", 8 * 10**9)
    few, many = (choose_training(small, databases, rows, 1) for rows in (60, 7000))
    assert (few.packing_length, many.packing_length) == (0, 4096)
    assert few.epochs > many.epochs >= 3
    assert choose_training(large, databases, 7000, 1).gradient_checkpointing
    assert not choose_training(small, databases, 7000, 0).packing_length
    # A schema of 20,000 characters does not fit into a thousand tokens.
    assert few.cutoff_length > 4096


def test_a_driver_that_does_not_answer_is_no_gpu(monkeypatch):
    def fail():
        raise InputError("nvidia-smi failed")

    monkeypatch.setattr(found_machine, "installed_devices", fail)
    assert found_machine.count_gpus() == (0, "")


def test_large_data_give_a_smaller_share_to_the_test(folder):
    few, many = (
        choose_split(FoundQuestions(folder, "csv", {}, count, count, 0, {"x": count}))
        for count in (100, 5000)
    )
    assert few.test > many.test
    assert sum(many.counts) == 5000
