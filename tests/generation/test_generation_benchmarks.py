"""benchmarks/generation_speed.py keeps what succeeds; benchmarks/spider_prompts.py renders every question."""

import importlib.util
import json
import subprocess
import sys

import pytest

import toy_models
from conftest import ROOT


def run(program, **options):
    words = [f"--{name.replace('_', '-')}" for name in options]
    values = [v if isinstance(v, list) else [v] for v in options.values()]
    flags = [
        str(part) for word, value in zip(words, values, strict=True) for part in (word, *value)
    ]
    command = [sys.executable, str(ROOT / "benchmarks" / program), *flags]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="vLLM is installed")
def test_a_setting_that_fails_is_named_and_loses_no_other(tmp_path):
    done = run(
        "generation_speed.py",
        model=toy_models.save_base(tmp_path / "model"),
        prompts=toy_models.write_rows(tmp_path / "test.jsonl", 5, with_answer=False),
        output=tmp_path / "speed",
        max_new_tokens=4,
        only=["cold cache", "transformers"],
    )
    assert done.returncode == 0, done.stdout
    assert "the engine vllm needs a package that is not installed here (vllm)" in done.stdout
    assert "Traceback" not in done.stdout
    table = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[0] for line in table] == [
        "| setting",
        "| cold cache",
        "| transformers",
    ]
    assert "| status 1, see" in table[1]
    results = json.loads((tmp_path / "speed/generation_speed.json").read_text())
    assert results["transformers"]["prompts"] == 5


@pytest.mark.vllm
def test_an_adapter_gives_the_same_text_merged_as_served_beside_its_base(tmp_path):
    done = run(
        "generation_speed.py",
        # vLLM's attention on CPU takes heads of 32 numbers and more.
        model=toy_models.save_base(tmp_path / "model", hidden_size=64),
        prompts=toy_models.write_rows(tmp_path / "test.jsonl", 20, with_answer=False),
        output=tmp_path / "speed",
        max_new_tokens=12,
        only=["adapter merged", "adapter served"],
        limit_s=600,
        minutes=20,
    )
    assert done.returncode == 0, done.stdout
    results = json.loads((tmp_path / "speed/generation_speed.json").read_text())
    assert results["adapter served"]["prompts"] == 20
    compared = results["adapter served"]["compared"]
    assert (compared["with"], compared["different"]) == ("adapter merged", 0), compared


def test_every_question_of_spider_has_a_prompt_with_its_schema(spider, tmp_path):
    done = run("spider_prompts.py", output=tmp_path / "prompts.jsonl")
    assert done.returncode == 0, done.stdout
    rows = toy_models.read_lines(tmp_path / "prompts.jsonl")
    questions = toy_models.read_lines(spider / "dev.jsonl")
    assert [row["id"] for row in rows] == [row["id"] for row in questions]
    made = [
        row["messages"][-1]["content"]
        for row, question in zip(rows, questions, strict=True)
        if question["db_id"] == "wta_1"
    ]
    assert len(made) == 62
    for text in made:
        assert "CREATE TABLE matches" in text
        assert "loser_id INTEGER REFERENCES players (player_id)" in text
