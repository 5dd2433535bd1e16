"""Intervals of shares and of paired differences, over questions and over whole databases.

Every bootstrap draws from `numpy.random.default_rng(seed)`, so that the same verdicts always give
the same intervals. Distributions are those of `scipy.special`: `scipy.stats` takes a second to import.
"""

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sqladder.statistics.paired import Discordance

DRAWS = 10_000
"""Bootstrap resamples: the ends of a 95 % interval then move by about 1 % of its width."""


SEED = 20_250_829


FEW = 40
"""Disagreements below which a bootstrap is not trusted: with 5 to 0 it excludes 0 where McNemar's p is 0.06."""


GRID = 500
"""Points by which the distribution of a share of disagreements is represented."""


class Interval(NamedTuple):
    """Both ends of an interval, in the unit of the estimate (a share from 0 to 1)."""

    low: float
    high: float


def wilson_interval(correct: int, n: int, confidence: float = 0.95) -> Interval:
    """Interval of a share, sound near 0 and 1 and for few questions.

    Source: E. B. Wilson (1927), "Probable inference, the law of succession, and statistical
    inference", JASA 22, 209-212. No questions (n = 0) leave every share possible.
    """
    if n == 0:
        return Interval(0.0, 1.0)
    return wilson(correct / n, n, confidence)


def wilson(share: float, n: float, confidence: float = 0.95) -> Interval:
    """Wilson's interval of a share with the precision of n questions, which need not be a whole number."""
    z = float(special.ndtri((1 + confidence) / 2))
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    # Rounding would leave 1e-17 where the end is exact.
    low = 0.0 if share == 0 else max(0.0, centre - reach)
    return Interval(low, 1.0 if share == 1 else min(1.0, centre + reach))


def clustered_interval(
    values: NDArray, clusters: Sequence[Hashable], confidence: float = 0.95, seed: int = SEED
) -> Interval | None:
    """Bootstrap interval of a mean that resamples whole clusters, here databases.

    It answers for questions on databases that were not in the test, where the interval over
    questions answers for further questions on the same ones. `values` holds one number per
    question: a mark for an accuracy, the difference of two marks for a paired difference.

    Source: C. A. Field, A. H. Welsh (2007), "Bootstrapping clustered data", JRSS B 69, 369-390
    (the cluster bootstrap). With few clusters it is too narrow; with one it does not exist (None).
    """
    draws = cluster_draws(values, clusters, seed)
    return None if draws is None else _percentiles(draws, confidence)


def cluster_draws(
    values: NDArray, clusters: Sequence[Hashable], seed: int = SEED
) -> NDArray[np.float64] | None:
    """Means of resamples of whole clusters, shape (DRAWS,); None where there is one cluster only."""
    _, index = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    sizes = np.bincount(index)
    if len(sizes) < 2:
        return None
    sums = np.bincount(index, weights=values)
    weights = _cluster_weights(len(sizes), seed)
    return (weights @ sums) / (weights @ sizes)


@lru_cache(maxsize=4)
def _cluster_weights(clusters: int, seed: int) -> NDArray[np.float64]:
    """How often each resample holds each cluster, shape (DRAWS, clusters); shared by all means."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=DRAWS).astype(float)


def difference_interval(
    counts: Discordance, n: int, confidence: float = 0.95, seed: int = SEED
) -> Interval:
    """Interval of the difference of two accuracies measured on the same n questions.

    A bootstrap, or with fewer than `FEW` disagreements the interval that belongs to McNemar's exact test.

    A resample of n questions holds multinomial numbers of wins, losses and ties, so these are
    drawn instead of the questions: the same distribution at a thousandth of the work.

    Source: B. Efron, R. J. Tibshirani (1993), "An Introduction to the Bootstrap", chapter 13.
    """
    if n == 0:
        return Interval(-1.0, 1.0)
    if sum(counts) < FEW:
        return exact_difference_interval(counts, n, confidence)
    wins, losses = counts.wins / n, counts.losses / n
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(n, [wins, losses, max(0.0, 1 - wins - losses)], size=DRAWS)
    return _percentiles((draws[:, 0] - draws[:, 1]) / n, confidence)


@lru_cache(maxsize=1_000)
def exact_difference_interval(counts: Discordance, n: int, confidence: float = 0.95) -> Interval:
    """Interval of a paired difference that excludes 0 exactly where McNemar's exact test finds one.

    The difference is t (2 b - 1): the share t of questions on which the two disagree, and the share b of these that
    the first wins. The limit is a quantile of this product, each factor with the distribution whose quantiles are the
    limits of Clopper and Pearson for it; t takes its upper distribution where the product is below 0. Without any
    disagreement it is the rule of three: no more than 3.7 questions of n either way.

    Source: M. P. Fay, K. Lumbard (2021), "Confidence intervals for difference in proportions for matched pairs
    compatible with exact McNemar's or sign tests", Statistics in Medicine 40, 1147-1159.
    """
    tail = (1 - confidence) / 2
    wins, losses = counts
    return Interval(_exact_limit(wins, losses, n, tail), -_exact_limit(losses, wins, n, tail))


def _exact_limit(wins: float, losses: float, n: int, tail: float) -> float:
    """The lower limit, by halving the range that it lies in."""
    total = wins + losses
    chances = (np.arange(GRID) + 0.5) / GRID

    def won(share: NDArray) -> NDArray:
        """Chance that b, by its lower distribution, is at most this; without a win b is 0."""
        inside = np.clip(share, 0, 1)
        return special.betainc(wins, losses + 1, inside) if wins else (share >= 0).astype(float)

    if won(np.array(0.5)) <= tail:
        shares = special.betaincinv(total, n - total + 1, chances)
        low, high = 0.0, 1.0
    else:
        shares = special.betaincinv(total + 1, n - total, chances) if total < n else np.ones(1)
        low, high = -1.0, 0.0
    for _ in range(30):
        middle = (low + high) / 2
        below = won((1 + middle / shares) / 2).mean() <= tail
        low, high = (middle, high) if below else (low, middle)
    return low


def _percentiles(draws: NDArray, confidence: float) -> Interval:
    tail = 50 * (1 - confidence)
    low, high = np.percentile(draws, [tail, 100 - tail])
    return Interval(float(low), float(high))
