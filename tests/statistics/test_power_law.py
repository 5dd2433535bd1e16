"""The power law of a learning curve: found where it is, and refused where the data do not carry it."""

import numpy as np
import pytest

from sqladder.statistics.groups import Groups
from sqladder.statistics.power_law import PowerLaw

ROWS = [100, 300, 1000]


def curve(errors, n=2000, draws=3, rows=ROWS, seed=0, groups=None):
    """Marks with these chances of a wrong answer; a question that is hard is so at each size."""
    random = np.random.default_rng(seed)
    hard = random.random((1, 1, n))
    noise = random.normal(0, 0.02, (len(errors), draws, n))
    answers = hard + noise >= np.array(errors)[:, None, None]
    return PowerLaw(rows, answers, groups or Groups.of([i // 2 for i in range(n)]))


def law(a, b, rows=ROWS):
    return [a * own**-b for own in rows]


def test_a_law_is_found_with_its_uncertainty_and_what_twice_the_rows_bring():
    found = curve(law(2.0, 0.3))
    low, high = found.exponent_interval
    assert found.objection is None
    assert low < 0.3 < high
    assert found.exponent == pytest.approx(0.3, abs=0.05)
    truth = 2.0 * 1000**-0.3 * (1 - 2**-0.3)
    assert found.gain == pytest.approx(truth, abs=0.02)
    assert found.gain_interval.low < truth < found.gain_interval.high


def test_intervals_of_few_questions_are_wider():
    few, many = curve(law(2.0, 0.3), n=100), curve(law(2.0, 0.3), n=2000)
    width = [own.exponent_interval.high - own.exponent_interval.low for own in (few, many)]
    assert width[0] > 2 * width[1]


def test_draws_that_disagree_widen_the_interval():
    agreed = curve(law(2.0, 0.3), n=1000)
    shift = np.array([-0.1, 0.0, 0.1])
    hard = np.random.default_rng(0).random((1, 1, 1000))
    errors = np.array(law(2.0, 0.3))[:, None] + shift * np.array([1, 0, -1])[:, None]
    apart = PowerLaw(ROWS, hard >= errors[:, :, None], agreed.groups)
    assert np.ptp(apart.exponent_interval) > 1.5 * np.ptp(agreed.exponent_interval)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda: curve([0.4, 0.3], rows=[100, 200]), "needs 3 different numbers"),
        (lambda: curve(law(2.0, 0.3), groups=Groups.of([i % 5 for i in range(2000)])), "5 groups"),
        (lambda: curve([0.4, 0.4, 0.4]), "not known that the errors fall"),
        (lambda: curve([0.3, 0.35, 0.4]), "not known that the errors fall"),
        (lambda: curve([2.0, 2.0, 2.0]), "no model answered a question rightly"),
        (lambda: curve([0.5, 0.2, 0.0], n=60), "hardly an answer is wrong"),
        (lambda: curve([0.9, 0.3, 0.29]), "off it by more than chance"),
    ],
)
def test_data_that_carry_no_law_are_told_why(made, why):
    assert why in made().objection
