"""Floating-point operations of training, and the rate at which a GPU multiplies matrices."""

from collections.abc import Sequence

import torch

from sqladder.models.shapes import NetworkWeights

# Large enough that the measured rate is the chip's and not the launch's.
MATRIX_SIZE = 8192
REPETITIONS = 20


def training_flops(
    network: NetworkWeights, lengths: Sequence[int], labels: int, adapter_parameters: int | None
) -> float:
    """Operations that one pass over some rows takes a network at least.

    Counted are the matrix products, two operations for each multiplication and addition: each weight
    of a linear layer once for each token, attention's scores and sums over the half of each row that
    is visible, the vocabulary only where a label is to be predicted. Full fine-tuning needs them three
    times, forward, for the gradient of the activations and for that of the weights; with adapters
    the frozen weights have no gradient (Kaplan et al., 2020, arXiv:2001.08361, section 2.1).
    Recomputation and padding are no useful work and not counted.

    Args:
        network: its sizes.
        lengths: tokens of each row, prompt and answer.
        labels: tokens of all answers, their end tokens included.
        adapter_parameters: trained ones, None for full fine-tuning.
    """
    tokens, squares = sum(lengths), sum(length**2 for length in lengths)
    weights = 2 * network.block_weights * tokens + 2 * network.vocabulary_weights * labels
    attention = 2 * network.blocks * network.query_width * squares
    if adapter_parameters is None:
        return 3.0 * (weights + attention)
    return 2.0 * weights + 3.0 * attention + 6.0 * adapter_parameters * tokens


def matrix_rate() -> float:
    """Operations a second of this GPU in a bfloat16 product of large random matrices, measured."""
    left, right = (
        torch.randn(MATRIX_SIZE, MATRIX_SIZE, device="cuda", dtype=torch.bfloat16) for _ in range(2)
    )
    for _ in range(3):
        left @ right
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(REPETITIONS):
        left @ right
    end.record()
    end.synchronize()
    return 2 * MATRIX_SIZE**3 * REPETITIONS / (start.elapsed_time(end) / 1000)
