"""Tests of whether sets of different questions are answered right equally often, by whole groups of questions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sqladder.statistics.groups import Groups, VarianceComponent, variance_of_mean
from sqladder.statistics.seeds import Answers, between_seeds, crossed, noise_of_answers, total


def fisher_p(one: int, n_one: int, other: int, n_other: int) -> float:
    """Exact two-sided p of "both sets of questions are answered right equally often".

    Source: R. A. Fisher (1935), "The logic of inductive inference", JRSS 98, 39-82.

    Args:
        one: right answers among the `n_one` questions of the first set.
        n_one: questions of the first set.
        other: right answers among the `n_other` questions of the second set.
        n_other: questions of the second set.
    """
    from scipy import stats  # late, as it takes a second: most programs need no test between sets

    return float(stats.fisher_exact([[one, n_one - one], [other, n_other - other]]).pvalue)


def two_sets_p(one: Answers, other: Answers, groups: Sequence[Groups]) -> float:
    """Two-sided p of "a variant is equally accurate on two sets of questions".

    Fisher's exact test where each question is a group of its own and there is one seed. Otherwise a t-test whose
    variance is what shares have when both sets are equal, times the design effect of the groups (`design_effect`), with
    the component between seeds (`crossed`) and with the correction of F. Yates (1934), Supplement to JRSS 1, 217-235.

    Args:
        one: answers to the first set, shape (seeds, questions), at least one question.
        other: answers to the second.
        groups: those of each set's questions.
    """
    n_one, n_other = one.shape[1], other.shape[1]
    if len(one) == 1 and all(own.are_single for own in groups):
        return fisher_p(int(one.sum()), n_one, int(other.sum()), n_other)
    gaps = one.mean(axis=1) - other.mean(axis=1)
    share = (one.mean(axis=0).sum() + other.mean(axis=0).sum()) / (n_one + n_other)
    if share in (0, 1):
        return 1.0
    effect = design_effect([one.mean(axis=0), other.mean(axis=0)], groups)
    inverse = effect * (1 / n_one + 1 / n_other)
    freedom = max(1, sum(len(own.sizes) for own in groups) - 2)
    questions = VarianceComponent(float(share * (1 - share)) * inverse, freedom)
    noise = total(*(noise_of_answers(*own) for own in zip((one, other), groups, strict=True)))
    both = crossed(questions, between_seeds(gaps.tolist()), noise)
    gap = max(0.0, abs(float(gaps.mean())) - inverse / 2)
    return both.two_sided_p(gap / both.variance**0.5)


def equal_shares_p(sets: Sequence[NDArray], groups: Sequence[Groups]) -> float | None:
    """P of "all sets of questions are answered right equally often"; None where the test does not hold.

    The chi-squared statistic divided by the design effect, as an F; for two sets with Yates' correction. It holds
    where no expected count, in independent questions, is below 1 and a fifth of them at most below 5 (W. G. Cochran
    (1954), Biometrics 10, 417-451).

    Source: J. N. K. Rao, A. J. Scott (1984), "On chi-squared tests for multiway contingency tables with cell
    proportions estimated from survey data", Annals of Statistics 12, 46-60 (their first-order correction).

    Args:
        sets: for each set the marks of its questions, or the shares of seeds that answer them right.
        groups: those of each set's questions.
    """
    n = np.array([len(values) for values in sets])
    correct = np.array([values.sum() for values in sets])
    share = correct.sum() / n.sum()
    if share in (0, 1):
        return None
    effect = design_effect(sets, groups)
    expected = np.concatenate([n * share, n * (1 - share)]) / effect
    if expected.min() < 1 or np.mean(expected >= 5) < 0.8:
        return None
    gaps = np.abs(correct - n * share)
    if len(sets) == 2:
        gaps = np.maximum(0, gaps - effect / 2)
    chi_squared = float((gaps**2 / (n * share * (1 - share))).sum())
    freedom = len(sets) - 1
    within = sum(len(own.sizes) for own in groups) - len(sets)
    if all(own.are_single for own in groups):
        return float(special.chdtrc(freedom, chi_squared))
    return float(special.fdtrc(freedom, max(1, within), chi_squared / effect / freedom))


def design_effect(sets: Sequence[NDArray], groups: Sequence[Groups]) -> float:
    """By how much groups enlarge the variance of a share within the sets; 1 where each question is one.

    Source: L. Kish (1965), "Survey Sampling", section 8.2.
    """
    if all(own.are_single for own in groups):
        return 1.0
    clustered = independent = 0.0
    for values, own in zip(sets, groups, strict=True):
        if len(own.sizes) > 1:
            weight = len(values) ** 2
            clustered += weight * variance_of_mean(own.sums(values), own.sizes).variance
            independent += weight * float(np.var(values, ddof=1)) / len(values)
    return max(1.0, clustered / independent) if independent else 1.0
