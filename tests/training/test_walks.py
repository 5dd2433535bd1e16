"""What a network consists of is looked up once in a training."""

import pytest
from peft import LoraConfig, get_peft_model

import toy_models
from sqladder.training.walks import walk_once


@pytest.fixture(params=["full", "lora"])
def model(request):
    network = toy_models.untrained()
    if request.param == "full":
        return network
    return get_peft_model(network, LoraConfig(r=2, target_modules="all-linear"))


def walks_of(model, monkeypatch):
    """How often modules are walked over from now on."""
    seen = []
    kind = type(model)
    walk = kind.named_modules
    monkeypatch.setattr(
        kind, "named_modules", lambda self, *a, **k: seen.append(1) or walk(self, *a, **k)
    )
    return seen


def step(model):
    """What a Trainer asks of a model in a step."""
    model.train()
    count = model.num_parameters(exclude_embeddings=True)
    parameters = list(model.parameters())
    model.zero_grad()
    return count, parameters


def test_a_step_finds_the_same_without_walking(model, monkeypatch):
    count, parameters = step(model)
    walk_once(model)
    step(model)
    walks = walks_of(model, monkeypatch)
    found, others = step(model)
    assert (found, walks) == (count, [])
    assert all(one is other for one, other in zip(parameters, others, strict=True))
    assert model.num_parameters() > found


def test_a_change_of_mode_reaches_every_module(model):
    walk_once(model)
    for change, mode in ((model.eval, False), (model.eval, False), (model.train, True)):
        assert change() is model
        assert {module.training for module in model.modules()} == {mode}


def test_gradients_are_cleared_and_undone_it_walks_again(model):
    undo = walk_once(model)
    for parameter in model.parameters():
        parameter.grad = parameter.detach().clone()
    model.zero_grad()
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not list(model.parameters(recurse=False))
    undo()
    assert not {"train", "parameters", "num_parameters"} & vars(model).keys()
