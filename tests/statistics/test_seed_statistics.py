"""Statistics of several seeds: what one seed gives stays, and what seeds add is known from outside."""

import numpy as np
import pytest
from scipy import stats

import report_runs as runs
from report_runs import discordance
from sqladder.statistics.intervals import clustered_interval, difference_interval, wilson_interval
from sqladder.statistics.paired import mcnemar_p
from sqladder.statistics.power import detectable_difference
from sqladder.statistics.seeds import (
    PairedDifference,
    VarianceComponent,
    accuracy_interval,
    between_seeds,
    groups_p,
    new_databases_interval,
    total,
)

CLUSTERS = [f"db_{number % 7}" for number in range(200)]


@pytest.fixture(scope="module")
def seeded():
    """Two variants with three seeds on 200 questions."""
    return runs.seeded_marks(200, [0.5, 0.7], 3, 0.1, seed=3)


def test_one_seed_gives_the_numbers_of_one_seed(seeded):
    one, other = (marks[:1] for marks in seeded)
    gap, counts = PairedDifference.between(one, other), discordance(one[0], other[0])
    assert gap.counts == counts
    assert gap.p == mcnemar_p(counts)
    assert gap.interval == difference_interval(counts, 200)
    assert gap.detectable() == detectable_difference(200, sum(counts) / 200)
    values = one[0].astype(float) - other[0]
    assert gap.on_new_databases(CLUSTERS) == clustered_interval(values, CLUSTERS)
    assert accuracy_interval([70], 200) == wilson_interval(70, 200)
    assert new_databases_interval(one, CLUSTERS) == clustered_interval(one[0] * 1.0, CLUSTERS)


def test_satterthwaites_degrees_of_freedom_are_those_of_welchs_test():
    rng = np.random.default_rng(1)
    one, other = rng.normal(0, 1, 4), rng.normal(0, 3, 6)
    both = total(between_seeds(one), between_seeds(other))
    welch = stats.ttest_ind(one, other, equal_var=False)
    assert both.degrees_of_freedom == pytest.approx(welch.df)
    assert (one.mean() - other.mean()) / both.variance**0.5 == pytest.approx(welch.statistic)


def test_equal_seeds_leave_mcnemars_score():
    """Seeds that answer alike add nothing: the score is (wins - losses) / sqrt(wins + losses)."""
    one, other = runs.random_marks(400, [0.5, 0.6], seed=2)
    gap = PairedDifference.between(np.array([one] * 3), np.array([other] * 3))
    wins, losses = discordance(one, other)
    score = (wins - losses) / np.sqrt(wins + losses)
    assert gap.p == pytest.approx(2 * stats.t.sf(abs(score), 399))


def test_seeds_that_vary_widen_every_interval(seeded):
    one, other = seeded
    calm = PairedDifference.between(np.array([one[0]] * 3), np.array([other[0]] * 3))
    wild = np.array([other[0], other[0] | (np.arange(200) < 80), other[0] & (np.arange(200) > 80)])
    gap = PairedDifference.between(np.array([one[0]] * 3), wild)

    def width(interval):
        return interval.high - interval.low

    assert width(gap.interval) > 1.5 * width(calm.interval)
    assert width(gap.on_new_databases(CLUSTERS)) > width(calm.on_new_databases(CLUSTERS))
    assert gap.detectable() > calm.detectable()
    counts = [int(row.sum()) for row in wild]
    assert width(accuracy_interval(counts, 200)) > width(accuracy_interval([counts[0]] * 3, 200))


def test_the_reversed_difference_is_the_mirror_image(seeded):
    gap = PairedDifference.between(*seeded)
    back = gap.reversed()
    assert back.p == gap.p
    assert back.interval == pytest.approx([-gap.interval.high, -gap.interval.low])
    assert back.counts == gap.counts[::-1]


def test_wins_less_losses_are_the_difference_of_the_means(seeded):
    one, other = seeded
    wins, losses = PairedDifference.between(one, other).counts
    assert (wins - losses) / 200 == pytest.approx(one.mean() - other.mean())


@pytest.mark.parametrize("noise", [0.05, 0.1, 0.3])
def test_the_seed_of_a_model_trained_once_makes_no_significant_difference(noise):
    """One seed against three, no true difference; without its variance the single seed's luck is called better."""
    found = naive = 0
    for seed in range(400):
        one, other = runs.seeded_marks(400, [0.5, 0.5], 3, noise, seed)
        found += PairedDifference.between(one, other[:1], single_seed_varies=True).p < 0.05
        naive += PairedDifference.between(one, other[:1]).p < 0.05
    assert found / 400 <= 0.05 + 1.645 * (0.05 * 0.95 / 400) ** 0.5
    if noise >= 0.1:
        assert naive / 400 > 0.1


def test_the_variance_of_a_single_seed_is_that_of_the_other_sides_seeds(seeded):
    one, other = seeded
    spread = float(np.var(one.mean(axis=1), ddof=1))
    for gap in (
        PairedDifference.between(one, other[:1], single_seed_varies=True),
        PairedDifference.between(other[:1], one, single_seed_varies=True),
    ):
        assert gap.seeds == pytest.approx(VarianceComponent(spread * (1 + 1 / 3), 2))


def test_a_handful_of_questions_proves_nothing_however_many_seeds_agree():
    right, wrong = np.ones((5, 5), dtype=bool), np.zeros((5, 5), dtype=bool)
    assert PairedDifference.between(right, wrong).p > 0.05


def test_models_that_both_metrics_share_are_compared_within_each_seed(seeded):
    """A metric that forgives ten more answers of every seed differs, however much the seeds vary."""
    strict = np.array([np.arange(200) < right for right in (40, 90, 140)])
    mild = np.array([np.arange(200) < right + 10 for right in (40, 90, 140)])
    assert PairedDifference.between(mild, strict, same_models=True).p < 0.05
    assert PairedDifference.between(mild, strict).p > 0.5


def test_all_or_no_right_answers_keep_wilsons_interval():
    assert accuracy_interval([0, 0, 0], 50) == wilson_interval(0, 50)
    assert accuracy_interval([50, 50], 50) == wilson_interval(50, 50)


def test_accuracy_intervals_hold_the_true_accuracy_in_about_95_percent_of_runs():
    true = stats.norm.cdf(stats.norm.ppf(0.6) * np.sqrt(1.49) / np.sqrt(1.49 + 0.05**2))
    held = 0
    for seed in range(300):
        (marks,) = runs.seeded_marks(300, [0.6], 3, 0.05, seed)
        interval = accuracy_interval([int(row.sum()) for row in marks], 300)
        held += interval.low <= true <= interval.high
    assert held / 300 >= 0.93


def test_groups_of_questions_are_compared_by_fisher_or_over_seeds():
    fisher = stats.fisher_exact([[30, 10], [10, 30]]).pvalue
    assert groups_p([30], 40, [10], 40) == pytest.approx(fisher, rel=1e-12)
    assert groups_p([30, 29, 31], 40, [10, 11, 9], 40) < 0.001
    assert groups_p([30, 5, 31], 40, [10, 11, 9], 40) > 0.05
    assert groups_p([40, 40], 40, [10, 10], 10) == 1.0


def test_a_single_seed_tells_nothing_of_the_variance():
    assert between_seeds([0.4]) == VarianceComponent(0.0, np.inf)
