"""One training step computed in two ways: do they learn the same?"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn

Gradients = Mapping[str, torch.Tensor]


class Rounding(NamedTuple):
    """Differences of two computations that are rounding; what lies beyond is another computation.

    Attributes:
        loss: relative to the loss.
        gradients: norm of the difference of all gradients, relative to theirs.
        factor: by how much the found gradients are longer or shorter along the expected ones. Rounding has no
            direction among thousands of numbers, so this stays small where the difference does not; a factor that one
            computation leaves out shows in full.
    """

    loss: float
    gradients: float
    factor: float


# Of sums of thousands of numbers in float32, and of a computation in bfloat16.
ROUNDING = Rounding(1e-4, 1e-3, 1e-3)
ROUNDING_BFLOAT16 = Rounding(1e-2, 0.2, 0.02)

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


def difference(found: Step, expected: Step, rounding: Rounding) -> str | None:
    """How a step parts from what it should be by more than rounding, of loss and gradients; None where it does not."""
    if not abs(found.loss - expected.loss) <= rounding.loss * max(abs(expected.loss), 1e-12):
        return f"their loss is {found.loss:.6f} where it should be {expected.loss:.6f}"
    if found.gradients.keys() != expected.gradients.keys():
        return "they have no gradients of some weights, or of too many"
    parted, factor = _compared(found.gradients, expected.gradients)
    if not parted <= rounding.gradients:
        return f"their gradients differ by {parted:.2%} from what they should be"
    if not abs(factor - 1) <= rounding.factor:
        return f"their gradients are {factor:.4f} times what they should be"
    return None


def _compared(found: Gradients, expected: Gradients) -> tuple[float, float]:
    """Norm of the difference of all gradients over the norm of the expected ones; the found ones' share along those."""
    apart = along = whole = 0.0
    for name, gradient in expected.items():
        apart += float((found[name] - gradient).square().sum())
        along += float((found[name] * gradient).sum())
        whole += float(gradient.square().sum())
    whole = max(whole, 1e-24)
    return (apart / whole) ** 0.5, along / whole


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
