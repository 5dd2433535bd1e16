"""What a config may ask for where answers are judged in the engine of the data."""

import copy

import duckdb
import pytest
import yaml

from conftest import ROOT
from sqladder.errors import InputError
from sqladder.experiment import context_jobs, data_jobs, native_jobs
from sqladder.experiment.config import check


@pytest.fixture
def config(tmp_path):
    """A config on a DuckDB file, on which nothing is wrong."""
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE a (b INTEGER)")
    (tmp_path / "shop.jsonl").write_text("")
    found = yaml.safe_load((ROOT / "tests/tiny/config.yaml").read_text())
    questions = str(tmp_path / "shop.jsonl")
    found["datasets"]["shop"] = {
        "source": "files",
        "questions": questions,
        "databases": str(path),
        "split": {"by": "question", "validation": 0.1, "test": 0.3},
    }
    found |= {"train_on": "shop", "test_on": "shop"}
    found["scoring"]["engine"] = "native"
    return found


def test_a_duckdb_file_can_be_judged_in_duckdb(config):
    check(config)
    source = config["datasets"]["shop"]["databases"]
    assert native_jobs.source_flags(config) == [f"--source={source}"]
    assert native_jobs.dialect_flags(config) == ["--dialect=duckdb"]
    assert "--native" in data_jobs.gold_flags(config, "shop")
    assert "--ambiguity" not in data_jobs.gold_flags(config, "shop")
    native_jobs.check_role(config)


def test_suites_are_made_for_the_engine_of_the_data(config):
    config["datasets"]["shop"]["suite"] = {"files": 5}
    check(config)
    source = config["datasets"]["shop"]["databases"]
    assert f"--source={source}" in data_jobs.suite_flags(config, "shop")
    assert native_jobs.native_file(config, "shop") == source
    del config["scoring"]["engine"]
    assert not any("--source" in flag for flag in data_jobs.suite_flags(config, "shop"))
    assert native_jobs.native_file(config, "shop") == []


def test_without_the_key_everything_is_as_before(config):
    del config["scoring"]["engine"]
    check(config)
    without = data_jobs.gold_flags(config, "shop"), data_jobs.scoring_flags(config, "shop")
    config["scoring"]["engine"] = "sqlite"
    written = data_jobs.gold_flags(config, "shop"), data_jobs.scoring_flags(config, "shop")
    assert without == written
    assert native_jobs.source_flags(config) == native_jobs.native_flag(config, "shop") == []


def demo(c):
    c["test_on"] = "demo"


def sqlite_file(c):
    c["datasets"]["shop"]["databases"] = "README.md"


def quirks(c):
    c["scoring"]["quirks"] = "official"


def suite_in_mysql(c):
    c["datasets"]["shop"] |= {"suite": {"files": 5}, "databases": "mysql://reader@127.0.0.1/shop"}


def repair(c):
    c["decoding"]["repair"] = {"rounds": 1}
    c["contexts"]["published"]["repair_turn"] = "{error}"


def vote(c):
    c["decoding"] |= {"choose": "vote", "samples": 4, "temperature": 0.5}


def grammar(c):
    c["decoding"]["grammar"] = "schema"


def canonical(c):
    c["contexts"]["published"]["answers"] = "canonical"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (demo, ["scoring.engine: native needs a DuckDB file", "datasets.demo.databases"]),
        (sqlite_file, ["scoring.engine: native needs a DuckDB file"]),
        (quirks, ["scoring.quirks: official", "leave quirks out"]),
        (suite_in_mysql, ["datasets.shop.suite", "remove one of both"]),
        (repair, ["variants.full: decoding.repair executes answers on the SQLite copy"]),
        (vote, ["variants.full: decoding.choose: vote", "choose first or likeliest"]),
        (grammar, ["variants.full: decoding.grammar is that of SQLite"]),
        (canonical, ["contexts.published.answers: canonical", "leave answers out"]),
    ],
)
def test_what_only_sqlite_can_is_refused_with_the_way_out(config, change, words):
    changed = copy.deepcopy(config)
    change(changed)
    with pytest.raises(InputError) as error:
        check(changed)
    for word in words:
        assert word in str(error.value)


def test_a_database_that_cannot_be_opened_is_refused_before_any_job(config, tmp_path):
    damaged = tmp_path / "shop.duckdb"
    damaged.write_bytes(damaged.read_bytes()[:16] + b"\0" * 5000)
    with pytest.raises(InputError, match=r"shop\.duckdb is not a readable DuckDB database"):
        native_jobs.check_role(config)


def test_contexts_name_the_dialect(config):
    config["contexts"]["published"]["user"] = "{dialect} {schema} {question}"
    check(config)
    assert context_jobs.prompt_flags(config, "published", "test")
