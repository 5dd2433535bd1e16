"""The weights of a network that is trained, as its folder would have them: for an engine that answers in its place."""

import copy
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from sqladder.generation.vllm_weights import HEAD
from sqladder.models.device import number_format

_WRAPPED = ".base_layer."


def write_policy(network: Any, folder: Path) -> None:
    """Write the weights as a checkpoint of one file; adapters are merged into copies of their layers.

    Args:
        network: as transformers has it, or with adapters by PEFT.
        folder: that is there.
    """
    numbers = getattr(torch, number_format())
    weights = {
        name: tensor.to(numbers).contiguous() for name, tensor in policy_weights(network).items()
    }
    save_file(weights, folder / "model.safetensors")


@torch.no_grad()
def policy_weights(network: Any) -> dict[str, torch.Tensor]:
    """The weights by their names in a folder of the model; a head that is the embedding itself is left out."""
    if not hasattr(network, "get_base_model"):
        return _without_tied_head(network, network.state_dict())
    from peft.tuners.tuners_utils import BaseTunerLayer

    own = network.get_base_model()
    adapted = {
        name: layer for name, layer in own.named_modules() if isinstance(layer, BaseTunerLayer)
    }
    weights = {}
    for name, tensor in own.state_dict().items():
        layer, wrapped, rest = name.partition(_WRAPPED)
        if wrapped:
            weights[f"{layer}.{rest}"] = tensor
        elif not any(name.startswith(f"{each}.") for each in adapted):
            weights[name] = tensor
    for name, layer in adapted.items():
        # The layer itself is not touched: to merge and take it apart again would change it by rounding.
        merged: Any = copy.deepcopy(layer)
        merged.merge()
        weights[f"{name}.weight"] = merged.get_base_layer().weight.detach()
    return _without_tied_head(own, weights)


def _without_tied_head(network: Any, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    if network.config.tie_word_embeddings:
        weights = {name: tensor for name, tensor in weights.items() if name != HEAD}
    return weights
