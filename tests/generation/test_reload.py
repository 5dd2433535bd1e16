"""Engines that get other weights while they are loaded; of vLLM run by `make test-vllm`."""

import os
from unittest import mock

import pytest
import torch
from safetensors.torch import load_file, save_file

import toy_models
from sqladder.errors import InputError
from sqladder.generation import answering, tokens
from sqladder.generation.contract import Load
from sqladder.generation.settings import DecodingSettings

ENGINES = ["transformers", pytest.param("vllm", marks=pytest.mark.vllm)]
NEW = 24


def changed(model, folder, seed):
    """A checkpoint of the same network with weights that are a little different."""
    network, generator = toy_models.load(model), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(0.1 * torch.randn(weights.shape, generator=generator))
    network.save_pretrained(folder)
    return folder


def answers(engine, encoded, decoding):
    found = {}
    for finished in engine.answer(encoded.prompts, decoding):
        found |= finished
    return [found[place] for place in sorted(found)]


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_answers_by_the_weights_that_it_got_last(name, tmp_path):
    base = toy_models.save_base(tmp_path / "base", **toy_models.FOR_VLLM)
    others = [changed(base, tmp_path / f"step{seed}", seed) for seed in (1, 2)]
    decoding = DecodingSettings(**toy_models.GREEDY | {"engine": name, "max_new_tokens": NEW})
    encoded = tokens.encode(base, toy_models.rows(12, with_answer=False), NEW)
    load = Load(max(map(len, encoded.prompts)) + NEW, len(encoded.prompts))
    with mock.patch.dict(os.environ):
        engine = answering.load_engine(name, tmp_path / "cache").start(
            base, load, decoding, encoded.end_tokens
        )
        asked = [answers(engine, encoded, decoding)]
        for checkpoint in (*others, base):
            engine.reload(base, checkpoint)
            asked.append(answers(engine, encoded, decoding))
        own = [
            toy_models.answers(model, encoded.prompts, decoding, encoded.end_tokens)
            for model in (base, *others)
        ]
        assert asked == [*own, own[0]]
        assert own[0] != own[1] != own[2] != own[0]
        if name == "vllm":
            check_that_others_are_refused(engine, base, tmp_path)


def check_that_others_are_refused(engine, base, folder):
    toy_models.save_base(folder / "wide", **toy_models.FOR_VLLM | {"hidden_size": 128})
    with pytest.raises(
        InputError, match=r"wide is no checkpoint of the model .*base: .* has the shape"
    ):
        engine.reload(base, folder / "wide")
    lacking = changed(base, folder / "lacking", 1)
    weights = load_file(lacking / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, lacking / "model.safetensors")
    with pytest.raises(InputError, match=r"it lacks 1 weights, first model\.norm\.weight"):
        engine.reload(base, lacking)
