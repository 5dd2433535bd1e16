"""Intervals and tests of one variant or two, over questions, in whole groups, and over seeds.

Another seed gives another model, so a difference between two variants is known no better than the seeds agree. Pooling
the answers of all seeds, as if each were a question of its own, forgets that and finds differences that are none.

Seeds and groups of questions are crossed: each seed answers each group. The variance of a mean over both is that of
its mean over seeds between groups, plus that of its mean over questions between seeds, less that of single answers,
which both of them hold (`crossed`). A. B. Owen (2007), "The pigeonhole bootstrap", Annals of Applied Statistics 1,
386-411, shows that the sum without the last counts the answers' noise twice. A few seeds tell their variance badly;
Student's t with the degrees of freedom of F. E. Satterthwaite (1946), "An approximate distribution of estimates of
variance components", Biometrics Bulletin 2, 110-114, makes up for that, where a bootstrap of three seeds could not.

With one seed on both sides there is nothing between seeds: all speaks of the models trained here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sqladder.statistics.groups import NOTHING, Groups, VarianceComponent, variance_of_mean
from sqladder.statistics.intervals import (
    Interval,
    around,
    effective_wilson,
    exact_difference_interval,
    share_variance,
)
from sqladder.statistics.paired import Discordance, sign_flip_p
from sqladder.statistics.power import detectable_difference, detectable_over_seeds

Marks = NDArray[np.bool_]
"""One mark per question, in one order for all variants: true where the answer is right."""

Answers = NDArray[np.bool_]
"""Marks of one variant, shape (seeds, questions): true where the answer is right."""

ANY_DIFFERENCE = Interval(-1.0, 1.0)


def between_seeds(means: Sequence[float]) -> VarianceComponent:
    """Variance of the mean of several seeds' means; a single seed tells nothing of it."""
    if len(means) < 2:
        return NOTHING
    return VarianceComponent(float(np.var(means, ddof=1)) / len(means), len(means) - 1)


def total(*components: VarianceComponent, cautious: bool = False) -> VarianceComponent:
    """The sum of independent components, with Satterthwaite's degrees of freedom, or the fewest of any component.

    Where all variances are 0, the degrees of freedom are the fewest too: that all agree is then known of few only.
    """
    variance = sum(component.variance for component in components)
    uncertain = sum(
        component.variance**2 / component.degrees_of_freedom for component in components
    )
    if cautious or not variance:
        fewest = min(component.degrees_of_freedom for component in components)
        return VarianceComponent(variance, fewest)
    return VarianceComponent(variance, variance**2 / uncertain if uncertain else np.inf)


def noise_of_answers(answers: NDArray, groups: Groups) -> VarianceComponent:
    """Variance that a mean has from single answers: what neither the seed nor the group explains.

    It is the mean square of the interaction of seeds and groups over the number of cells; a single seed or group tells
    nothing of it.

    Args:
        answers: marks of one variant, or differences of two, shape (seeds, n).
        groups: of the n questions.
    """
    seeds, count = len(answers), len(groups.sizes)
    if seeds < 2 or count < 2:
        return NOTHING
    n = answers.shape[1]
    own = np.array([groups.sums(row) for row in answers])
    own -= np.outer(own.sum(axis=1) / n, groups.sizes)
    own -= own.mean(axis=0)
    cells = seeds * (seeds - 1) * (count - 1) / count
    return VarianceComponent(float((own**2).sum()) / n**2 / cells, (seeds - 1) * (count - 1))


def crossed(
    questions: VarianceComponent,
    seeds: VarianceComponent,
    answers: VarianceComponent,
    cautious: bool = False,
) -> VarianceComponent:
    """Variance of a mean over seeds and groups of questions, with Satterthwaite's degrees of freedom.

    The mean over seeds varies between groups by the groups and by a share of single answers, the mean over questions
    between seeds by the seeds and by as much of single answers: one of the two is taken off. By chance that may be more
    than the seeds vary, so the variance is never less than the larger of the two.

    Source: J. Cornfield, J. W. Tukey (1956), "Average values of mean squares in factorials", Annals of Mathematical
    Statistics 27, 907-949; as two-way clusters A. C. Cameron, J. B. Gelbach, D. L. Miller (2011), "Robust inference
    with multiway clustering", Journal of Business & Economic Statistics 29, 238-249. Degrees of freedom of a sum with
    a part taken off: D. W. Gaylor, F. N. Hopper (1969), Technometrics 11, 691-706.

    Args:
        questions: variance of the mean between groups of questions, or between databases.
        seeds: its variance between seeds.
        answers: its variance from single answers, over the same groups (`noise_of_answers`).
        cautious: whether the degrees of freedom are the fewest of any component.
    """
    found = total(questions, seeds, answers, cautious=cautious)
    both = questions.variance + seeds.variance
    variance = max(questions.variance, seeds.variance, both - answers.variance)
    if cautious or not found.variance:
        return found._replace(variance=variance)
    # Satterthwaite's for this variance: that of the sum, times the square of their ratio.
    freedom = found.degrees_of_freedom * (variance / found.variance) ** 2
    return VarianceComponent(variance, freedom)


