"""Context entries: checked before a run, turned into flags, documented as they are."""

import copy
import re
from typing import Literal, get_args

import pytest
import yaml

from conftest import ROOT
from sqladder.errors import InputError
from sqladder.experiment.config import check
from sqladder.experiment.context_jobs import (
    context_flags,
    embedding_model,
    retrieval_flags,
    retrieval_models,
)
from sqladder.experiment.reading import read_yaml
from sqladder.experiment.report_jobs import files_that_made_the_run
from sqladder.prompts.schema_forms import FORMS
from sqladder.prompts.settings import SchemaForm
from sqladder.retrieval.keys import KEYS
from sqladder.retrieval.references import TEMPLATES
from sqladder.retrieval.settings import Choice, Key, Template
from sqladder.settings.kinds import kind_of

DEFAULT = read_yaml(ROOT / "config/config.yaml")
EMBEDDING = {"model": "resources/downloads/embedder", "instruction": "Find similar questions"}
RERANK = {
    "model": "resources/downloads/reranker",
    "instruction": "Same query shape",
    "candidates": 20,
}
HUB = {"source": "huggingface", "type": "model", "revision": "c" * 40, "files": ["*"]}
DOWNLOADS = {
    "spider": {"source": "http", "url": "http://x/y.zip", "file": "y.zip"},
    "embedder": {**HUB, "repository": "Qwen/Qwen3-Embedding-0.6B"},
    "reranker": {**HUB, "repository": "Qwen/Qwen3-Reranker-0.6B"},
}


def context(**entries):
    return {"schema": "ddl", "system": "", "user": "{schema}{question}", **entries}


def problems(entry, **changes):
    config = copy.deepcopy(DEFAULT) | changes
    config["contexts"]["mine"] = entry
    try:
        check(config)
    except InputError as error:
        return str(error)
    return ""


def examples(**entries):
    return {"method": "bm25", "by": "question", "count": 4, "template": "reference_list", **entries}


@pytest.mark.parametrize(
    "entry",
    [
        context(),
        context(user="{examples}{schema}{values}{question}{evidence}", examples=examples())
        | {"values": {"place": "block", "per_column": 3, "at_most": 10}},
        context(system="Like these: {examples}", examples=examples()),
        context(values={"place": "in_schema", "per_column": 3, "at_most": 10}),
        context(linking={"budget": 2000}, descriptions={}),
        context(descriptions={"tables": "resources/downloads/spider/tables.json"}),
        context(
            user="{schema}{examples}{question}",
            examples=examples(method="embedding_rerank", embedding=EMBEDDING, rerank=RERANK),
        ),
    ],
)
def test_a_whole_entry_is_accepted(entry):
    config = copy.deepcopy(DEFAULT)
    config["downloads"] = DOWNLOADS
    config["contexts"]["mine"] = entry
    check(config)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (context(schema="ddl_value"), "did you mean ddl_values"),
        (context(user="{schema}"), "placeholders"),
        (context(user="{schema}{question}{examples}"), "no entry `examples`"),
        (context(user="{schema}{question}{values}"), "place: block"),
        (context(system="{examples}"), "no entry `examples`"),
        (context(examples=examples()), "`examples` has no place"),
        (
            context(values={"place": "block", "per_column": 1, "at_most": 1}),
            "`values` has no place",
        ),
        (context(descriptions={"tables": "nowhere.json"}), "'nowhere.json'"),
        (context(linking={"budget": 0}), "linking.budget"),
        (context(system="{examples}", examples=examples(method="random")), "examples.by"),
        (context(system="{examples}", examples=examples(method="embedding")), "lacks embedding"),
        (
            context(system="{examples}", examples=examples(embedding=EMBEDDING)),
            "examples.embedding",
        ),
        (
            context(
                system="{examples}",
                examples=examples(
                    method="embedding_rerank",
                    embedding=EMBEDDING,
                    rerank={**RERANK, "candidates": 3},
                ),
            ),
            "3 are fewer than count 4",
        ),
    ],
)
def test_what_does_not_fit_together_is_named_before_a_run(entry, message):
    assert message in problems(entry)


