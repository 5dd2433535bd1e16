"""Tests of whether two variants answer equally many questions right.

Two variants that answered the same questions are always compared question by question: on Spider
the paired difference of two scores is known several times better than either score.
"""

from typing import NamedTuple

from scipy import special


class Discordance(NamedTuple):
    """Questions on which two variants differ: right by the first only, by the second only; means over seeds."""

    wins: float
    losses: float


def mcnemar_p(counts: Discordance) -> float:
    """Exact two-sided p of "both variants answer equally many questions right".

    Given the number of discordant questions, wins are binomial with 1/2. No discordant question
    gives p = 1.

    Source: Q. McNemar (1947), Psychometrika 12, 153-157; exact form as in M. W. Fagerland,
    S. Lydersen, P. Laake (2013), BMC Medical Research Methodology 13:91.
    """
    total = counts.wins + counts.losses
    return float(min(1.0, 2 * special.bdtr(min(counts), total, 0.5)))
