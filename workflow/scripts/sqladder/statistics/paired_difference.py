"""What may be claimed of the difference of two variants, over questions, in whole groups, and over seeds.

The variance between seeds, known from those of all variants where there are others (`seed_scatter`), is added as in
`sqladder.statistics.seeds`. Where it has fewer than four degrees of freedom, Satterthwaite's approximation leaves up to
8 % false claims if seeds scatter more than questions do, so the quantile is Cochran's (`WeightedComponents`). So it is
where a side has two seeds, which may hide that they scatter more than those of others, and where a single seed
borrows the variance of others: the seeds' share in the variance is then the larger.

With one seed on both sides there is nothing between seeds: all speaks of the models trained here.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sqladder.statistics.groups import (
    Groups,
    VarianceComponent,
    WeightedComponents,
    variance_of_mean,
)
from sqladder.statistics.intervals import Interval, around, exact_difference_interval
from sqladder.statistics.paired import Discordance, sign_flip_p
from sqladder.statistics.power import detectable_difference, detectable_over_seeds
from sqladder.statistics.seed_scatter import Scatter
from sqladder.statistics.seeds import (
    Answers,
    are_enough,
    between_seeds,
    crossed,
    crossed_variance,
    noise_of_answers,
    total,
)

ANY_DIFFERENCE = Interval(-1.0, 1.0)


class Estimate(NamedTuple):
    """A value with its variance."""

    value: float
    error: VarianceComponent


def add_two(sums: NDArray, sizes: NDArray, added: float) -> tuple[NDArray, NDArray]:
    """Sums and sizes of groups, and of two questions more that differ by as much for and against.

    Args:
        sums: of the groups, in the last axis.
        sizes: of the groups.
        added: difference of the first of the two questions.
    """
    more = np.broadcast_to((added, -added), (*sums.shape[:-1], 2))
    return np.concatenate([sums, more], axis=-1), np.append(sizes, (1, 1))


class Difference(ABC):
    """The difference of two variants' accuracies on the same questions; what it is known from, subclasses say.

    Attributes:
        counts: questions that only the first and that only the second answers right, as means over all pairs
            of their seeds.
        groups: of the questions.
        seeds: what the seeds add to the variance of the mean; None with one seed on both sides.
    """

    counts: Discordance
    groups: Groups
    seeds: VarianceComponent | None

    @property
    def n(self) -> int:
        """Number of questions."""
        return len(self.groups.index)

    @property
    @abstractmethod
    def mean(self) -> float:
        """The first variant's accuracy less the second's."""

    @property
    @abstractmethod
    def agreed(self) -> bool:
        """Whether the difference is the same for all questions, and a whole number."""

    @property
    @abstractmethod
    def squares(self) -> float:
        """Sum over groups of the squared sum of differences."""

    @property
    @abstractmethod
    def sign_flip_p(self) -> float:
        """P by sign flips of whole groups, for one seed on both sides."""

    @abstractmethod
    def between(self, groups: Groups) -> VarianceComponent:
        """Variance of the mean between groups of questions, two or more, which may be the databases."""

    @abstractmethod
    def with_two_added(self) -> Estimate:
        """The mean and its variance between groups, with one question more for either variant."""

    @abstractmethod
    def reversed(self) -> "Difference":
        """The same difference seen from the second variant."""

    def with_seeds(
        self, between: VarianceComponent, groups: Groups
    ) -> VarianceComponent | WeightedComponents:
        """The component between groups of questions, or between databases, with that between seeds."""
        return between

    @property
    def p(self) -> float:
        """Two-sided p of "both variants are equally accurate", for further questions on the same databases.

        Sign flips of whole groups, or with several seeds their form as a score with the component between seeds added
        to the variance: the squared sum of the groups' differences over the sum of their squares generalises to the
        squared mean difference over the variance that it has when the true one is 0. That variance is not 0 where
        all questions agree, so that a handful of questions cannot prove anything.
        """
        if not self.squares:
            return 1.0
        if self.seeds is None:
            return self.sign_flip_p
        null = self._null()
        return null.two_sided_p(self.mean / null.variance**0.5)

    def interval(self, alpha: float = 0.05) -> Interval:
        """Interval of the difference, for further questions on the same databases and further seeds.

        Student's over groups, to which two questions are added, one that only the first and one that only the second
        answers right: with few disagreements it then holds the true difference as often as it says. With several seeds
        one seed of each does so: three seeds that all did would be three answers more. Where all questions agree it is
        exact.

        Source: D. G. Bonett, R. M. Price (2012), "Adjusted Wald confidence interval for a difference of binomial
        proportions based on paired data", Journal of Educational and Behavioral Statistics 37, 479-488.
        """
        if self.n == 0:
            return ANY_DIFFERENCE
        if self.agreed:
            worth = self.groups.effective
            counts = Discordance(worth * (self.mean > 0), worth * (self.mean < 0))
            return exact_difference_interval(counts, worth, alpha)
        centre, between = self.with_two_added()
        found = around(centre, self.with_seeds(between, self.groups), ANY_DIFFERENCE, alpha)
        return found.hull(Interval(self.mean, self.mean))

    def on_new_databases(
        self, databases: Groups, alpha: float = 0.05, same: Interval | None = None
    ) -> Interval | None:
        """Interval of the difference for questions on further databases; None with one database.

        Student's over databases, and never narrower than the one for further questions on the same databases: `same`,
        where that is known already.
        """
        if len(databases.sizes) < 2:
            return None
        error = self.with_seeds(self.between(databases), databases)
        own = around(self.mean, error, ANY_DIFFERENCE, alpha)
        return own.hull(same or self.interval(alpha))

    @property
    def standard_error(self) -> float | None:
        """Of the difference, over groups of questions and seeds; None with fewer than two groups."""
        if len(self.groups.sizes) < 2:
            return None
        return self.with_seeds(self.between(self.groups), self.groups).variance ** 0.5

    @property
    def question_variance(self) -> float:
        """Variance of the difference between groups of questions, were the true one 0."""
        return self.squares / self.n**2 if self.n else 0.0

    @property
    def null_questions(self) -> VarianceComponent:
        """The same with its degrees of freedom."""
        return VarianceComponent(self.question_variance, max(1, len(self.groups.sizes) - 1))

    def _null(self) -> VarianceComponent | WeightedComponents:
        """Variance of the difference over groups and seeds, were the true one 0."""
        return self.with_seeds(self.null_questions, self.groups)

    def detectable(self, alpha: float = 0.05, power: float = 0.8) -> float | None:
        """Smallest true difference that the test would find with this power.

        None if it is none that disagreements as frequent as these leave possible.

        Args:
            alpha: level of the test, divided by the number of comparisons that it is adjusted for.
            power: chance to find the difference.
        """
        if not self.squares:
            return None
        if self.seeds is None:
            groups = len(self.groups.sizes)
            smallest = detectable_difference(self.squares, groups, self.n, alpha, power)
        else:
            smallest = detectable_over_seeds(self._null(), alpha, power)
        possible = sum(self.counts) / self.n
        return smallest if smallest is not None and smallest <= possible else None


@dataclass(frozen=True)
class PairedDifference(Difference):
    """A difference that is known from the answers to each question.

    Attributes:
        values: for each question, the share of the first variant's seeds that answer it right less that of
            the second's, from -1 to 1.
        borrowed: whether a single seed borrows the variance of others.
        noisy: answers, or differences, of each side with several seeds, shape (seeds, n), from which the noise of
            single answers is known; empty with one seed on both sides.
        fewest: seeds of the side that has fewer.
        freedom: degrees of freedom with which it is known how far seeds scatter.
    """

    values: NDArray
    counts: Discordance
    groups: Groups
    seeds: VarianceComponent | None
    borrowed: bool = False
    noisy: tuple[NDArray, ...] = ()
    fewest: int = 1
    freedom: float = 0

    @classmethod
    def of(
        cls,
        first: Answers,
        second: Answers,
        groups: Groups,
        same_models: bool = False,
        single_seed_varies: bool = False,
        scatter: Scatter | None = None,
    ) -> "PairedDifference":
        """Compare two variants' answers.

        Args:
            first: answers of the first, shape (seeds, n).
            second: answers of the second, shape (its seeds, n).
            groups: of the n questions.
            same_models: whether row i of both comes from the same model, so that its noise is shared.
            single_seed_varies: whether another seed would have given another model where one side has a single
                one; its variance is then taken to be that of others' seeds.
            scatter: how far seeds of several variants scatter, or of `same_models` such differences; without it
                the seeds of these two tell it alone.
        """
        if first.shape[1] == 0:
            return cls(np.zeros(0), Discordance(0, 0), groups, None)
        if len(first) == len(second) == 1:
            values = first[0].astype(float) - second[0]
            counts = Discordance(int((values > 0).sum()), int((values < 0).sum()))
            return cls(values, counts, groups, None)
        lone = single_seed_varies and min(len(first), len(second)) == 1
        if same_models:
            pairs = first & ~second, second & ~first
            differences = first.astype(float) - second
            seeds = (
                scatter.between_seeds(differences)
                if scatter
                else between_seeds(differences.mean(axis=1))
            )
            wins, losses = (rows.sum() / len(rows) for rows in pairs)
            noisy: tuple[NDArray, ...] = (differences,)
        else:
            one, other = first.mean(axis=0), second.mean(axis=0)
            varying = [rows for rows in (first, second) if lone or len(rows) > 1]
            seeds = (
                scatter.between_seeds(*varying)
                if scatter
                else _between_own_seeds(first, second, lone)
            )
            wins, losses = (one * (1 - other)).sum(), (other * (1 - one)).sum()
            noisy = tuple(answers for answers in (first, second) if len(answers) > 1)
        values = first.mean(axis=0) - second.mean(axis=0)
        counts = Discordance(float(wins), float(losses))
        fewest = min(len(first), len(second))
        # Two variants' own, added up, is what `are_enough` asks for; a pooled scatter says with how many it is known.
        freedom = seeds.degrees_of_freedom if scatter else sum(len(rows) - 1 for rows in noisy)
        return cls(values, counts, groups, seeds, lone, noisy, fewest, freedom)

    @cached_property
    def sums(self) -> NDArray[np.float64]:
        """Sum of the differences in each group."""
        return self.groups.sums(self.values)

    @cached_property
    def mean(self) -> float:
        """The first variant's accuracy less the second's."""
        return float(self.values.mean())

    @property
    def agreed(self) -> bool:
        """Whether the difference is the same for all questions, and a whole number."""
        return abs(self.mean) in (0, 1) and not np.ptp(self.values)

    @property
    def squares(self) -> float:
        """Sum over groups of the squared sum of differences."""
        return float((self.sums**2).sum())

    @property
    def sign_flip_p(self) -> float:
        """P by sign flips of whole groups, for one seed on both sides."""
        return sign_flip_p(self.sums)

    def between(self, groups: Groups) -> VarianceComponent:
        """Variance of the mean between groups of questions, two or more, which may be the databases."""
        return variance_of_mean(groups.sums(self.values), groups.sizes)

    def with_two_added(self) -> Estimate:
        """The mean and its variance between groups, with one question more for either variant."""
        sums, sizes = add_two(self.sums, self.groups.sizes, 1 / self.fewest)
        return Estimate(float(sums.sum() / sizes.sum()), variance_of_mean(sums, sizes))

    def reversed(self) -> "PairedDifference":
        """The same difference seen from the second variant."""
        wins, losses = self.counts
        return replace(self, values=-self.values, counts=Discordance(losses, wins))

    def with_seeds(
        self, between: VarianceComponent, groups: Groups
    ) -> VarianceComponent | WeightedComponents:
        """The component between groups of questions, or between databases, with that between seeds."""
        if self.seeds is None:
            return between
        noise = total(*(noise_of_answers(answers, groups) for answers in self.noisy))
        if self.borrowed:
            # As of the seeds: one estimate for the several seeds and for the single one.
            several = max(len(answers) for answers in self.noisy)
            noise = noise._replace(variance=(several + 1) * noise.variance)
        if not self.borrowed and are_enough(min(map(len, self.noisy)), self.freedom):
            return crossed(between, self.seeds, noise)
        rest = crossed_variance(between, self.seeds, noise) - self.seeds.variance
        return WeightedComponents(between._replace(variance=rest), self.seeds)


def _between_own_seeds(first: Answers, second: Answers, lone: bool) -> VarianceComponent:
    """What the seeds of two variants, one of them with several, add to the variance of their difference."""
    seeds = total(between_seeds(first.mean(axis=1)), between_seeds(second.mean(axis=1)))
    if not lone:
        return seeds
    # One estimate for both sides: variance / k of the k seeds, and variance / 1 of the single one.
    several = max(len(first), len(second))
    return seeds._replace(variance=(several + 1) * seeds.variance)