def accuracy_interval(answers: Answers, groups: Groups, alpha: float = 0.05) -> Interval:
    """Interval of a mean accuracy, for further questions on the same databases and, with several, further seeds.

    Wilson's, for as many questions as the variance between groups and between seeds is worth.

    Args:
        answers: of one variant, shape (seeds, n).
        groups: of the n questions.
        alpha: share of such intervals that miss the true value.
    """
    if answers.shape[1] == 0:
        return Interval(0.0, 1.0)
    values = answers.mean(axis=0)
    share = float(values.mean())
    questions = share_variance(values, groups)
    if share in (0, 1):
        # This tells nothing of how alike a group's questions are: they may all be.
        return effective_wilson(share, questions, groups.effective, alpha)
    error = over_seeds(questions, answers, groups)
    if len(answers) > 1:
        # Seeds with equal means do not make the variance a known one.
        error = error._replace(degrees_of_freedom=min(error.degrees_of_freedom, len(values) - 1))
    return effective_wilson(share, error, len(values), alpha)


def accuracy_error(answers: Answers, groups: Groups) -> float:
    """Standard error of a mean accuracy, for further questions on the same databases and further seeds."""
    return over_seeds(share_variance(answers.mean(axis=0), groups), answers, groups).variance ** 0.5


def over_seeds(questions: VarianceComponent, answers: Answers, groups: Groups) -> VarianceComponent:
    """Variance of a mean accuracy whose part between the groups is known; that part where there is one seed."""
    if len(answers) == 1:
        return questions
    seeds = between_seeds(answers.mean(axis=1).tolist())
    return crossed(questions, seeds, noise_of_answers(answers, groups))


def new_databases_interval(
    answers: Answers, groups: Groups, databases: Groups, alpha: float = 0.05
) -> Interval | None:
    """Interval of a mean accuracy for questions on further databases; None with one database.

    The same with databases for groups, and never narrower than that for further questions on the same databases.
    """
    if len(databases.sizes) < 2:
        return None
    values = answers.mean(axis=0)
    share = float(values.mean())
    between = variance_of_mean(databases.sums(values), databases.sizes)
    error = over_seeds(between, answers, databases)
    most = databases.effective if share in (0, 1) else len(values)
    own = effective_wilson(share, error, most, alpha)
    return own.hull(accuracy_interval(answers, groups, alpha))


