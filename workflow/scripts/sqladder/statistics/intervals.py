"""Intervals of shares and of paired differences, whose units are whole groups of questions.

One method serves both populations. Further questions on the same databases: the groups are those of one gold query or
conversation. Questions on new databases: the groups are the databases. Distributions are those of `scipy.special`:
`scipy.stats` takes a second to import.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sqladder.statistics.groups import (
    Groups,
    VarianceComponent,
    WeightedComponents,
    variance_of_mean,
)
from sqladder.statistics.paired import Discordance

GRID = 500
"""Points by which the distribution of a share of disagreements is represented."""


class Interval(NamedTuple):
    """Both ends of an interval, in the unit of the estimate (a share from 0 to 1)."""

    low: float
    high: float

    @property
    def holds_0(self) -> bool:
        """Whether no difference is among the values that it holds."""
        return self.low <= 0 <= self.high

    def hull(self, other: "Interval") -> "Interval":
        """The shortest interval that holds both."""
        return Interval(min(self.low, other.low), max(self.high, other.high))


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


def share_variance(values: NDArray, groups: Groups) -> VarianceComponent:
    """Variance of a share between questions, binomial where each question is a group of its own.

    It is never less than binomial: that groups are more alike than chance would make them is taken for chance.

    Args:
        values: for each question its mark, or the share of seeds that answer it right.
        groups: of these questions, one or more.
    """
    share = float(values.sum()) / len(values)
    binomial = share * (1 - share) / len(values)
    if groups.are_single:
        return VarianceComponent(binomial, np.inf)
    if len(groups.sizes) == 1:
        return VarianceComponent(share * (1 - share), 1.0)
    if binomial == 0:
        return VarianceComponent(0.0, max(1.0, groups.effective - 1))
    between = variance_of_mean(groups.sums(values), groups.sizes)
    return between._replace(variance=max(binomial, between.variance))


def effective_wilson(share: float, error: VarianceComponent, most: float, alpha: float) -> Interval:
    """Wilson's interval of a share for the number of questions that its variance is worth.

    That number is reduced where the variance is estimated from few groups or seeds, as survey samplers do.

    Source: E. L. Korn, B. I. Graubard (1998), "Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data", Survey Methodology 24, 193-201.

    Args:
        share: the estimate.
        error: its variance.
        most: the number of independent questions that it is worth at most; taken where none or all are right.
        alpha: share of such intervals that miss the true value.
    """
    shrink = float(special.ndtri(alpha / 2) / special.stdtrit(error.degrees_of_freedom, alpha / 2))
    spread = share * (1 - share)
    worth = min(most, spread / error.variance) if spread and error.variance else most
    return wilson(share, shrink**2 * worth, 1 - alpha)


def around(
    estimate: float,
    error: VarianceComponent | WeightedComponents,
    bounds: Interval,
    alpha: float = 0.05,
) -> Interval:
    """Student's interval, cut where no value can lie."""
    reach = error.quantile(1 - alpha / 2) * error.variance**0.5
    return Interval(
        float(max(bounds.low, estimate - reach)), float(min(bounds.high, estimate + reach))
    )


@lru_cache(maxsize=1_000)
def exact_difference_interval(counts: Discordance, n: float, alpha: float = 0.05) -> Interval:
    """Interval of a paired difference that excludes 0 exactly where McNemar's exact test finds one.

    The difference is t (2 b - 1): the share t of questions on which the two disagree, and the share b of these that
    the first wins. The limit is a quantile of this product, each factor with the distribution whose quantiles are the
    limits of Clopper and Pearson for it; t takes its upper distribution where the product is below 0. Without any
    disagreement it is the rule of three: no more than 3.7 questions of n either way.

    Source: M. P. Fay, K. Lumbard (2021), "Confidence intervals for difference in proportions for matched pairs
    compatible with exact McNemar's or sign tests", Statistics in Medicine 40, 1147-1159.
    """
    wins, losses = counts
    tail = alpha / 2
    return Interval(_exact_limit(wins, losses, n, tail), -_exact_limit(losses, wins, n, tail))


def _exact_limit(wins: float, losses: float, n: float, tail: float) -> float:
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
