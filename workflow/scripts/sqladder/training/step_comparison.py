"""One training step computed in two ways: do they learn the same?"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn

Gradients = Mapping[str, torch.Tensor]

# Relative differences of the loss and of the gradients that are rounding: of sums of thousands of numbers, and of a
# computation in bfloat16.
ROUNDING = (1e-4, 1e-3)
ROUNDING_BFLOAT16 = (1e-2, 5e-2)

# Standard deviation of what stands for a trained weight that begins at zero, as an adapter's second matrix does.
PUT_IN = 0.05


class Step(NamedTuple):
    """What one step would learn: the mean loss of the labels, and its gradients by parameter."""

    loss: float
    gradients: Gradients


def step_of(model: nn.Module, compute: Callable[[], torch.Tensor]) -> Step:
    """The step whose loss `compute` gives; the gradients reach no parameter, and nobody who waits for them."""
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    loss = compute()
    gradients = torch.autograd.grad(loss, list(trained.values()), allow_unused=True)
    found = zip(trained, gradients, strict=True)
    return Step(loss.item(), {name: g for name, g in found if g is not None})


def difference(found: Step, expected: Step, rounding: tuple[float, float]) -> str | None:
    """How a step parts from what it should be by more than rounding, of loss and gradients; None where it does not."""
    of_loss, of_gradients = rounding
    if not abs(found.loss - expected.loss) <= of_loss * max(abs(expected.loss), 1e-12):
        return f"their loss is {found.loss:.6f} where it should be {expected.loss:.6f}"
    parted = _relative_difference(found.gradients, expected.gradients)
    if not parted <= of_gradients:
        return f"their gradients differ by {parted:.2%} from what they should be"
    return None


def _relative_difference(found: Gradients, expected: Gradients) -> float:
    """Norm of the difference of all gradients over the norm of the expected ones."""
    if found.keys() != expected.keys():
        return float("inf")
    apart = sum(float((found[name] - expected[name]).square().sum()) for name in expected)
    whole = sum(float(gradient.square().sum()) for gradient in expected.values())
    return (apart / max(whole, 1e-24)) ** 0.5


@contextmanager
def without_zeros(model: Any) -> Iterator[None]:
    """Have every trained weight count in what a model computes, and be as it was after.

    An adapter begins with a matrix of zeros, which hides whatever its other one is multiplied with.
    """
    zeros = [p for p in model.parameters() if p.requires_grad and not p.any()]
    draw = torch.Generator().manual_seed(1)
    for parameter in zeros:
        numbers = torch.randn(parameter.shape, generator=draw) * PUT_IN
        parameter.data.copy_(numbers)
    try:
        yield
    finally:
        for parameter in zeros:
            parameter.data.zero_()
