"""pass@n and the accuracy of a choice among n samples, against all subsets and against simulation."""

from itertools import combinations

import numpy as np
import pytest

from sqladder.generation.choice import likeliest, voted
from sqladder.statistics.sampling import Sampled, choice_at, pass_at, sizes


def sampled(rng, samples, with_groups=True):
    groups = rng.integers(-1, 3, samples)
    # Answers with one result on the original file are mostly, not always, alike on the others.
    right = (groups == 0) & (rng.random(samples) < 0.9)
    return Sampled(right, np.round(rng.normal(-1, 1, samples), 1), groups if with_groups else None)


def test_powers_of_two_and_all_samples_are_looked_at():
    assert sizes(1) == [1]
    assert sizes(8) == [1, 2, 4, 8]
    assert sizes(12) == [1, 2, 4, 8, 12]


@pytest.mark.parametrize("greedy_first", [False, True])
@pytest.mark.parametrize("with_groups", [False, True])
def test_both_are_means_over_all_ways_of_taking_n(greedy_first, with_groups):
    rng = np.random.default_rng(5)
    for _ in range(60):
        question = sampled(rng, 6, with_groups)
        for n in range(1, 7):
            ways = [way for way in combinations(range(6), n) if not greedy_first or 0 in way]
            some_right = [question.correct[list(way)].any() for way in ways]
            assert pass_at(question.correct, n, greedy_first) == pytest.approx(np.mean(some_right))
            right = [question.correct[chosen_of(question, way)] for way in ways]
            assert choice_at(question, n, greedy_first) == pytest.approx(np.mean(right))


def chosen_of(question, way):
    """The sample that the workflow would have chosen, had it drawn only these."""
    samples = [{"log_probability": question.log_probabilities[place]} for place in way]
    if question.groups is None:
        return way[likeliest(samples)]
    groups = [None if question.groups[place] < 0 else question.groups[place] for place in way]
    return way[voted(samples, groups)]


def test_many_ways_are_drawn_and_stay_near_the_mean_over_all():
    rng = np.random.default_rng(7)
    for _ in range(5):
        question = sampled(rng, 16)
        right = [question.correct[chosen_of(question, way)] for way in combinations(range(16), 4)]
        assert choice_at(question, 4, False) == pytest.approx(np.mean(right), abs=0.06)


def test_all_samples_give_what_was_chosen():
    rng = np.random.default_rng(9)
    for _ in range(50):
        question = sampled(rng, 8)
        chosen = chosen_of(question, range(8))
        assert choice_at(question, 8, False) == question.correct[chosen]


def test_one_more_sample_never_lowers_the_upper_bound():
    correct = np.array([False, True, False, False, True, False, False, False])
    values = [pass_at(correct, n, False) for n in range(1, 9)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(2 / 8)
    assert values[-1] == 1.0
