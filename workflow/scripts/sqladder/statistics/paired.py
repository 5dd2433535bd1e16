"""Tests of whether two variants answer equally many questions right.

Two variants that answered the same questions are always compared question by question: on Spider
the paired difference of two scores is known several times better than either score.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special


class Discordance(NamedTuple):
    """Questions on which two variants differ: right by the first only, by the second only; means over seeds."""

    wins: float
    losses: float


def sign_flip_p(sums: NDArray) -> float:
    """Exact two-sided p of "both variants answer equally many questions right", by groups of questions.

    If the variants are equally good, a group's difference could as well have had the other sign. All combinations of
    signs are counted: groups that differ by the same number of questions are a binomial number of steps of that size,
    and these are convolved. Where each group has one question it is McNemar's exact test (Q. McNemar (1947),
    Psychometrika 12, 153-157). No group that differs gives p = 1.

    Source: R. A. Fisher (1935), "The Design of Experiments", section 21; for clusters J. P. Romano, A. M. Shaikh,
    I. A. Canay (2017), "Randomization tests under an approximate symmetry assumption", Econometrica 85, 1013-1030.

    Args:
        sums: for each group the first variant's right answers less the second's, whole numbers.
    """
    whole = np.rint(sums).astype(int)
    steps = np.bincount(np.abs(whole))
    return flipped_p(tuple(steps[1:].tolist()), int(whole.sum()))


def flipped_p(steps: tuple[int, ...], total: int) -> float:
    """P of `sign_flip_p` from what it depends on.

    Args:
        steps: number of groups that differ by 1, 2, 3, ... questions.
        total: the sum over groups.
    """
    chances = _flips(steps)
    # Of all questions in all steps, at least so many lie on the winner's side.
    at_least = (len(chances) - 1 + abs(total)) // 2
    return float(min(1.0, 2 * chances[at_least:].sum()))


@lru_cache(maxsize=10_000)
def _flips(steps: tuple[int, ...]) -> NDArray[np.float64]:
    """Chance of 0, 1, 2, ... questions on one side, by the number of groups of each size."""
    chances = np.ones(1)
    for size, count in enumerate(steps, start=1):
        if count:
            spread = np.zeros(size * count + 1)
            spread[::size] = _coin_tosses(count)
            chances = np.convolve(chances, spread)
    return chances


@lru_cache(maxsize=2_000)
def _coin_tosses(count: int) -> NDArray[np.float64]:
    """Chance of 0 to `count` heads of as many fair coins."""
    heads = np.arange(count + 1)
    logs = (
        special.gammaln(count + 1) - special.gammaln(heads + 1) - special.gammaln(count - heads + 1)
    )
    return np.exp(logs - count * np.log(2))
