"""Contexts through the workflow: plans by config, and one run with every kind of context but the large models."""

import json
import re

import pytest
import yaml

from conftest import ROOT, copy_project, run_snakemake
from tiny_embedder import save_embedder

TEMPLATE = "{schema}\n{values}\n{examples}\n{question}"
CONTEXTS = {
    "rich": {
        "schema": "ddl_values",
        "system": "",
        "user": TEMPLATE,
        "descriptions": {},
        "linking": {"budget": 900},
        "values": {"place": "block", "per_column": 2, "at_most": 6},
        "examples": {
            "method": "bm25",
            "by": "masked_question",
            "count": 3,
            "template": "commented_sql",
        },
    },
    "control": {
        "schema": "compact",
        "system": "Like these:\n{examples}",
        "user": "{schema}\n{question}",
        "examples": {"method": "random", "count": 2, "template": "reference_list"},
    },
}


def embedded(model):
    return {
        "schema": "prose",
        "system": "Like these:\n{examples}",
        "user": "{schema}\n{question}",
        "examples": {
            "method": "embedding",
            "by": "sql",
            "count": 2,
            "template": "reference_list",
            "embedding": {"model": str(model), "instruction": ""},
        },
    }


def project(tmp_path, contexts):
    folder = copy_project(tmp_path)
    config = yaml.safe_load((ROOT / "tests/tiny/config.yaml").read_text())
    config["contexts"] |= contexts
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


def snakemake(folder, *arguments):
    options = ["--configfile", "config.yaml", "--replace-workflow-config"]
    done = run_snakemake(folder, *arguments, *options)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def prompts(folder, context, split="test"):
    path = folder / f"resources/prompts/{context}/{split}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_only_embedding_plans_an_index_and_only_examples_plan_retrieval(tmp_path):
    folder = project(tmp_path, {**CONTEXTS, "near": embedded("resources/downloads/e")})
    hub = {"source": "huggingface", "type": "model", "repository": "a/b", "files": ["*"]}
    path = folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**config, "downloads": {"e": {**hub, "revision": "c" * 40}}}))
    plan = snakemake(folder, "-n", "resources/prompts/near/test.jsonl")
    assert "index_examples" in plan
    assert re.search(r"rule index_examples:\n +input: .*resources/downloads/e\b", plan)
    assert re.search(r"rule retrieve_examples:\n +input: .*resources/downloads/e\b", plan)
    assert re.search(r"rule fetch:\n(    .*\n)* +output: resources/downloads/e\b", plan)
    plan = snakemake(folder, "-n", "resources/prompts/rich/test.jsonl")
    assert "retrieve_examples" in plan
    assert "index_examples" not in plan
    plan = snakemake(folder, "-n", "resources/prompts/published/test.jsonl")
    assert "retrieve_examples" not in plan


@pytest.mark.slow
def test_every_kind_of_context_is_rendered_and_previewed(tmp_path):
    contexts = {**CONTEXTS, "near": embedded(save_embedder(tmp_path / "embedder"))}
    folder = project(tmp_path / "project", contexts)
    snakemake(folder, "--cores", "2", "results/preview.md", "resources/prompts/rich/train.jsonl")
    preview = (folder / "results/preview.md").read_text()
    for name in ("published", *contexts):
        assert f"| {name} | {len(prompts(folder, name))} |" in preview
        assert all(
            f"### {name}, {title}:" in preview for title in ("shortest", "median", "longest")
        )
    users = [row["messages"][0]["content"] for row in prompts(folder, "rich")]
    assert all(user.count("\n-- ") >= 3 for user in users)
    assert any(".name: '" in user or ": '" in user for user in users)
    systems = [row["messages"][0]["content"] for row in prompts(folder, "control")]
    assert all(text.count("<reference_item") == 2 for text in systems)
    systems = [row["messages"][0]["content"] for row in prompts(folder, "near")]
    assert all(text.count("<reference_item") == 2 for text in systems)
    for row in prompts(folder, "rich", "train"):
        *_, asked, answer = row["messages"]
        question = asked["content"].splitlines()[-1]
        assert f"-- {question}\n" not in asked["content"]
        assert answer["role"] == "assistant"
