"""What the config's checks say about downloads, data sets and decontamination."""

import copy
import shutil

import pytest

from conftest import ROOT
from sqladder.errors import InputError
from sqladder.experiment.config import check
from sqladder.experiment.paths import needed_file
from sqladder.experiment.reading import read_yaml

DEFAULT = read_yaml(ROOT / "config/config.yaml")
URL = {"source": "http", "url": "https://example.org/a", "file": "a.zip"}
HUB = {"source": "huggingface", "repository": "a/b", "revision": "main", "files": ["*.parquet"]}


@pytest.fixture
def config(tmp_path):
    changed = copy.deepcopy(DEFAULT)
    for name in ("q.csv", "db.sqlite"):
        (tmp_path / name).touch()
    changed["datasets"]["mine"] = {
        "source": "files",
        "questions": str(tmp_path / "q.csv"),
        "format": "csv",
        "databases": str(tmp_path / "db.sqlite"),
        "gold_problems": {"failing": "drop", "empty": "keep", "slow": "stop"},
        "split": {"by": "question", "validation": 0.2, "test": 0.3},
    }
    changed["datasets"]["rows"] = {
        "source": "files",
        "questions": "resources/downloads/hub/train.parquet",
        "format": "parquet",
        "columns": {"question": "prompt", "schema": "context", "sql": "answer"},
        "incomplete_rows": "drop",
    }
    changed["downloads"] = {"hub": dict(HUB), "web": {**URL, "sha256": "0" * 64}}
    changed["decontamination"] = {"drop": ["exact_question"], "mark": ["sql", "schema"]}
    changed |= {"train_on": "rows", "test_on": "mine", "test_split": "validation"}
    return changed


def test_every_kind_of_source_passes(config):
    check(config)


def change(*path, to):
    def apply(config):
        *parents, last = path
        for key in parents:
            config = config[key]
        if to is None:
            del config[last]
        else:
            config[last] = to

    return apply


MINE, ROWS = ("datasets", "mine"), ("datasets", "rows")


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (change(*MINE, "format", to="xlsx"), ["datasets.mine.format", "'xlsx'", "jsonl, csv"]),
        (change(*MINE, "columns", to={"quesiton": "q"}), ["columns", "did you mean question?"]),
        (change(*MINE, "databases", to=None), ["datasets.mine", "gold_problems", "remove it"]),
        (change(*MINE, "databases", to="none.db"), ["datasets.mine.databases", "'none.db'"]),
        (
            change(*MINE, "databases", to="postgresql://me:hush@server/db"),
            ["datasets.mine.databases", "holds a password", "PGPASSWORD"],
        ),
        (change(*MINE, "split", "test", to=0.9), ["datasets.mine.split", "nothing for training"]),
        (change(*MINE, "split", "by", to="table"), ["split.by", "'table'", "database, question"]),
        (change(*MINE, "split", "validation", to=0), ["test_split", "no validation split"]),
        (change(*MINE, "gold_problems", "slow", to=None), ["gold_problems", "lacks slow"]),
        (change(*ROWS, "columns", "schema", to=None), ["datasets.rows", "columns.schema"]),
        (change("test_on", to="rows"), ["test_on: 'rows' has no databases"]),
        (change("downloads", "hub", to=None), ["datasets.rows.questions", "no entry 'hub'"]),
        (change("downloads", "web", "url", to="ftp://a/b"), ["downloads.web.url", "http://"]),
        (change("downloads", "web", "file", to="../a.zip"), ["web.file", "plain file name"]),
        (change("downloads", "web", "sha256", to="ABC"), ["web.sha256", "64 lower-case"]),
        (change("downloads", "web", "revision", to="main"), ["web.revision", "remove it"]),
        (change("downloads", "hub", "repository", to="b"), ["hub.repository", "owner/name"]),
        (change("downloads", "hub", "files", to=[]), ["downloads.hub.files"]),
        (change("downloads", "hub", "folder", to="none"), ["downloads.hub.folder", "'none'"]),
        (
            change("decontamination", "mark", to=["exact_question"]),
            ["decontamination.mark", "once"],
        ),
        (
            change("base_model", to={"source": "folder", "path": "resources/downloads/qwen3"}),
            ["base_model.path", "no entry 'qwen3'"],
        ),
        (change("decontamination", "drop", to=["fuzzy"]), ["decontamination.drop", "'fuzzy'"]),
    ],
)
def test_a_wrong_entry_is_refused_naming_key_value_and_way_out(config, spoil, parts):
    spoil(config)
    with pytest.raises(InputError) as error:
        check(config)
    assert [part for part in parts if part not in str(error.value)] == []
    assert "hush" not in str(error.value)


def test_a_path_in_a_download_needs_the_whole_download():
    assert (
        needed_file("resources/downloads/spider/spider_data/dev.json")
        == "resources/downloads/spider"
    )
    assert needed_file("my/dev.json") == "my/dev.json"
    assert needed_file("postgresql://server/db") == []


def test_an_environment_variable_may_name_a_file_or_a_url(monkeypatch):
    monkeypatch.setenv("WHERE", "postgresql://server/db")
    assert needed_file("$WHERE") == []
    monkeypatch.setenv("WHERE", "/data")
    assert needed_file("$WHERE/q.csv") == "/data/q.csv"


def trained_on_the_test(config):
    config |= {"train_on": "mine", "test_on": "mine", "test_split": "test"}
    del config["datasets"]["mine"]["split"]
    return config


def test_what_is_tested_is_not_trained_on(config):
    with pytest.raises(InputError) as error:
        check(trained_on_the_test(config))
    said = str(error.value)
    assert "test_on: 'mine' is train_on too and has no split" in said
    assert "add datasets.mine.split: {by: question" in said
    config["variants"] = {"baseline": {"method": "none"}}
    check(config)


@pytest.mark.parametrize("kind", ["same", "copy", "link", "folder"])
def test_a_second_name_for_the_same_questions_does_not_help(config, tmp_path, kind):
    questions = tmp_path / "q.csv"
    questions.write_text("question,sql\nHow many?,SELECT 1\n")
    other = {"same": questions, "folder": tmp_path}.get(kind, tmp_path / "other.csv")
    if kind == "copy":
        shutil.copyfile(questions, other)
    if kind == "link":
        other.symlink_to(questions)
    config["datasets"]["again"] = {**config["datasets"]["mine"], "questions": str(other)}
    config |= {"train_on": "again", "test_on": "mine"}
    with pytest.raises(
        InputError, match=r"test_on: the questions of 'mine' .* are those of train_on, 'again'"
    ):
        check(config)
    if kind == "copy":
        other.write_text("question,sql\nHow few?,SELECT 1\n")
        check(config)
