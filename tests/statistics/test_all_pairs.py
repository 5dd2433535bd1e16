"""All pairs of many variants give the numbers that each pair gives alone, to the last bit."""

from itertools import combinations

import numpy as np
import pytest

from sqladder.statistics.all_pairs import AllPairs
from sqladder.statistics.groups import Groups
from sqladder.statistics.paired_difference import PairedDifference

RNG = np.random.default_rng(3)
MARKS = RNG.random((7, 120)) < np.array([0.5, 0.5, 0.52, 0.7, 0.9, 0.02, 0.5])[:, None]
MARKS[6] = MARKS[0]
ENDS = np.array([np.zeros(120), np.ones(120), np.ones(120), np.arange(120) < 1], dtype=bool)

GROUPS = {
    "single": Groups.single(120),
    "pairs": Groups.of((np.arange(120) // 2).tolist()),
    "of all sizes": Groups.of(RNG.integers(0, 25, 120).tolist()),
    "one": Groups.of([0] * 120),
}
DATABASES = Groups.of((np.arange(120) % 9).tolist())


@pytest.mark.parametrize("marks", [MARKS, ENDS], ids=["usual", "none or all right"])
@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS)
def test_a_pair_of_many_has_the_numbers_that_it_has_alone(marks, groups):
    alone = [
        PairedDifference.of(one[None], other[None], groups) for one, other in combinations(marks, 2)
    ]
    many = list(AllPairs(marks, groups))
    assert len(many) == len(alone)
    for one, other in zip(many, alone, strict=True):
        assert one.n == other.n
        assert one.counts == other.counts
        assert one.mean == other.mean
        assert one.p == other.p
        assert one.standard_error == other.standard_error
        assert one.question_variance == other.question_variance
        for alpha in (0.05, 0.05 / 21):
            same = other.interval(alpha)
            assert one.interval(alpha) == same
            assert one.on_new_databases(DATABASES, alpha) == other.on_new_databases(
                DATABASES, alpha
            )
            assert one.detectable(alpha) == other.detectable(alpha)
        assert one.reversed().interval() == other.reversed().interval()


def test_one_database_says_nothing_of_new_ones():
    first, *_ = AllPairs(MARKS, GROUPS["pairs"])
    assert first.on_new_databases(GROUPS["one"]) is None
