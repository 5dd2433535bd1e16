"""Intervals and tests where variants were run with several seeds: both questions and seeds are samples.

Another seed gives another model, so a difference between two variants is known no better than the seeds agree. Pooling
the answers of all seeds, as if each were a question of its own, forgets that and finds differences that are none.

The variance of a mean over seeds and questions is taken as the sum of two components: that of its mean over seeds
between questions, and that of its mean over questions between seeds. The sum counts the noise of single answers twice,
so it is too large rather than too small: A. B. Owen (2007), "The pigeonhole bootstrap", Annals of Applied Statistics 1,
386-411. A few seeds tell their variance badly; Student's t with the degrees of freedom of F. E. Satterthwaite (1946),
"An approximate distribution of estimates of variance components", Biometrics Bulletin 2, 110-114, makes up for that,
where a bootstrap of three seeds could not.

With one seed on both sides there is nothing between seeds, and everything is what `paired` and `intervals` give.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sqladder.statistics.groups import fisher_p
from sqladder.statistics.intervals import (
    Interval,
    cluster_draws,
    clustered_interval,
    difference_interval,
    wilson,
    wilson_interval,
)
from sqladder.statistics.paired import Discordance, mcnemar_p
from sqladder.statistics.power import detectable_difference

Marks = NDArray[np.bool_]
"""One mark per question, in one order for all variants: true where the answer is right."""

Answers = NDArray[np.bool_]
"""Marks of one variant, shape (seeds, questions): true where the answer is right."""


class VarianceComponent(NamedTuple):
    """A variance component, with the degrees of freedom that it is estimated with."""

    variance: float
    degrees_of_freedom: float


NOTHING = VarianceComponent(0.0, np.inf)


def between_seeds(means: Sequence[float]) -> VarianceComponent:
    """Variance of the mean of several seeds' means; a single seed tells nothing of it."""
    if len(means) < 2:
        return NOTHING
    return VarianceComponent(float(np.var(means, ddof=1)) / len(means), len(means) - 1)


def total(*components: VarianceComponent, cautious: bool = False) -> VarianceComponent:
    """The sum of independent components, with Satterthwaite's degrees of freedom, or the fewest of any component."""
    variance = sum(component.variance for component in components)
    if cautious:
        return VarianceComponent(
            variance, min(component.degrees_of_freedom for component in components)
        )
    uncertain = sum(
        component.variance**2 / component.degrees_of_freedom for component in components
    )
    return VarianceComponent(variance, variance**2 / uncertain if uncertain else np.inf)


def accuracy_interval(correct: Sequence[int], n: int, confidence: float = 0.95) -> Interval:
    """Interval of the mean accuracy over seeds: Wilson's, for as many questions as its variance is worth.

    With one seed this is Wilson's interval. With several, the component between questions is at most
    that of one seed, p (1 - p) / n, and the component between seeds is added; the effective number of questions is the
    one with this variance, reduced for few seeds as survey samplers do.

    Source: E. L. Korn, B. I. Graubard (1998), "Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data", Survey Methodology 24, 193-201.

    Args:
        correct: right answers of each seed.
        n: questions, the same for all seeds.
        confidence: share of such intervals that hold the true value.
    """
    if len(correct) == 1 or n == 0:
        return wilson_interval(sum(correct), n, confidence)
    rates = [right / n for right in correct]
    share = float(np.mean(rates))
    questions = VarianceComponent(share * (1 - share) / n, np.inf)
    if questions.variance == 0:
        return wilson(share, n, confidence)
    both = total(questions, between_seeds(rates))
    tail = (1 - confidence) / 2
    shrink = (special.ndtri(tail) / special.stdtrit(both.degrees_of_freedom, tail)) ** 2
    return wilson(share, shrink * share * (1 - share) / both.variance, confidence)


def new_databases_interval(answers: Answers, clusters: Sequence[Hashable]) -> Interval | None:
    """Interval of the mean accuracy that resamples whole databases; None with one database."""
    if len(answers) == 1:
        return clustered_interval(answers[0].astype(float), clusters)
    seeds = between_seeds(answers.mean(axis=1))
    return _clustered(answers.mean(axis=0), seeds, clusters, Interval(0, 1))


def _clustered(
    values: NDArray,
    seeds: VarianceComponent,
    clusters: Sequence[Hashable],
    bounds: Interval,
    cautious: bool = False,
) -> Interval | None:
    draws = cluster_draws(values, clusters)
    if draws is None:
        return None
    databases = VarianceComponent(float(np.var(draws)), len(set(clusters)) - 1)
    return _around(float(values.mean()), total(databases, seeds, cautious=cautious), bounds)


def _around(
    estimate: float, error: VarianceComponent, bounds: Interval, confidence: float = 0.95
) -> Interval:
    """Student's interval, cut where no value can lie."""
    reach = special.stdtrit(error.degrees_of_freedom, (1 + confidence) / 2) * error.variance**0.5
    return Interval(
        float(max(bounds.low, estimate - reach)), float(min(bounds.high, estimate + reach))
    )


def groups_p(one: Sequence[int], n_one: int, other: Sequence[int], n_other: int) -> float:
    """Two-sided p of "one variant is equally accurate on two groups of questions".

    Fisher's exact test; with several seeds a t-test with the component between seeds of the difference, in
    which the component between questions is the largest that shares can have when both groups are equal.

    Args:
        one: right answers of each seed in the first group, of `n_one` questions.
        n_one: questions of the first group, at least one.
        other: right answers of each seed in the second group, of `n_other` questions.
        n_other: questions of the second group, at least one.
    """
    if len(one) == 1:
        return fisher_p(one[0], n_one, other[0], n_other)
    gaps = np.asarray(one) / n_one - np.asarray(other) / n_other
    share = (np.mean(one) + np.mean(other)) / (n_one + n_other)
    questions = float(share * (1 - share) * (1 / n_one + 1 / n_other))
    if questions == 0:
        return 1.0
    between_questions = VarianceComponent(questions, max(1, n_one + n_other - 2))
    both = total(between_questions, between_seeds(gaps.tolist()))
    return float(2 * special.stdtr(both.degrees_of_freedom, -abs(gaps.mean()) / both.variance**0.5))


