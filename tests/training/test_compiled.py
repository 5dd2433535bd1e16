"""A compiled step is used where it learns what the launched one does."""

from types import MethodType

import pytest
import torch
from peft import LoraConfig, get_peft_model

import toy_models
from sqladder.models.turns import Turns
from sqladder.training import compiled, folded
from sqladder.training.compiled import compile_checked, decoder_layers
from sqladder.training.fused import base_network, fuse_step
from sqladder.training.packing import PackedLimits, pack
from sqladder.training.pairs import token_pairs
from sqladder.training.step_comparison import step_of

LENGTH, LONGEST = 640, 200


@pytest.fixture(scope="module")
def rows():
    pairs = token_pairs(Turns(toy_models.tokenizer()), toy_models.rows(12), None)
    return pack(pairs, LENGTH, LONGEST, padding=0, seed=1)


def adapted(rows):
    torch.manual_seed(0)
    config = LoraConfig(r=4, lora_alpha=16, target_modules="all-linear")
    model = get_peft_model(toy_models.untrained().to(torch.bfloat16), config)
    fuse_step(model, PackedLimits.of(rows, LONGEST, len(rows)))
    return model


def check(model, rows):
    batch = {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}
    return compile_checked(model, batch, is_packed=True, bf16=True)


def is_compiled(model):
    layers = decoder_layers(base_network(model))
    return [layer._compiled_call_impl is not None for layer in layers]


@pytest.mark.slow
def test_compiled_adapters_learn_what_launched_ones_do(rows):
    model = adapted(rows)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    assert check(model, rows) is None
    assert all(is_compiled(model))
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.slow
def test_a_compiler_that_leaves_out_a_factor_is_found(rows, monkeypatch):
    def by_alpha(self, x):
        (name,) = self.active_adapters
        update = self.lora_B[name].weight @ self.lora_A[name].weight
        weight = torch.add(self.base_layer.weight, update, alpha=self.scaling[name])
        return torch.nn.functional.linear(x, weight, self.base_layer.bias)

    monkeypatch.setattr(folded, "_forward", by_alpha)
    model = adapted(rows)
    assert "their gradients differ by" in check(model, rows)
    assert not any(is_compiled(model))


def test_a_compiler_that_fails_leaves_the_step_as_it_is(rows, monkeypatch):
    def fails(network, *, is_packed):
        decoder_layers(network)[0].forward = MethodType(broken, network)

    def broken(*args, **kwargs):
        raise RuntimeError("backend failed\n  a long trace")

    monkeypatch.setattr(compiled, "_compile", fails)
    model = adapted(rows)
    assert check(model, rows) == "the compiler failed (backend failed)"
    assert not any(is_compiled(model))


def test_a_check_without_room_for_all_rows_is_made_with_fewer(rows, monkeypatch):
    sizes = []

    def compute(model, loss):
        _, batch = loss.args
        sizes.append(len(batch["input_ids"]))
        if sizes[-1] > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return step_of(model, loss)

    monkeypatch.setattr(compiled, "step_of", compute)
    monkeypatch.setattr(compiled, "_compile", lambda network, *, is_packed: None)
    assert check(adapted(rows), rows) is None
    assert (sizes[0], sizes[-2:]) == (len(rows), [1, 1])
