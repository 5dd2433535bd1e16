"""Fused kernels on networks of many architectures: either they compute what the network does, or are not used."""

from types import SimpleNamespace

import pytest
import torch
import transformers
from peft import LoraConfig, get_peft_model

import toy_models
from sqladder.errors import InputError
from sqladder.models.turns import Turns
from sqladder.training import kernel_check
from sqladder.training.kernel_check import CheckedKernels, fuse_checked
from sqladder.training.packing import PackedLimits, pack, token_row
from sqladder.training.pairs import token_pairs
from toy_architectures import ARCHITECTURES, PLAIN_WHERE_PACKED, VOCABULARY, network

LENGTH, LONGEST = 320, 160


@pytest.fixture(scope="module")
def pairs():
    return token_pairs(Turns(toy_models.tokenizer()), toy_models.rows(8), None)


def step(model, batch):
    model.zero_grad()
    loss = model(**batch).loss
    loss.backward()
    return loss.item()


def tensors(rows):
    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}


def alone(model, pairs):
    """Mean loss of the labels, each row computed alone by transformers' own code."""
    losses = [model(**tensors([token_row(pair)])).loss.item() for pair in pairs]
    labels = [len(answer) for _, answer in pairs]
    return sum(loss * n for loss, n in zip(losses, labels, strict=True)) / sum(labels)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_packed_rows_learn_what_single_rows_do(pairs, architecture):
    model = network(architecture)
    expected = alone(model, pairs)
    rows = pack(pairs, LENGTH, LONGEST, padding=0, seed=1)
    reason = fuse_checked(model, rows, PackedLimits.of(rows, LONGEST, len(rows)))
    assert (reason is not None) == (architecture in PLAIN_WHERE_PACKED), reason
    assert step(model, tensors(rows)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_padded_rows_learn_what_single_rows_do(pairs, architecture):
    model = network(architecture)
    expected = alone(model, pairs[:1])
    rows = [token_row(pair) for pair in pairs[:1]]
    assert fuse_checked(model, rows, None) is None
    assert step(model, tensors(rows)) == pytest.approx(expected, rel=1e-4)


def test_adapters_are_compared_too_and_leave_no_gradient(pairs):
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"])
    model = get_peft_model(network("llama"), config)
    rows = pack(pairs, LENGTH, LONGEST, padding=0, seed=1)
    assert fuse_checked(model, rows, PackedLimits.of(rows, LONGEST, len(rows))) is None
    assert all(parameter.grad is None for parameter in model.parameters())


def test_weights_in_bfloat16_come_back_as_they_were(pairs):
    model = network("qwen3").to(torch.bfloat16)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    fuse_checked(model, [token_row(pairs[0])], None)
    for name, weight in model.state_dict().items():
        assert weight.dtype == before[name].dtype
        assert torch.equal(weight, before[name])


def test_a_step_that_computes_another_loss_is_found_and_not_used(pairs, monkeypatch):
    def without_members(positions, members):
        return torch.tensor([0, positions.numel()], dtype=torch.int32)

    monkeypatch.setattr("sqladder.training.fused.boundaries", without_members)
    model = network("qwen3")
    expected = alone(model, pairs)
    rows = pack(pairs, LENGTH, LONGEST, padding=0, seed=1)
    reason = fuse_checked(model, rows, PackedLimits.of(rows, LONGEST, len(rows)))
    assert "their loss is" in reason
    assert step(model, tensors(rows)) == pytest.approx(expected, rel=1e-4)


def test_rows_that_no_way_keeps_apart_are_refused(pairs):
    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(
        "bloom",
        vocab_size=VOCABULARY,
        hidden_size=32,
        n_layer=2,
        n_head=4,
        initializer_range=0.2,
    )
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    rows = pack(pairs, LENGTH, LONGEST, padding=0, seed=1)
    with pytest.raises(InputError, match=r"packing_length: .* set it to 0"):
        fuse_checked(model, rows, PackedLimits.of(rows, LONGEST, len(rows)))


def test_a_check_that_runs_out_of_memory_is_made_with_fewer_rows(pairs, monkeypatch):
    compared = kernel_check._difference
    sizes = []

    def difference(model, batch, truth, *, is_exact):
        sizes.append(len(batch["input_ids"]))
        # Filled up to more rows on a GPU, fewer would take as much memory.
        assert model.limits.rows == sizes[-1]
        if sizes[-1] > 1:
            raise torch.OutOfMemoryError
        return compared(model, batch, truth, is_exact=is_exact)

    monkeypatch.setattr(kernel_check, "_difference", difference)
    rows = pack(pairs, LENGTH, LONGEST, padding=0, seed=1)
    limits, model = PackedLimits.of(rows, LONGEST, len(rows)), network("qwen3")
    kernels = CheckedKernels(rows, limits)
    kernels.on_init_end(SimpleNamespace(device="cpu", bf16=False), None, None, model=model)
    assert kernels.reason is None
    assert model.limits == limits
    assert (sizes[0], sizes[-1]) == (len(rows), 1)
