"""Adapters in the weights of small layers learn what adapters beside them learn."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

import toy_models
from sqladder.training.compiled import decoder_layers
from sqladder.training.folded import fold_adapters
from sqladder.training.fused import base_network


def adapted(**config):
    torch.manual_seed(0)
    targets = ["q_proj", "v_proj", "down_proj"]
    lora = LoraConfig(r=4, lora_alpha=12, target_modules=targets, init_lora_weights=False, **config)
    return get_peft_model(toy_models.untrained(), lora)


def step(model):
    ids = torch.arange(60).reshape(2, 30)
    model.zero_grad()
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    return loss.item(), {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


def folded(model):
    return [module for module in model.modules() if "forward" in vars(module)]


@pytest.mark.parametrize("kind", [{}, {"use_rslora": True}], ids=["lora", "rslora"])
def test_loss_and_gradients_are_those_of_adapters_beside_the_weights(kind):
    model = adapted(**kind)
    loss, gradients = step(model)
    undo = fold_adapters(model)
    assert len(folded(model)) == 3 * len(decoder_layers(base_network(model)))
    found, others = step(model)
    assert found == pytest.approx(loss, rel=1e-6)
    assert gradients.keys() == others.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(others[name], gradient, rtol=1e-4, atol=1e-6)
    undo()
    assert not folded(model)


def test_adapters_in_float32_are_added_to_weights_in_bfloat16():
    model = adapted()
    base_network(model).to(torch.bfloat16)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.float()
    loss, _ = step(model)
    fold_adapters(model)
    found, gradients = step(model)
    assert found == pytest.approx(loss, rel=1e-2)
    assert {gradient.dtype for gradient in gradients.values()} == {torch.float32}


@pytest.mark.parametrize("anew", [False, True], ids=["kept", "computed anew"])
def test_nothing_of_a_step_outlasts_it_but_what_is_computed_anew(anew):
    model = adapted()
    if anew:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.train()
    _, gradients = step(model)
    fold_adapters(model)
    _, others = step(model)
    for name, gradient in gradients.items():
        torch.testing.assert_close(others[name], gradient, rtol=1e-4, atol=1e-6)
    assert any("folded" in vars(layer) for layer in folded(model)) is anew


@pytest.mark.parametrize("kind", [{"use_dora": True}, {"lora_dropout": 0.1}, {"lora_bias": True}])
def test_adapters_that_compute_something_else_are_left_alone(kind):
    model = adapted(**kind)
    fold_adapters(model)
    assert not folded(model)


def test_adapters_of_wide_layers_are_left_beside_their_weights():
    class Wide(nn.Module):
        def __init__(self):
            super().__init__()
            self.embeddings = nn.Embedding(8, 576)
            self.narrow, self.wide = nn.Linear(576, 1536), nn.Linear(2048, 2048)

        def get_input_embeddings(self):
            return self.embeddings

        def get_output_embeddings(self):
            return self.wide

    model = get_peft_model(Wide(), LoraConfig(target_modules=["narrow", "wide"]))
    fold_adapters(model)
    assert [layer.in_features for layer in folded(model)] == [576]


def test_layers_are_compiled_whole_and_once():
    model = adapted()
    loss, _ = step(model)
    fold_adapters(model)
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    for layer in decoder_layers(base_network(model)):
        layer.compile(backend="aot_eager", fullgraph=True, dynamic=False)
    assert step(model)[0] == pytest.approx(loss, rel=1e-6)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
