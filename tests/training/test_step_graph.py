"""Batches are computed by a graph where it computes the same, and operation by operation where it does not."""

import pytest
import torch

import toy_models
from sqladder.models.turns import Turns
from sqladder.training.fused import fuse_step
from sqladder.training.packing import PackedLimits, pack
from sqladder.training.pairs import token_pairs
from sqladder.training.step_graph import StepGraph, graph_steps

LENGTH, LONGEST = 640, 200
ON_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU")


@pytest.fixture(scope="module")
def rows():
    pairs = token_pairs(Turns(toy_models.tokenizer()), toy_models.rows(12), None)
    return pack(pairs, LENGTH, LONGEST, padding=0, seed=1)


def batch(rows):
    return [torch.tensor([r[n] for r in rows]) for n in ("input_ids", "labels", "position_ids")]


def network(rows):
    model = toy_models.untrained()
    fuse_step(model, PackedLimits.of(rows, LONGEST, len(rows)))
    return model


class Graphs:
    """Stands for CUDA's: one memory for all gradients, as a graph has; counts what it computes.

    Args:
        factor: of the gradients; a sound graph has none.
    """

    def __init__(self, factor=1.0):
        self.factor, self.computed = factor, 0

    def take(self, module, sample, allow_unused_input):
        trained = [p for p in module.parameters() if p.requires_grad]
        memory = [torch.zeros_like(p) for p in trained]

        class Replay(torch.autograd.Function):
            @staticmethod
            def forward(ctx, number, *parameters):
                ctx.number = number
                return self.totals[number].detach()

            @staticmethod
            def backward(ctx, gradient):
                found = torch.autograd.grad(self.totals[ctx.number], trained, gradient)
                for kept, new in zip(memory, found, strict=True):
                    kept.copy_(new * self.factor)
                return None, *(kept.detach() for kept in memory)

        self.totals = []

        def graph(*given):
            self.computed += 1
            assert [tensor.shape for tensor in given] == [tensor.shape for tensor in sample]
            with torch.enable_grad():
                self.totals.append(module(*given))
            return Replay.apply(len(self.totals) - 1, *trained)

        return graph


def test_full_batches_are_computed_by_the_graph_and_shorter_ones_without(rows, monkeypatch):
    graphs = Graphs()
    monkeypatch.setattr("torch.cuda.make_graphed_callables", graphs.take)
    model = network(rows)
    launched = model.packed_loss
    step = StepGraph(model, launched)
    full, short = batch(rows), batch(rows[:1])
    assert torch.equal(step(*full), launched(*full))
    assert (graphs.computed, step.reason) == (2, None)  # one to compare it
    assert torch.equal(step(*short), launched(*short))
    with torch.no_grad():
        step(*full)
    assert graphs.computed == 2
    step(*full)
    assert graphs.computed == 3
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_graph_that_computes_other_gradients_is_not_used(rows, monkeypatch, caplog):
    caplog.set_level("INFO")
    graphs = Graphs(factor=1.1)
    monkeypatch.setattr("torch.cuda.make_graphed_callables", graphs.take)
    model = network(rows)
    launched = model.packed_loss
    step = StepGraph(model, launched)
    assert torch.equal(step(*batch(rows)), launched(*batch(rows)))
    assert step.reason == "their gradients are 1.1000 times what they should be"
    assert f"launched one by one, not as a graph: {step.reason}" in caplog.text


def test_what_cannot_be_taken_is_launched_and_memory_that_runs_out_is_told(rows, monkeypatch):
    def fails(reason):
        def take(*args, **kwargs):
            raise RuntimeError(reason)

        monkeypatch.setattr("torch.cuda.make_graphed_callables", take)

    model = network(rows)
    fails("operation not permitted when stream is capturing\nCompile with ...")
    step = StepGraph(model, model.packed_loss)
    step(*batch(rows))
    assert step.reason == "operation not permitted when stream is capturing"
    fails("CUDA out of memory")
    with pytest.raises(RuntimeError, match="out of memory"):
        StepGraph(model, model.packed_loss)(*batch(rows))


def test_gradients_of_several_batches_are_added_up(rows, monkeypatch):
    monkeypatch.setattr("torch.cuda.make_graphed_callables", Graphs().take)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    model, other = network(rows), network(rows)
    assert graph_steps(model, accumulates=True) is model.packed_loss
    for part in (rows, rows[::-1]):
        model.packed_loss(*batch(part)).backward()
        other.packed_loss(*batch(part)).backward()
    for found, expected in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad)


def test_without_a_gpu_there_is_no_graph(rows, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    model = network(rows)
    assert graph_steps(model, accumulates=False) is None


@ON_GPU
def test_a_real_graph_learns_what_launched_kernels_do(rows):
    model = network(rows).cuda()
    step = graph_steps(model, accumulates=False)
    given = [tensor.cuda() for tensor in batch(rows)]
    step(*given)
    assert step.reason is None


@ON_GPU
def test_after_a_graph_that_cannot_be_taken_numbers_are_drawn_and_the_first_error_is_told(rows):
    model = network(rows).cuda()
    launched = model.packed_loss

    def waits(*given):
        loss = launched(*given)
        if torch.cuda.is_current_stream_capturing():
            raise RuntimeError("a planted error")
        return loss

    step = StepGraph(model, waits)
    step(*(tensor.cuda() for tensor in batch(rows)))
    assert step.reason == "a planted error"
    torch.randn(3, device="cuda")
