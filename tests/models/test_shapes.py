"""Sizes of networks come from the shapes of their weights, whatever the architecture calls its layers."""

import json

import pytest
import torch
import transformers
from torch.nn import Linear

import toy_models
from sqladder.models.shapes import linear_layers, network_weights


def saved(folder, architecture, **settings):
    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(architecture, **settings)
    model = transformers.AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)
    return model


LLAMA = {
    "vocab_size": 400,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
PHI = {**LLAMA, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}


@pytest.mark.parametrize(
    ("architecture", "settings"), [("llama", LLAMA), ("phi3", PHI), ("olmo2", LLAMA)]
)
def test_linear_layers_are_those_of_the_network(tmp_path, architecture, settings):
    model = saved(tmp_path, architecture, **settings)
    expected = {}
    for name, module in model.model.named_modules():
        if isinstance(module, Linear):
            expected.setdefault(name.rpartition(".")[2], []).append(tuple(module.weight.shape))
    assert linear_layers(tmp_path) == expected
    assert network_weights(tmp_path).block_weights == sum(
        out * into for shapes in expected.values() for out, into in shapes
    )


def test_the_size_of_a_head_may_be_left_out_of_a_configuration(tmp_path):
    saved(tmp_path, "llama", **LLAMA)
    whole = network_weights(tmp_path)
    assert (whole.blocks, whole.query_width, whole.vocabulary_weights) == (2, 32, 400 * 32)
    config = json.loads((tmp_path / "config.json").read_text())
    config.pop("head_dim", None)
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert network_weights(tmp_path) == whole


def test_tied_and_untied_vocabularies_count_once(tmp_path):
    tied = network_weights(toy_models.save_base(tmp_path / "toy"))
    saved(tmp_path / "untied", "llama", **LLAMA, tie_word_embeddings=False)
    assert tied.vocabulary_weights == 400 * 32
    assert network_weights(tmp_path / "untied").vocabulary_weights == 400 * 32
