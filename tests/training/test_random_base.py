"""benchmarks/random_base.py: a checkpoint that loads, renders prompts as ours, and repeats with its seed."""

import json
import runpy
import sys

import pytest
import torch
from transformers import AutoModelForCausalLM

import toy_models
from conftest import ROOT
from sqladder.models.folders import check_model_folder
from sqladder.models.turns import read_turns
from sqladder.prompts import rendering as prompts


@pytest.fixture(scope="module")
def source(qwen3, tmp_path_factory):
    """Qwen3's tokenizer with a config of two narrow layers."""
    folder = tmp_path_factory.mktemp("source")
    for name in ("tokenizer.json.xz", "tokenizer_config.json"):
        (folder / name).write_bytes((qwen3 / name).read_bytes())
    config = json.loads((qwen3 / "config.json").read_text())
    narrow = {"hidden_size": 64, "intermediate_size": 192, "num_hidden_layers": 2, "head_dim": 32}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1}
    (folder / "config.json").write_text(json.dumps(config | narrow | heads))
    return folder


@pytest.fixture
def make(source, monkeypatch):
    """A function that runs the program in this process and loads what it wrote."""

    def run(output, seed):
        program = str(ROOT / "benchmarks/random_base.py")
        options = [f"--source={source}", f"--output={output}", f"--seed={seed}", "--device=cpu"]
        monkeypatch.setattr(sys, "argv", [program, *options])
        runpy.run_path(program, run_name="__main__")
        return AutoModelForCausalLM.from_pretrained(output, dtype="auto")

    return run


def test_the_checkpoint_is_whole_random_and_repeats_with_its_seed(make, tmp_path):
    first, again, other = (
        make(tmp_path / str(number), seed) for number, seed in enumerate((1, 1, 2))
    )
    check_model_folder(tmp_path / "0", "model")
    assert first.dtype == torch.bfloat16
    weights, repeated, different = (m.model.embed_tokens.weight for m in (first, again, other))
    assert torch.equal(weights, repeated)
    assert not torch.equal(weights, different)
    turns = read_turns(tmp_path / "0")
    tokenizer = turns.tokenizer
    ids = prompts.prompt_ids(turns, toy_models.rows(1, with_answer=False)[0]["messages"])
    assert tokenizer.decode(ids).endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    logits = first(torch.tensor([ids])).logits
    assert logits.unique().numel() > 100, "a model whose logits are all alike measures nothing"
