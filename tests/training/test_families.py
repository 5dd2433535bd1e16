"""A base of each family, with its real tokenizer, is trained and asked: it learns to answer and to stop."""

import json
import re
import shutil

import pytest
import transformers

import toy_models
from conftest import unpack
from sqladder.demo.base_model import CHAT_TEMPLATE

SMALL = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 1024,
    "tie_word_embeddings": True,
}
FAMILIES = {"gemma3": "gemma3_text", "llama3_1": "llama", "qwen3": "qwen3", "smollm2": "llama"}
RECIPE = {
    "method": "full",
    "learning_rate": 5e-3,
    "epochs": 60,
    "batch_size": 4,
    "gradient_accumulation": 1,
    "cutoff_length": 512,
    "kernels": "fused",
    "packing_length": 512,
    "seed": 1,
}


# Promises of all are tested without a training too (tests/models/test_turns.py): one trains in continuous integration.
@pytest.fixture(
    params=[
        "gemma3",
        *(
            pytest.param(family, marks=pytest.mark.long)
            for family in FAMILIES
            if family != "gemma3"
        ),
    ]
)
def base(request, tmp_path):
    """An untrained network of a family's architecture with the family's tokenizer."""
    family = request.param
    if family == "qwen3":
        folder = unpack(request.getfixturevalue("qwen3"), tmp_path / "base")
        (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    elif family == "smollm2":
        folder = tmp_path / "base"
        folder.mkdir()
        for path in request.getfixturevalue("smollm2").glob("*token*.json"):
            shutil.copy(path, folder)
    else:
        folder = unpack(request.getfixturevalue("tokenizers") / family, tmp_path / "base")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    config = transformers.AutoConfig.for_model(FAMILIES[family], vocab_size=len(tokenizer), **SMALL)
    transformers.set_seed(1)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_a_family_learns_to_answer_and_to_stop(base, tmp_path):
    data = toy_models.write_rows(tmp_path / "train.jsonl", 4)
    places = {"base_model": base, "data": data, "work_folder": tmp_path / "work"}
    results = {"output": tmp_path / "model", "facts": tmp_path / "train.json"}
    done = toy_models.run("train.py", **RECIPE, **places, **results)
    assert done.returncode == 0, done.stdout
    facts = json.loads((tmp_path / "train.json").read_text())
    assert (facts["kernels"], facts["why_plain_kernels"]) == ("fused", None)
    prompts = toy_models.write_rows(tmp_path / "prompts.jsonl", 4, with_answer=False)
    results = {"output": tmp_path / "predictions.jsonl", "facts": tmp_path / "generation.json"}
    done = toy_models.run(
        "generate.py", model=tmp_path / "model", prompts=prompts, **toy_models.GREEDY, **results
    )
    assert done.returncode == 0, done.stdout
    answers = [json.loads(line) for line in (tmp_path / "predictions.jsonl").open()]
    assert {answer["finish_reason"] for answer in answers} == {"stop"}
    for answer in answers:
        assert re.fullmatch(r"SELECT name FROM singer WHERE age > \d?", answer["text"])