@dataclass(frozen=True)
class PairedDifference:
    """The difference of two variants' accuracies on the same questions.

    Attributes:
        values: for each question, the share of the first variant's seeds that answer it right less that of
            the second's, from -1 to 1.
        counts: questions that only the first and that only the second answers right, as means over all pairs
            of their seeds.
        groups: of the questions.
        seeds: what the seeds add to the variance of the mean; None with one seed on both sides.
        cautious: whether the degrees of freedom are those of the seeds: where a single seed borrows the variance of
            the other side's, Satterthwaite's leave 8 % false claims among equal variants.
        noisy: answers, or differences, of each side with several seeds, shape (seeds, n), from which the noise of
            single answers is known; empty with one seed on both sides.
        fewest: seeds of the side that has fewer.
    """

    values: NDArray
    counts: Discordance
    groups: Groups
    seeds: VarianceComponent | None
    cautious: bool = False
    noisy: tuple[NDArray, ...] = ()
    fewest: int = 1

    @classmethod
    def between(
        cls,
        first: Answers,
        second: Answers,
        groups: Groups,
        same_models: bool = False,
        single_seed_varies: bool = False,
    ) -> "PairedDifference":
        """Compare two variants' answers.

        Args:
            first: answers of the first, shape (seeds, n).
            second: answers of the second, shape (its seeds, n).
            groups: of the n questions.
            same_models: whether row i of both comes from the same model, so that its noise is shared.
            single_seed_varies: whether another seed would have given another model where one side has a single
                one; its variance is then taken to be that of the other side's seeds.
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
            seeds = between_seeds(first.mean(axis=1) - second.mean(axis=1))
            wins, losses = (rows.sum() / len(rows) for rows in pairs)
            noisy: tuple[NDArray, ...] = (first.astype(float) - second,)
        else:
            one, other = first.mean(axis=0), second.mean(axis=0)
            seeds = total(between_seeds(first.mean(axis=1)), between_seeds(second.mean(axis=1)))
            if lone:
                # One estimate for both sides: variance / k of the k seeds, and variance / 1 of the single one.
                seeds = VarianceComponent(
                    (max(len(first), len(second)) + 1) * seeds.variance, seeds.degrees_of_freedom
                )
            wins, losses = (one * (1 - other)).sum(), (other * (1 - one)).sum()
            noisy = tuple(answers for answers in (first, second) if len(answers) > 1)
        values = first.mean(axis=0) - second.mean(axis=0)
        counts = Discordance(float(wins), float(losses))
        fewest = min(len(first), len(second))
        return cls(values, counts, groups, seeds, lone, noisy, fewest)

    @property
    def n(self) -> int:
        """Number of questions."""
        return len(self.values)

    @cached_property
    def sums(self) -> NDArray[np.float64]:
        """Sum of the differences in each group."""
        return self.groups.sums(self.values)

    def reversed(self) -> "PairedDifference":
        """The same difference seen from the second variant."""
        wins, losses = self.counts
        return replace(self, values=-self.values, counts=Discordance(losses, wins))

    @property
    def p(self) -> float:
        """Two-sided p of "both variants are equally accurate", for further questions on the same databases.

        Sign flips of whole groups, or with several seeds their form as a score with the component between seeds added
        to the variance: the squared sum of the groups' differences over the sum of their squares generalises to the
        squared mean difference over the variance that it has when the true one is 0. That variance is not 0 where
        all questions agree, so that a handful of questions cannot prove anything.
        """
        if not self.sums.any():
            return 1.0
        if self.seeds is None:
            return sign_flip_p(self.sums)
        null = VarianceComponent(self.question_variance, max(1, len(self.sums) - 1))
        both = self._with_seeds(null, self.groups)
        score = abs(float(self.values.mean())) / both.variance**0.5
        return float(min(1.0, 2 * special.stdtr(both.degrees_of_freedom, -score)))

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
        estimate = float(self.values.mean())
        if abs(estimate) in (0, 1) and not np.ptp(self.values):
            worth = self.groups.effective
            counts = Discordance(worth * (estimate > 0), worth * (estimate < 0))
            return exact_difference_interval(counts, worth, alpha)
        added = 1 / self.fewest
        sums = np.append(self.sums, (added, -added))
        sizes = np.append(self.groups.sizes, (1, 1))
        error = self._with_seeds(variance_of_mean(sums, sizes), self.groups)
        found = around(float(sums.sum() / sizes.sum()), error, ANY_DIFFERENCE, alpha)
        return found.hull(Interval(estimate, estimate))

    def on_new_databases(
        self, databases: Groups, alpha: float = 0.05, same: Interval | None = None
    ) -> Interval | None:
        """Interval of the difference for questions on further databases; None with one database.

        Student's over databases, and never narrower than the one for further questions on the same databases: `same`,
        where that is known already.
        """
        if len(databases.sizes) < 2:
            return None
        between = variance_of_mean(databases.sums(self.values), databases.sizes)
        error = self._with_seeds(between, databases)
        own = around(float(self.values.mean()), error, ANY_DIFFERENCE, alpha)
        return own.hull(same or self.interval(alpha))

    @property
    def standard_error(self) -> float | None:
        """Of the difference, over groups of questions and seeds; None with fewer than two groups."""
        if len(self.groups.sizes) < 2:
            return None
        between = variance_of_mean(self.sums, self.groups.sizes)
        return self._with_seeds(between, self.groups).variance ** 0.5

    @property
    def question_variance(self) -> float:
        """Variance of the difference between groups of questions, were the true one 0."""
        return float((self.sums**2).sum()) / self.n**2 if self.n else 0.0

    def _with_seeds(self, between: VarianceComponent, groups: Groups) -> VarianceComponent:
        """The component between groups of questions, or between databases, with that between seeds."""
        if self.seeds is None:
            return between
        noise = total(*(noise_of_answers(answers, groups) for answers in self.noisy))
        if self.cautious:
            # As of the seeds: one estimate for the several seeds and for the single one.
            several = max(len(answers) for answers in self.noisy)
            noise = noise._replace(variance=(several + 1) * noise.variance)
        return crossed(between, self.seeds, noise, self.cautious)

    def detectable(self, alpha: float = 0.05, power: float = 0.8) -> float | None:
        """Smallest true difference that the test would find with this power.

        None if it is none that disagreements as frequent as these leave possible.

        Args:
            alpha: level of the test, divided by the number of comparisons that it is adjusted for.
            power: chance to find the difference.
        """
        sums = self.groups.sums(self.values)
        if not sums.any():
            return None
        if self.seeds is None:
            squares = float((sums**2).sum())
            smallest = detectable_difference(squares, len(sums), self.n, alpha, power)
        else:
            between = VarianceComponent(self.question_variance, max(1, len(sums) - 1))
            both = self._with_seeds(between, self.groups)
            smallest = detectable_over_seeds(*both, alpha, power)
        possible = sum(self.counts) / self.n
        return smallest if smallest is not None and smallest <= possible else None
