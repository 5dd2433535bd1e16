"""How far seeds scatter, told by those of all variants together.

Two or three seeds tell their own scatter badly: with one or two degrees of freedom and many comparisons, Student's t is
so long that no difference that a training can make is ever found. The seeds of all variants of a run together have the
degrees of freedom of all, so the variance between seeds is pooled, as the mean square within groups of an analysis of
variance is (R. A. Fisher 1925, "Statistical Methods for Research Workers"); that many units lend each other what few
repetitions tell badly is the idea of G. K. Smyth (2004), "Linear models and empirical Bayes methods for assessing
differential expression in microarray experiments", Statistical Applications in Genetics and Molecular Biology 3, 3.

Accuracies near 0 and 1 scatter less, so what is pooled is the variance between seeds as a multiple of the variance of a
single mark. Recipes do not all scatter alike, so a variant whose own seeds scatter more than all together keeps its
own: never less than either is taken. One whose own stands out, by an F-test against the others, lends nothing and
borrows nothing: the others are not charged with it, and its own is known with its own degrees of freedom only. So do
B. Phipson, S. Lee, I. J. Majewski, W. S. Alexander, G. K. Smyth (2016), "Robust hyperparameter estimation protects
against hypervariable genes and improves power to detect differential expression", Annals of Applied Statistics 10,
946-963. `benchmarks/claims.py` measures what that holds, also where one variant scatters eight times as far as the
others.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sqladder.statistics.groups import VarianceComponent

OUTSTANDING = 0.95
"""Chance that seeds which scatter as all do are not taken to stand out."""

FEWEST_LEFT = 2
"""Samples that tell the scatter of all once those that stand out are left out; otherwise none is."""

Rows = NDArray
"""Marks of one variant, or differences of two, shape (seeds, questions)."""


class Scatter(NamedTuple):
    """The variance between seeds as a multiple of that of a single mark, or of a single difference of marks.

    Attributes:
        ratio: the multiple, 0 where no two seeds differ.
        degrees_of_freedom: with which it is known.
    """

    ratio: float
    degrees_of_freedom: int

    def between_seeds(self, *sides: Rows) -> VarianceComponent:
        """Variance of a difference of means over seeds, of which each is known by all together, or by its own if more.

        Args:
            sides: one or both of them, each of several seeds or of one, that another seed would have made another.
        """
        # All are known from the same seeds, so their sum is known no better than these tell.
        freedom = self.degrees_of_freedom
        own = [len(rows) - 1 for rows in sides if self.stands_out(rows)]
        return VarianceComponent(sum(map(self._of_mean, sides)), min([freedom, *own]))

    def _of_mean(self, rows: Rows) -> float:
        variance = self.ratio * _single_variance(rows)
        if len(rows) > 1:
            variance = max(variance, _variance_between(rows))
        return variance / len(rows)

    def stands_out(self, rows: Rows) -> bool:
        """Whether seeds scatter more than all together say, by an F-test; a single one tells nothing of it."""
        if len(rows) == 1:
            return False
        all_together = self.ratio * _single_variance(rows)
        found = _outstanding(
            _variance_between(rows), all_together, len(rows) - 1, self.degrees_of_freedom
        )
        return bool(found)


class Sample(NamedTuple):
    """What several sets of rows say of one source of scatter together.

    Attributes:
        rows: of the same seeds, each set of the shape (seeds, questions).
        degrees_of_freedom: that they have in all.
    """

    rows: Sequence[Rows]
    degrees_of_freedom: int


class SeedScatter(NamedTuple):
    """The scatter of a run; None where there is nothing to pool.

    Attributes:
        trainings: of accuracies, between the seeds of one variant; None where a pair is all that has several.
        ways: of differences of two ways to ask the same models, between seeds; None where there is one difference.
    """

    trainings: Scatter | None
    ways: Scatter | None


def seed_scatter(answers: Sequence[Rows], models: Sequence[tuple[Hashable, ...]]) -> SeedScatter:
    """The scatter of a run's variants.

    Args:
        answers: of each variant, shape (its seeds, n).
        models: of each variant, the model that each of its seeds asks. Variants that ask the same ones, seed by seed,
            vary together, so they count as one sample; seeds that all ask one model, which draw answers of it, tell
            nothing of trainings.
    """
    asked: dict[tuple[Hashable, ...], list[Rows]] = defaultdict(list)
    for rows, key in zip(answers, models, strict=True):
        if len(rows) > 1 and rows.size:
            asked[key].append(rows)
    trainings = [
        Sample(ways, len(ways[0]) - 1) for key, ways in asked.items() if len(set(key)) == len(key)
    ]
    differences = [
        # Of w ways w - 1 differences are independent.
        Sample(
            [one.astype(float) - other for one, other in combinations(ways, 2)],
            (len(ways) - 1) * (len(ways[0]) - 1),
        )
        for ways in asked.values()
        if len(ways) > 1
    ]
    return SeedScatter(
        _pooled(trainings) if len(trainings) > 2 else None,
        _pooled(differences) if sum(len(own.rows) for own in differences) > 1 else None,
    )


def _pooled(samples: Sequence[Sample]) -> Scatter:
    """The scatter of several samples, each weighted with its degrees of freedom, without those that stand out."""
    freedom = np.array([own.degrees_of_freedom for own in samples])
    between, single = (
        freedom * [np.mean([of(rows) for rows in own.rows]) for own in samples]
        for of in (_variance_between, _single_variance)
    )
    kept = np.ones(len(samples), dtype=bool)
    if len(samples) > FEWEST_LEFT:
        others, rest = between.sum() - between, single.sum() - single
        # Cross-multiplied, as the others may have no variance at all.
        alike = ~_outstanding(between * rest, others * single, freedom, freedom.sum() - freedom)
        kept = alike if alike.sum() >= FEWEST_LEFT else kept
    marks = single[kept].sum()
    ratio = float(between[kept].sum() / marks) if marks else 0.0
    return Scatter(ratio, int(freedom[kept].sum()))


def _outstanding(
    own: NDArray | float, others: NDArray | float, freedom: NDArray | int, rest: NDArray | int
) -> NDArray[np.bool_]:
    """Whether variances are larger than others, known with the degrees of freedom of `rest`, by an F-test."""
    return np.asarray(own > special.fdtri(freedom, rest, OUTSTANDING) * others)


def _variance_between(rows: Rows) -> float:
    """Variance between the means of seeds, of which there are several."""
    return float(np.var(rows.mean(axis=1), ddof=1))


def _single_variance(rows: Rows) -> float:
    """Variance of a single mark; of differences, the share of them that are not 0, their variance were the mean 0."""
    if rows.dtype == bool:
        share = float(rows.mean())
        return share * (1 - share)
    return float((rows**2).mean())
