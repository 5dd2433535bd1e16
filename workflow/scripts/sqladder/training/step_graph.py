"""A batch's forward and backward computation as two CUDA graphs, each launched at once.

A layer of a small network computes faster than the processor launches its operations, adapters above all: they are many
small ones. A graph (CUDA Programming Guide, "CUDA Graphs") keeps the operations of one batch with their addresses; a
later batch of the same size is copied into the place of that one and computed by one launch.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from sqladder.errors import LOG
from sqladder.training.faults import is_out_of_memory
from sqladder.training.fused import base_network
from sqladder.training.step_comparison import ROUNDING_BFLOAT16, difference, step_of

# A graph keeps a copy of all gradients. A network with more of them is busy with a layer for longer than it takes to
# launch the next.
LARGEST_GRADIENTS = 2 << 30

PackedLoss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def graph_steps(model: Any, *, accumulates: bool) -> "StepGraph | None":
    """Have a model with the fused step on packed rows compute batches by graphs, where that can help.

    Args:
        model: on its GPU, as it is trained.
        accumulates: a step adds the gradients of several batches up.

    Returns:
        What computes the batches now; None where they are launched as before.
    """
    network = base_network(model)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    gradients = sum(parameter.numel() * parameter.element_size() for parameter in trained)
    if (
        not torch.cuda.is_available()
        # Other processes wait for each gradient as it comes.
        or torch.distributed.is_initialized()
        # Activations that are computed anew restore the state of random numbers, which no graph allows.
        or network.is_gradient_checkpointing
        or gradients > LARGEST_GRADIENTS
    ):
        return None
    if accumulates:
        # What a parameter gets from a graph is the graph's own memory, which the next batch overwrites.
        for parameter in trained:
            parameter.register_hook(torch.clone)
    network.packed_loss = StepGraph(network, network.packed_loss)
    return network.packed_loss


class StepGraph:
    """The loss of a batch of packed rows, by graphs from the second batch on.

    Args:
        network: whose parameters learn.
        launched: computes the same, operation by operation.

    Attributes:
        reason: why no graph is used, None where one is.
    """

    def __init__(self, network: nn.Module, launched: PackedLoss) -> None:
        self._network, self._launched = network, launched
        self._graph: PackedLoss | None = None
        self._shape: torch.Size | None = None
        self.reason: str | None = None

    def __call__(
        self, input_ids: torch.Tensor, labels: torch.Tensor, position_ids: torch.Tensor
    ) -> torch.Tensor:
        """Sum of the cross entropies of a batch, each argument (rows, length)."""
        batch = (input_ids, labels, position_ids)
        if self._shape is None and torch.is_grad_enabled():
            self._shape = input_ids.shape
            self._take(batch)
        if self._graph is None or input_ids.shape != self._shape or not torch.is_grad_enabled():
            return self._launched(*batch)
        return self._graph(*batch)

    def _take(self, batch: tuple[torch.Tensor, ...]) -> None:
        graph: Any = _LossModule(self._network, self._launched)
        # A graph is taken on a stream of its own; what adds its gradients up waits for it in any case.
        torch.autograd.graph.set_warn_on_accumulate_grad_stream_mismatch(False)
        try:
            graph = torch.cuda.make_graphed_callables(graph, batch, allow_unused_input=True)
            launched = step_of(self._network, lambda: self._launched(*batch))
            replayed = step_of(self._network, lambda: graph(*batch))
            self.reason = difference(replayed, launched, ROUNDING_BFLOAT16)
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            self.reason = str(_first(error)).splitlines()[0]
            _end_capture()
        if self.reason is None:
            self._graph = graph
        else:
            LOG.info(f"kernels: launched one by one, not as a graph: {self.reason}")


def _first(error: BaseException) -> BaseException:
    """The error that an error came of: what ends a capture only says that there was one."""
    while error.__context__ is not None:
        error = error.__context__
    return error


def _end_capture() -> None:
    """Have random numbers be drawn again: after a capture that failed, PyTorch's generator waits for its end."""
    for generator in torch.cuda.default_generators:
        generator.graphsafe_set_state(generator.clone_state())


class _LossModule(nn.Module):
    """A computation of a network as a module, as what takes graphs wants it."""

    def __init__(self, network: nn.Module, loss: PackedLoss) -> None:
        super().__init__()
        self.network, self._loss = network, loss
        self.train(network.training)

    def forward(self, *batch: torch.Tensor) -> torch.Tensor:
        # A weight that is cast once and kept would be kept from before the graph, or from another.
        with torch.autocast(
            "cuda", torch.get_autocast_dtype("cuda"), torch.is_autocast_enabled("cuda"), False
        ):
            return self._loss(*batch)