def test_an_entry_becomes_the_flags_of_its_programs():
    entry = context(
        schema="m_schema",
        system="{examples}",
        linking={"budget": 900},
        descriptions={"tables": "t.json"},
        values={"place": "in_schema", "per_column": 2, "at_most": 5},
        examples=examples(method="embedding_rerank", embedding=EMBEDDING, rerank=RERANK),
    )
    assert set(context_flags(entry)) == {
        "--schema=m_schema",
        "--system={examples}",
        "--user={schema}{question}",
        "--descriptions",
        "--descriptions-tables=t.json",
        "--linking-budget=900",
        "--values-place=in_schema",
        "--values-per-column=2",
        "--values-at-most=5",
        "--examples-template=reference_list",
    }
    config = copy.deepcopy(DEFAULT)
    config["contexts"]["mine"] = entry
    assert {flag for flag in retrieval_flags(config, "mine", "test") if "index" not in flag} == {
        "--method=embedding_rerank",
        "--by=question",
        "--count=4",
        f"--embedding-model={EMBEDDING['model']}",
        f"--embedding-instruction={EMBEDDING['instruction']}",
        f"--rerank-model={RERANK['model']}",
        f"--rerank-instruction={RERANK['instruction']}",
        "--rerank-candidates=20",
    }
    assert len(context_flags(context())) == 3


def near(model, **more):
    return context(
        user="{schema}{examples}{question}",
        examples=examples(method="embedding", embedding={**EMBEDDING, "model": model, **more}),
    )


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        ("nowhere", ["no file or folder 'nowhere' in ", "where the run was started"]),
        ("Qwen/Qwen3-Embedding-0.6B", ["no folder", "downloads", "type: model", "revision"]),
        ("resources/downloads/other", ["downloads has no entry 'other'"]),
        ("$NOT_SET/model", ["environment variable that is not set"]),
    ],
)
@pytest.mark.parametrize("section", ["embedding", "rerank"])
def test_a_model_that_is_not_there_is_refused_before_any_job(section, model, parts):
    entry = near("resources/downloads/embedder")
    entry["examples"]["method"] = "embedding_rerank"
    entry["examples"]["rerank"] = RERANK
    entry["examples"][section] = {**entry["examples"][section], "model": model}
    said = problems(entry, downloads=DOWNLOADS)
    assert f"contexts.mine.examples.{section}.model" in said
    assert [part for part in parts if part not in said] == []


def test_a_server_with_a_password_is_refused_without_it():
    said = problems(
        near("resources/downloads/embedder", uri="http://me:hush@h:1"), downloads=DOWNLOADS
    )
    assert "contexts.mine.examples.embedding.uri: holds a user, a password" in said
    assert "hush" not in said


def test_the_models_of_a_search_are_fetched_and_recorded():
    config = copy.deepcopy(DEFAULT) | {"downloads": DOWNLOADS, "context": "mine"}
    config["contexts"]["mine"] = context(
        user="{schema}{examples}{question}",
        examples=examples(method="embedding_rerank", embedding=EMBEDDING, rerank=RERANK),
    )
    models = [EMBEDDING["model"], RERANK["model"]]
    assert retrieval_models(config, "mine") == models
    assert embedding_model(config, "mine") == models[:1]
    assert retrieval_models(config, "published") == []
    assert set(models) <= set(files_that_made_the_run(config))
    config["context"] = "published"
    assert not set(models) & set(files_that_made_the_run(config))


def test_a_model_may_be_named_by_an_environment_variable(monkeypatch):
    monkeypatch.setenv("MODELS", "/models")
    config = copy.deepcopy(DEFAULT)
    entry = examples(method="embedding", embedding={**EMBEDDING, "model": "$MODELS/e"})
    config["contexts"]["mine"] = context(system="{examples}", examples=entry)
    assert "--embedding-model=/models/e" in retrieval_flags(config, "mine", "test")


def test_the_entries_of_the_documentation_pass_the_check():
    text = (ROOT / "docs/contexts.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        found = yaml.safe_load(block)
        (entry,) = found["contexts"].values()
        assert problems(entry, downloads=found.get("downloads", {})) == ""


def test_the_documentation_names_every_form_method_and_template():
    text = (ROOT / "docs/contexts.md").read_text()
    methods = kind_of(Choice).fields()["method"]
    declared = {
        SchemaForm: FORMS,
        Template: TEMPLATES,
        Key: KEYS,
        Literal[tuple(tag for method in methods for tag in method.choices)]: None,
    }
    for choices, table in declared.items():
        names = get_args(choices)
        assert [n for n in names if f"`{n}`" not in text and f": {n}`" not in text] == []
        assert table is None or sorted(table) == sorted(names)


def test_masking_needs_databases_of_the_training_data(tmp_path):
    (tmp_path / "rows.jsonl").touch()
    rows = {"source": "files", "questions": str(tmp_path / "rows.jsonl")}
    rows["columns"] = {"question": "prompt", "sql": "answer", "schema": "context"}
    changes = {"datasets": {**DEFAULT["datasets"], "rows": rows}, "train_on": "rows"}
    entry = context(system="{examples}", examples=examples(by="masked_question"))
    assert "cannot be masked without databases" in problems(entry, **changes)
    assert problems({**entry, "examples": examples(by="sql")}, **changes) == ""