@dataclass(frozen=True)
class PairedDifference:
    """The difference of two variants' accuracies on the same questions.

    Attributes:
        values: for each question, the share of the first variant's seeds that answer it right less that of
            the second's, from -1 to 1.
        counts: questions that only the first and that only the second answers right, as means over all pairs
            of their seeds.
        seeds: what the seeds add to the variance of the mean; None with one seed on both sides.
        cautious: whether the degrees of freedom are those of the seeds: where a single seed borrows the variance of
            the other side's, Satterthwaite's leave 8 % false claims among equal variants.
    """

    values: NDArray
    counts: Discordance
    seeds: VarianceComponent | None
    cautious: bool = False

    @classmethod
    def between(
        cls,
        first: Answers,
        second: Answers,
        same_models: bool = False,
        single_seed_varies: bool = False,
    ) -> "PairedDifference":
        """Compare two variants' answers.

        Args:
            first: answers of the first, shape (seeds, n).
            second: answers of the second, shape (its seeds, n).
            same_models: whether row i of both comes from the same model, so that its noise is shared.
            single_seed_varies: whether another seed would have given another model where one side has a single
                one; its variance is then taken to be that of the other side's seeds.
        """
        if first.shape[1] == 0:
            return cls(np.zeros(0), Discordance(0, 0), None)
        lone = single_seed_varies and min(len(first), len(second)) == 1
        if same_models:
            pairs = first & ~second, second & ~first
            seeds = between_seeds(first.mean(axis=1) - second.mean(axis=1))
            counts = [rows.sum() / len(rows) for rows in pairs]
        else:
            one, other = first.mean(axis=0), second.mean(axis=0)
            seeds = total(between_seeds(first.mean(axis=1)), between_seeds(second.mean(axis=1)))
            if lone:
                # One estimate for both sides: variance / k of the k seeds, and variance / 1 of the single one.
                seeds = VarianceComponent(
                    (max(len(first), len(second)) + 1) * seeds.variance, seeds.degrees_of_freedom
                )
            counts = [(one * (1 - other)).sum(), (other * (1 - one)).sum()]
        values = first.mean(axis=0) - second.mean(axis=0)
        if len(first) == len(second) == 1:
            return cls(values, Discordance(*(round(count) for count in counts)), None)
        return cls(values, Discordance(*map(float, counts)), seeds, lone)

    @property
    def n(self) -> int:
        """Number of questions."""
        return len(self.values)

    def reversed(self) -> "PairedDifference":
        """The same difference seen from the second variant."""
        return PairedDifference(
            -self.values,
            Discordance(self.counts.losses, self.counts.wins),
            self.seeds,
            self.cautious,
        )

    @property
    def _between_questions(self) -> VarianceComponent:
        return VarianceComponent(float(np.var(self.values, ddof=1)) / self.n, self.n - 1)

    @property
    def p(self) -> float:
        """Two-sided p of "both variants are equally accurate".

        McNemar's exact test, or with several seeds its form as a score with the component between seeds added
        to the variance: (wins - losses)^2 / (wins + losses) generalises to the squared mean difference over
        the variance that it has when the true one is 0. That variance is not 0 where all questions agree,
        so that a handful of questions cannot prove anything.
        """
        if self.seeds is None:
            return mcnemar_p(self.counts)
        if not self.values.any():
            return 1.0
        null = VarianceComponent(float(np.mean(self.values**2)) / self.n, max(1, self.n - 1))
        both = total(null, self.seeds, cautious=self.cautious)
        score = abs(float(self.values.mean())) / both.variance**0.5
        return float(min(1.0, 2 * special.stdtr(both.degrees_of_freedom, -score)))

    @property
    def interval(self) -> Interval:
        """95 % interval of the difference, over questions on the same databases and over seeds."""
        # Answers that agree everywhere have no variance, which does not show that the variants are the same.
        if self.seeds is None or self.n < 2 or not self.values.any():
            return difference_interval(self.counts, self.n)
        both = total(self._between_questions, self.seeds, cautious=self.cautious)
        return _around(float(self.values.mean()), both, Interval(-1, 1))

    def on_new_databases(self, clusters: Sequence[Hashable]) -> Interval | None:
        """95 % interval of the difference, over whole databases and over seeds; None with one database."""
        if self.seeds is None:
            return clustered_interval(self.values, clusters)
        return _clustered(self.values, self.seeds, clusters, Interval(-1, 1), self.cautious)

    def detectable(self, power: float = 0.8, alpha: float = 0.05) -> float | None:
        """Smallest true difference that the test would find with this power, None if there is none below 1.

        With several seeds: H. S. Bloom (1995), "Minimum detectable effects", Evaluation Review 19, 547-556.
        """
        share = sum(self.counts) / self.n if self.n else 0.0
        if self.seeds is None or self.n < 2:
            return detectable_difference(self.n, share, alpha, power) if self.n else None
        both = total(self._between_questions, self.seeds, cautious=self.cautious)
        factor = sum(
            special.stdtrit(both.degrees_of_freedom, chance) for chance in (1 - alpha / 2, power)
        )
        smallest = float(factor * both.variance**0.5)
        return smallest if 0 < smallest < 1 else None
