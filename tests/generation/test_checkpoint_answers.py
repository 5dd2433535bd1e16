"""The program that judges checkpoints: it answers and scores as the programs of the workflow do."""

import json
import os
import shutil
import sqlite3
import subprocess

import pytest
import torch
from safetensors.torch import load_file, save_file

import toy_models
from sqladder.files import write_jsonl
from sqladder.models.network import checkpoint_weights

DECODING = {key: own for key, own in toy_models.GREEDY.items() if key != "max_new_tokens"}


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    return toy_models.learned_base(tmp_path_factory.mktemp("learned"))


@pytest.fixture
def validation(tmp_path):
    """Prompts, and the same questions on a database where each has an answer of its own."""
    prompts = toy_models.rows(24, with_answer=False)
    write_jsonl(tmp_path / "prompts.jsonl", prompts)
    examples = [
        {
            "id": row["id"],
            "db_id": "music",
            "question": f"older than {number}",
            "sql": f"SELECT name FROM singer WHERE age > {number}",
        }
        for number, row in enumerate(prompts)
    ]
    write_jsonl(tmp_path / "examples.jsonl", examples)
    (tmp_path / "databases/music").mkdir(parents=True)
    with sqlite3.connect(tmp_path / "databases/music/music.sqlite") as connection:
        connection.execute("CREATE TABLE singer(id, name, age)")
        connection.executemany(
            "INSERT INTO singer VALUES (?, ?, ?)", [(n, f"s{n}", n) for n in range(40)]
        )
    connection.close()
    return tmp_path


def judge_command(folder, base, **options):
    return toy_models.command(
        "judge_checkpoints.py",
        base_model=base,
        prompts=folder / "prompts.jsonl",
        examples=folder / "examples.jsonl",
        databases=folder / "databases",
        max_new_tokens=40,
        **DECODING | options,
    )


def judge(folder, base, *checkpoints, environment=None, **options):
    asked = "".join(f"{checkpoint}\n" for checkpoint in checkpoints)
    command = judge_command(folder, base, **options)
    own = os.environ | (environment or {})
    return subprocess.run(command, input=asked, capture_output=True, text=True, env=own)


def marks_by_the_workflow(folder, model):
    """Generate and score with the programs that a variant is asked and judged with."""
    options = {"prompts": folder / "prompts.jsonl", "max_new_tokens": 40, **DECODING}
    files = {"output": folder / "predictions.jsonl", "facts": folder / "facts.json"}
    done = toy_models.run("generate.py", model=model, **options, **files)
    assert done.returncode == 0, done.stdout
    done = toy_models.run(
        "score.py",
        examples=folder / "examples.jsonl",
        predictions=folder / "predictions.jsonl",
        databases=folder / "databases",
        variant="v",
        verdicts=folder / "verdicts.jsonl",
        rows=folder / "rows.jsonl",
        metrics=folder / "metrics.json",
    )
    assert done.returncode == 0, done.stdout
    rows = toy_models.read_lines(folder / "verdicts.jsonl")
    return "".join("1" if row["verdict"] == "correct" else "0" for row in rows)


@pytest.mark.slow
def test_a_checkpoint_is_judged_as_the_variant_will_be(learned, validation):
    lora = toy_models.train_options(validation, learned, epochs=1, save_steps=4, **toy_models.LORA)
    lora["data"] = toy_models.write_rows(validation / "train.jsonl", 40)
    done = toy_models.run("train.py", **lora)
    assert done.returncode == 0, done.stdout
    done = judge(validation, learned, learned, validation / "model")
    assert done.returncode == 0, done.stderr
    about, *marks = done.stdout.splitlines()
    about = json.loads(about)
    assert (about["databases"], len(set(about["groups"]))) == (1, 24)
    assert marks == [
        marks_by_the_workflow(validation, learned),
        marks_by_the_workflow(validation, validation / "model"),
    ]
    assert "1" in marks[0]


@pytest.mark.vllm
def test_one_vllm_judges_each_checkpoint_as_one_of_its_own_would(validation, tmp_path):
    """The questions are on one schema: the keys and values of one checkpoint's prompts would serve the next."""
    learned = toy_models.learned_base(tmp_path / "learned", **toy_models.FOR_VLLM)
    other = shutil.copytree(learned, tmp_path / "other")
    weights, generator = load_file(learned / "model.safetensors"), torch.Generator().manual_seed(1)
    # Nearly the same: it answers some of the questions.
    for tensor in weights.values():
        tensor.add_(0.02 * torch.randn(tensor.shape, generator=generator))
    save_file(weights, other / "model.safetensors", {"format": "pt"})
    others_options = {"SQLADDER_VLLM_OPTIONS": '{"gpu_memory_utilization": 0.3}'}
    by_vllm, by_transformers = (
        judge(validation, learned, learned, other, learned, environment=others_options, **options)
        for options in ({"engine": "vllm", "cache_folder": tmp_path / "cache"}, {})
    )
    assert by_vllm.returncode == by_transformers.returncode == 0, by_vllm.stderr
    about, *marks = by_vllm.stdout.splitlines()
    assert json.loads(about)["engine"] == "vllm"
    assert marks == by_transformers.stdout.splitlines()[1:]
    assert "1" in marks[0] and marks[0] != marks[1]


@pytest.mark.slow
def test_vllm_that_is_not_there_is_said(learned, validation):
    """The environment of the tests has none: transformers asks, and nothing of it is silent."""
    done = judge(validation, learned, learned, engine="vllm")
    about, marks = done.stdout.splitlines()
    assert (json.loads(about)["engine"], json.loads(about)["instead_of"]) == (
        "transformers",
        "vllm",
    )
    assert "asked by transformers, not by vLLM, which is not installed" in done.stderr
    assert "1" in marks


@pytest.mark.slow
def test_adapters_are_judged_merged(learned, validation):
    """A checkpoint of adapters gives the marks of the model that a training merges from it."""
    options = toy_models.train_options(
        validation,
        learned,
        epochs=1,
        choose="validation",
        checkpoints_per_epoch=1,
        keep_checkpoints=True,
        **toy_models.LORA,
    )
    done = toy_models.run("train.py", **options, judge=judge_command(validation, learned)[1:])
    assert done.returncode == 0, done.stdout
    (kept,) = (validation / "work/checkpoints").iterdir()
    assert (kept / "adapter_model.safetensors").is_file()
    merged = load_file(validation / "model/model.safetensors")
    in_memory = dict(checkpoint_weights(learned, kept))
    # The head is the embedding, which a file has once.
    assert in_memory.keys() - merged.keys() == {"lm_head.weight"}
    assert all(torch.equal(in_memory[name], merged[name]) for name in merged)
    done = judge(validation, learned, kept, validation / "model")
    _, adapters, merged = done.stdout.splitlines()
    assert adapters == merged
    (point,) = json.loads((validation / "train.json").read_text())["validation"]["points"]
    assert point["correct"] == adapters


@pytest.mark.slow
def test_prompts_of_other_questions_are_refused(learned, validation):
    shutil.copy(validation / "prompts.jsonl", validation / "all.jsonl")
    lines = (validation / "all.jsonl").read_text().splitlines(keepends=True)
    (validation / "prompts.jsonl").write_text("".join(lines[1:]))
    done = judge(validation, learned)
    assert done.returncode == 1
    assert "lacks 1 of 24 ids, first 'q0'" in done.stderr
