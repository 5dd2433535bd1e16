"""The walks of a Trainer over all modules of a network, once instead of five times a step.

transformers' Trainer sets the network's mode, counts its parameters, clips and clears its gradients at each step, and
finds modules and parameters anew each time. Adapters make ten modules of a layer: for a small network these walks take
the processor a third as long as its step takes a GPU, which waits meanwhile. What a network consists of stays as it is
while it trains.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from torch import nn


def walk_once(model: Any) -> Callable[[], None]:
    """Have a model remember its parameters, their number, and whether it is in training already, in place.

    Args:
        model: as the Trainer holds it.

    Returns:
        What lets it walk again.
    """
    own = list(model.parameters())
    walks = {"train": model.train, "parameters": model.parameters}

    def train(mode: bool = True) -> nn.Module:
        changed: nn.Module = model if model.training is mode else walks["train"](mode)
        return changed

    def parameters(recurse: bool = True) -> Iterator[nn.Parameter]:
        return iter(own) if recurse else walks["parameters"](recurse)

    vars(model).update(train=train, parameters=parameters)
    if hasattr(model, "num_parameters"):
        vars(model)["num_parameters"] = cache(model.num_parameters)

    def undo() -> None:
        for name in ("train", "parameters", "num_parameters"):
            vars(model).pop(name, None)

    return undo
