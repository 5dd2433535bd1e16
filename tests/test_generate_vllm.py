"""vLLM gives the same greedy tokens as transformers; run by `make test-vllm`."""

import json

import pytest

import toy_models

pytestmark = pytest.mark.vllm

PROMPTS = 40


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model that has learned a little: an untrained one has ties that rounding decides."""
    folder = tmp_path_factory.mktemp("model")
    # vLLM's attention on CPU takes heads of 32 numbers and more.
    size = {"hidden_size": 64, "heads": 2, "layers": 2}
    options = toy_models.base_options(folder, epochs=30, learning_rate=0.01, **size)
    done = toy_models.run("train_base.py", **options)
    assert done.returncode == 0, done.stdout
    return folder / "base"


def generate(folder, model, engine):
    folder.mkdir()
    done = toy_models.run(
        "generate.py",
        engine=engine,
        model=model,
        prompts=toy_models.write_rows(folder / "test.jsonl", PROMPTS, with_answer=False),
        output=folder / "predictions.jsonl",
        facts=folder / "generation.json",
        max_new_tokens=24,
    )
    assert done.returncode == 0, done.stdout
    return toy_models.read_lines(folder / "predictions.jsonl")


def test_vllm_predicts_what_transformers_predicts(model, tmp_path):
    by_vllm = generate(tmp_path / "vllm", model, "vllm")
    by_transformers = generate(tmp_path / "transformers", model, "transformers")
    assert by_vllm == by_transformers
    assert {row["finish_reason"] for row in by_vllm} <= {"stop", "length"}
    facts = json.loads((tmp_path / "vllm" / "generation.json").read_text())
    assert facts["engine"] == "vllm"
    assert facts["prompts"] == PROMPTS
    assert facts["versions"]["vllm"]
