"""What fewer samples of an answer would have given: pass@n and the accuracy of a choice among n.

Both are means over all ways of taking n of the samples that were drawn, so a run with 16 samples tells of 1, 2, 4 and 8
without another one, and without bias. The greedy answer, where it is the first sample, is always among the n.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

SUBSETS = 1000
"""Ways of taking n samples beyond which as many are drawn at random; a mean over them is unbiased, too."""
SEED = 42


@dataclass(frozen=True)
class Sampled:
    """The samples of one question.

    Attributes:
        correct: for each sample whether it is right, shape (samples,).
        log_probabilities: mean log-probability of the tokens of each, shape (samples,).
        groups: number of the group of each sample's result, -1 for one without; None where nothing was executed.
    """

    correct: NDArray[np.bool_]
    log_probabilities: NDArray[np.float64]
    groups: NDArray[np.int64] | None


def sizes(samples: int) -> list[int]:
    """Numbers of samples that are looked at: powers of two, and all."""
    powers = [2**power for power in range(samples.bit_length()) if 2**power < samples]
    return [*powers, samples]


def pass_at(correct: NDArray[np.bool_], n: int, greedy_first: bool) -> float:
    """Chance that one of n samples is right, of a question whose samples are right or not.

    Source: M. Chen et al. (2021), "Evaluating large language models trained on code", arXiv:2107.03374, equation 1.

    Args:
        correct: for each sample whether it is right, shape (samples,).
        n: how many are taken.
        greedy_first: the first sample is always taken, so n - 1 of the others are.
    """
    if greedy_first:
        if correct[0]:
            return 1.0
        correct, n = correct[1:], n - 1
    wrong = int((~correct).sum())
    return 1.0 - comb(wrong, n) / comb(len(correct), n)


def choice_at(question: Sampled, n: int, greedy_first: bool) -> float:
    """Share of the ways of taking n samples in which the chosen one is right.

    The choice is that of `generation.choice`: among the samples of the largest groups, or among all where none was
    executed or none has a result, the likeliest, and of equally likely ones the first.
    """
    taken = _subsets(len(question.correct), n, greedy_first)
    likelihood = np.where(taken, question.log_probabilities, -np.inf)
    if question.groups is not None:
        size = np.zeros_like(likelihood)
        for group in set(question.groups.tolist()) - {-1}:
            members = question.groups == group
            size[:, members] = (taken & members).sum(axis=1, keepdims=True)
        # Where no sample of a subset has a result, all are as large.
        largest = (taken * size).max(axis=1, keepdims=True)
        likelihood = np.where(taken & (size == largest), likelihood, -np.inf)
    return float(question.correct[likelihood.argmax(axis=1)].mean())


@lru_cache(maxsize=64)
def _subsets(samples: int, n: int, greedy_first: bool) -> NDArray[np.bool_]:
    """Ways of taking n of some samples, shape (ways, samples): all, or SUBSETS random ones where there are more."""
    always = [0] if greedy_first else []
    others, left = range(len(always), samples), n - len(always)
    if comb(len(others), left) <= SUBSETS:
        chosen: Sequence[Sequence[int]] = list(combinations(others, left))
    else:
        rng = np.random.default_rng(SEED)
        chosen = [rng.choice(others, left, replace=False).tolist() for _ in range(SUBSETS)]
    taken = np.zeros((len(chosen), samples), dtype=bool)
    for way, places in enumerate(chosen):
        taken[way, [*always, *places]] = True
    return taken
