"""The fused step compiled for a GPU, where the compiled one learns what the launched one does."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from sqladder.training.faults import is_out_of_memory
from sqladder.training.fused import base_network, sum_of_losses
from sqladder.training.step_comparison import (
    ROUNDING_BFLOAT16,
    Step,
    difference,
    step_of,
    without_zeros,
)

RECOMPILATIONS = 64

Batch = Mapping[str, torch.Tensor]


def compile_checked(model: Any, batch: Batch, *, is_packed: bool, bf16: bool) -> str | None:
    """Compile layers and loss of a model with the fused step, if the compiled step on a batch is the launched one.

    A compiler may be wrong: PyTorch 2.11 and 2.13 drop the factor of torch.add(weight, b @ a, alpha=factor).

    Args:
        model: on its device, as it is trained.
        batch: of the training, by the names of the step's arguments.
        is_packed: batches never change their size.
        bf16: it is trained in bfloat16.

    Returns:
        None where the model computes compiled from now on, else why it does not.

    Raises:
        RuntimeError: memory ran out.
    """
    network = base_network(model)
    # A dropped number is another one each time.
    drops = any(isinstance(module, nn.Dropout) and module.p for module in model.modules())
    was_training = model.training
    model.train(not drops)
    try:
        device = next(model.parameters()).device.type
        with without_zeros(model), torch.autocast(device, torch.bfloat16, bf16, False):
            batch, launched = _launched(model, batch, is_packed=is_packed)
            _compile(network, is_packed=is_packed)
            compiled = step_of(model, partial(_loss, network, batch, is_packed=is_packed))
        reason = difference(compiled, launched, ROUNDING_BFLOAT16)
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        reason = f"the compiler failed ({str(error).splitlines()[0]})"
    finally:
        model.train(was_training)
    if reason:
        _launch_again(network)
    return reason


def _launched(model: Any, batch: Batch, *, is_packed: bool) -> tuple[Batch, Step]:
    """The uncompiled step, which takes more memory than the compiled one: of as many rows as there is room for."""
    network = base_network(model)
    while True:
        try:
            return batch, step_of(model, partial(_loss, network, batch, is_packed=is_packed))
        except RuntimeError as error:
            rows = len(batch["input_ids"])
            if rows == 1 or not is_out_of_memory(error):
                raise
        # Outside, where the error holds no more tensors.
        batch = {name: values[: rows // 2] for name, values in batch.items()}
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _loss(network: Any, batch: Batch, *, is_packed: bool) -> torch.Tensor:
    if not is_packed:
        loss: torch.Tensor = network.fused_forward(**batch).loss
        return loss
    # Not by way of its forward, which fills a short batch up.
    total: torch.Tensor = network.packed_loss(
        batch["input_ids"], batch["labels"], batch["position_ids"]
    )
    return total


def decoder_layers(network: nn.Module) -> nn.ModuleList:
    """The repeated blocks of a network: its longest list of modules."""
    lists = [module for module in network.modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=len, default=nn.ModuleList())


def _compile(network: Any, *, is_packed: bool) -> None:
    # One compilation for each shape, and no falling back to uncompiled code after a few.
    torch._dynamo.config.recompile_limit = RECOMPILATIONS
    for layer in decoder_layers(network):
        # Shapes that never change need not be symbols.
        layer.compile(dynamic=False if is_packed else None)
    network.sum_of_losses = torch.compile(sum_of_losses, dynamic=not is_packed)


def _launch_again(network: Any) -> None:
    for layer in decoder_layers(network):
        layer._compiled_call_impl = None
    network.sum_of_losses = sum_of_losses
