"""Adapters that are added to their layer's weight before a row meets it, instead of beside it.

x (W + s B A)' is x W' + s (x A') B' (Hu et al., 2021, arXiv:2106.09685, section 4.1). Beside the weight, an adapter
reads and writes whole batches seven more times in a step; in the weight it costs the gradient of the weight, one more
matrix product. For the layers of a small network that is less. What is learned is the same; rounding is that of a
weight in the batch's format, as in training all parameters and in the model that is merged in the end.
"""

from collections.abc import Callable
from types import MethodType
from typing import Any

import torch
from peft.tuners.lora import Linear
from torch import nn
from torch.nn.functional import linear

# Numbers of a weight's gradient for each number that a token has on its way in and out of the layer. With more, the
# matrix product takes longer than the reading and writing that it saves: 2 x 550 TFLOP/s over 3 TB/s of an H100.
MOST_WORK = 512


def fold_adapters(model: Any) -> Callable[[], None]:
    """Have the adapters of a model added to their weights, where that is less work, in place.

    Args:
        model: a causal language model of transformers, with adapters or without.

    Returns:
        What puts PEFT's own computation back.
    """
    alike: dict[Any, list[Linear]] = {}
    for layer in model.modules():
        if isinstance(layer, Linear) and _can_fold(layer):
            alike.setdefault(_kind(layer), []).append(layer)

    def fold(*_: Any) -> None:
        for layers in alike.values():
            for layer, weight in zip(layers, _folded(layers), strict=True):
                vars(layer)["folded"] = weight

    folded = [layer for layers in alike.values() for layer in layers]

    def forget(*_: Any) -> None:
        # Layers that are computed anew in the backward pass need them until then. Else nothing of a step may outlast
        # it: what is left of one that was launched cannot become part of a graph.
        if not getattr(model, "is_gradient_checkpointing", False):
            for layer in folded:
                vars(layer).pop("folded", None)

    # Once a step: before the first layer computes, and after the last one.
    hooks = [
        model.get_input_embeddings().register_forward_pre_hook(fold),
        model.get_output_embeddings().register_forward_hook(forget),
    ]
    for layer in folded:
        vars(layer)["forward"] = MethodType(_forward, layer)

    def undo() -> None:
        for hook in hooks:
            hook.remove()
        for layer in folded:
            del vars(layer)["forward"]
            vars(layer).pop("folded", None)

    return undo


def _can_fold(layer: Any) -> bool:
    base = layer.base_layer
    if type(layer) is not Linear or type(base) is not nn.Linear or len(layer.active_adapters) != 1:
        return False
    (name,) = layer.active_adapters
    work = base.in_features * base.out_features / (base.in_features + base.out_features)
    return bool(
        work <= MOST_WORK
        # DoRA and its like compute with the weight in ways of their own.
        and name not in layer.lora_variant
        and isinstance(layer.lora_dropout[name], nn.Identity)
        and not layer.fan_in_fan_out
        and layer.lora_B[name].bias is None
    )


def _kind(layer: Any) -> tuple[Any, ...]:
    """What layers have in common whose weights are one array."""
    (name,) = layer.active_adapters
    return layer.base_layer.weight.shape, layer.r[name], layer.scaling[name]


def _folded(layers: list[Any]) -> tuple[torch.Tensor, ...]:
    """The weight of each of several layers of one kind with its adapter.

    A small product takes a GPU as long as its launch. As one product of all layers, with the addition in it, folding
    and its gradients are a dozen launches for each kind of layer instead of nine for each layer.
    """
    (name,) = layers[0].active_adapters
    weights, a, b = (
        torch.stack([part(layer) for layer in layers])
        for part in (
            lambda layer: layer.base_layer.weight,
            lambda layer: layer.lora_A[name].weight,
            lambda layer: layer.lora_B[name].weight,
        )
    )
    # Adapters are kept in float32 beside shorter weights.
    a, b = a.to(weights.dtype), b.to(weights.dtype)
    return torch.baddbmm(weights, b, a, alpha=layers[0].scaling[name]).unbind()


def _forward(self: Any, x: torch.Tensor) -> torch.Tensor:
    return linear(x, self.folded, self.base_layer.bias)
