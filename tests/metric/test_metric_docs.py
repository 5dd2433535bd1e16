"""The page on the metric names what the program has, and its example runs."""

import re
import sqlite3

import pytest
from test_metric_fuzz import VERDICTS

from conftest import ROOT
from sqladder.metric import __all__ as public_names
from sqladder.metric import command
from sqladder.metric.normalise import REPAIRS
from sqladder.metric.reasons import SENTENCES

PAGE = (ROOT / "docs" / "metric.md").read_text()


def score_options() -> list[str]:
    import argparse

    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return sorted(set(re.findall(r"--[\w-]+", parser.format_help())))


@pytest.mark.parametrize("option", [o for o in score_options() if o != "--help"])
def test_every_option_is_described(option):
    assert f"`{option}" in PAGE or f" {option} " in PAGE


@pytest.mark.parametrize("name", [*REPAIRS, *sorted(VERDICTS), "gold_error"])
def test_every_repair_and_verdict_is_described(name):
    assert f"| `{name}` |" in PAGE


@pytest.mark.parametrize("name", public_names)
def test_every_public_name_is_described(name):
    assert re.search(rf"\b{name}\b", PAGE)


def test_the_python_example_runs(tmp_path, monkeypatch):
    (tmp_path / "databases" / "pets").mkdir(parents=True)
    with sqlite3.connect(tmp_path / "databases" / "pets" / "pets.sqlite") as connection:
        connection.execute("create table pet(name, age)")
    connection.close()
    for name in ("gold.sql", "lora.sql", "full.sql"):
        (tmp_path / name).write_text("select count(*) from pet\tpets\n")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    example = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL).group(1)
    said = re.findall(r"^(.+?) {2,}# ('?\w+)", example, re.MULTILINE)
    exec(example, names)
    assert [str(eval(code, names)) for code, _ in said] == [text.strip("'") for _, text in said]
    assert len(said) == 3


@pytest.mark.parametrize("reason", SENTENCES)
def test_every_reason_is_in_the_table_of_reasons(reason):
    table = PAGE.partition("| reason |")[2].partition("\n\n")[0]
    assert f"`{reason}`" in table
