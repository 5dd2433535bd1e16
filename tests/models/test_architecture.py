"""Checkpoints that can be no base are refused by their config.json, with the way out."""

import json

import pytest

import toy_models
from sqladder.errors import InputError
from sqladder.models.architecture import _causal_language_models, unfit
from sqladder.models.folders import check_model_folder
from toy_architectures import ARCHITECTURES, network

UNFIT = {
    "is an encoder with a decoder.*causal": {"is_encoder_decoder": True},
    "quantised weights \\(gptq\\).*made from": {"quantization_config": {"quant_method": "gptq"}},
    "LlamaForSequenceClassification, which writes no text": {
        "architectures": ["LlamaForSequenceClassification"]
    },
}


@pytest.mark.parametrize("words", UNFIT)
def test_what_can_be_no_base_is_refused_with_the_reason(tmp_path, words):
    folder = toy_models.save_base(tmp_path / "base")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | UNFIT[words]))
    with pytest.raises(InputError, match=f"base model .*/base .*{words}"):
        check_model_folder(folder, "base model")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_causal_language_models_are_bases(tmp_path, architecture):
    network(architecture).config.save_pretrained(tmp_path)
    assert unfit(tmp_path) is None


@pytest.mark.parametrize("kind", ["clip", "of-next-year"])
def test_an_architecture_without_a_causal_language_model_is_named(tmp_path, kind):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    reason = unfit(tmp_path)
    assert f"architecture '{kind}', which is no causal language model of transformers" in reason


def test_the_architectures_are_those_of_the_installed_transformers():
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    assert _causal_language_models() == set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)


def test_where_transformers_is_not_installed_no_architecture_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("sqladder.models.architecture.find_spec", lambda name: None)
    _causal_language_models.cache_clear()
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "of-next-year"}))
    assert unfit(tmp_path) is None
    _causal_language_models.cache_clear()
