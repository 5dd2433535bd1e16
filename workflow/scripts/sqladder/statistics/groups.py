"""Tests of whether groups of different questions are answered right equally often."""

from collections.abc import Sequence

import numpy as np


def fisher_p(one: int, n_one: int, other: int, n_other: int) -> float:
    """Exact two-sided p of "both groups of questions are answered right equally often".

    Source: R. A. Fisher (1935), "The logic of inductive inference", JRSS 98, 39-82.

    Args:
        one: right answers among the `n_one` questions of the first group.
        n_one: questions of the first group.
        other: right answers among the `n_other` questions of the second group.
        n_other: questions of the second group.
    """
    from scipy import stats  # late, as it takes a second: most programs need no test between groups

    return float(stats.fisher_exact([[one, n_one - one], [other, n_other - other]]).pvalue)


def equal_shares_p(correct: Sequence[float], n: Sequence[int]) -> float | None:
    """Chi-squared p of "all groups of questions are answered right equally often"; None where it does not hold.

    It holds where no expected count is below 1 and a fifth of them at most below 5: W. G. Cochran
    (1954), Biometrics 10, 417-451. For two groups with the correction of F. Yates (1934).

    Args:
        correct: right answers in each group; means over seeds.
        n: questions of each group.
    """
    from scipy import stats  # late, as in `fisher_p`

    cells = np.array([correct, np.subtract(n, correct)])
    if not cells.sum(axis=1).all():
        return None
    test = stats.chi2_contingency(cells)
    sound = test.expected_freq.min() >= 1 and np.mean(test.expected_freq >= 5) >= 0.8
    return float(test.pvalue) if sound else None
