"""Statistics of several seeds: what one seed gives stays, and what seeds add is known from outside."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.formula.api import ols

import report_runs as runs
from report_runs import discordance, mcnemar_p
from sqladder.statistics.groups import (
    Groups,
    VarianceComponent,
    WeightedComponents,
    variance_of_mean,
)
from sqladder.statistics.intervals import wilson_interval
from sqladder.statistics.paired_difference import PairedDifference
from sqladder.statistics.power import detectable_difference
from sqladder.statistics.seeds import (
    accuracy_interval,
    between_seeds,
    crossed,
    noise_of_answers,
    total,
)
from sqladder.statistics.shares import two_sets_p

DATABASES = Groups.of([f"db_{number % 7}" for number in range(200)])


def between(first, second, **options):
    """A paired difference of questions that are groups of their own."""
    return PairedDifference.of(first, second, Groups.single(first.shape[1]), **options)


def interval_of(correct, n):
    """The interval of an accuracy of these numbers of right answers, one of each seed."""
    return accuracy_interval(np.array([np.arange(n) < own for own in correct]), Groups.single(n))


@pytest.fixture(scope="module")
def seeded():
    """Two variants with three seeds on 200 questions."""
    return runs.seeded_marks(200, [0.5, 0.7], 3, 0.1, seed=3)


def test_one_seed_gives_the_numbers_of_one_seed(seeded):
    one, other = (marks[:1] for marks in seeded)
    gap, counts = between(one, other), discordance(one[0], other[0])
    assert gap.counts == counts
    assert gap.p == pytest.approx(mcnemar_p(counts), rel=1e-9)
    assert gap.detectable() == detectable_difference(sum(counts), 200, 200)
    assert interval_of([70], 200) == wilson_interval(70, 200)


def test_seeds_of_equal_means_leave_finite_degrees_of_freedom():
    """Three seeds that are right equally often are no proof that seeds do not matter: wider than one seed's."""
    assert np.ptp(interval_of([70] * 3, 200)) > np.ptp(wilson_interval(70, 200))


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
    gap = between(np.array([one] * 3), np.array([other] * 3))
    wins, losses = discordance(one, other)
    score = (wins - losses) / np.sqrt(wins + losses)
    assert gap.p == pytest.approx(2 * stats.t.sf(abs(score), 399))


def test_seeds_that_vary_widen_every_interval(seeded):
    one, other = seeded
    calm = between(np.array([one[0]] * 3), np.array([other[0]] * 3))
    wild = np.array([other[0], other[0] | (np.arange(200) < 80), other[0] & (np.arange(200) > 80)])
    gap = between(np.array([one[0]] * 3), wild)

    def width(interval):
        return interval.high - interval.low

    assert width(gap.interval()) > 1.5 * width(calm.interval())
    assert width(gap.on_new_databases(DATABASES)) > width(calm.on_new_databases(DATABASES))
    assert (gap.detectable() or 1) > calm.detectable()
    counts = [int(row.sum()) for row in wild]
    assert width(interval_of(counts, 200)) > width(interval_of([counts[0]] * 3, 200))


def test_the_variance_over_seeds_and_groups_is_that_of_a_crossed_analysis_of_variance():
    """(MS of seeds + MS of groups - MS of their interaction) / cells, the mean squares from statsmodels."""
    rng = np.random.default_rng(6)
    seeds, groups, size = 4, 30, 2
    cells = rng.normal(0, 1, (seeds, groups)) + rng.normal(0, 1, groups)
    cells += rng.normal(0, 0.5, (seeds, 1))
    answers = np.repeat(cells, size, axis=1)
    rows = {
        "value": cells.ravel(),
        "seed": np.repeat(np.arange(seeds), groups),
        "group": np.tile(np.arange(groups), seeds),
    }
    fitted = ols("value ~ C(seed) + C(group)", pd.DataFrame(rows)).fit()
    squares = sm.stats.anova_lm(fitted)["mean_sq"] / (seeds * groups)
    of_groups = Groups.of(np.repeat(np.arange(groups), size).tolist())
    questions = variance_of_mean(of_groups.sums(answers.mean(axis=0)), of_groups.sizes)
    own = between_seeds(answers.mean(axis=1).tolist())
    noise = noise_of_answers(answers, of_groups)
    assert noise == pytest.approx((squares["Residual"], (seeds - 1) * (groups - 1)))
    both = crossed(questions, own, noise)
    expected = squares["C(seed)"] + squares["C(group)"] - squares["Residual"]
    assert both.variance == pytest.approx(expected)
    uncertain = (
        squares["C(seed)"] ** 2 / (seeds - 1)
        + squares["C(group)"] ** 2 / (groups - 1)
        + squares["Residual"] ** 2 / (seeds - 1) / (groups - 1)
    )
    assert both.degrees_of_freedom == pytest.approx(expected**2 / uncertain)


@pytest.mark.parametrize(("questions", "seeds"), [(3.0, 1.0), (1.0, 3.0)])
def test_what_answers_share_never_takes_more_than_the_smaller_component(questions, seeds):
    noise = VarianceComponent(10.0, 50)
    both = crossed(VarianceComponent(questions, 20), VarianceComponent(seeds, 2), noise)
    assert both.variance == 3.0


def test_seeds_that_do_not_matter_leave_the_interval_of_the_questions():
    """Where seeds differ by the noise of answers alone, the truth is known: variance between groups only."""
    held = before = 0
    for seed in range(400):
        one, other = runs.seeded_marks(100, [0.5, 0.5], 3, 0.0, seed)
        rng = np.random.default_rng(seed)
        one, other = (marks ^ (rng.random(marks.shape) < 0.2) for marks in (one, other))
        gap = between(one, other)
        held += gap.interval().low <= 0 <= gap.interval().high
        summed = gap.question_variance + gap.seeds.variance
        before += abs(gap.values.mean()) < 1.96 * summed**0.5
    assert 0.93 <= held / 400 <= 0.98 < before / 400


def test_the_reversed_difference_is_the_mirror_image(seeded):
    gap = between(*seeded)
    back = gap.reversed()
    assert back.p == gap.p
    assert back.interval() == pytest.approx([-gap.interval().high, -gap.interval().low])
    assert back.counts == gap.counts[::-1]


def test_wins_less_losses_are_the_difference_of_the_means(seeded):
    one, other = seeded
    wins, losses = between(one, other).counts
    assert (wins - losses) / 200 == pytest.approx(one.mean() - other.mean())


@pytest.mark.parametrize("noise", [0.05, 0.1, 0.3])
def test_the_seed_of_a_model_trained_once_makes_no_significant_difference(noise):
    """One seed against three, no true difference; without its variance the single seed's luck is called better."""
    found = naive = 0
    for seed in range(400):
        one, other = runs.seeded_marks(400, [0.5, 0.5], 3, noise, seed)
        found += between(one, other[:1], single_seed_varies=True).p < 0.05
        naive += between(one, other[:1]).p < 0.05
    assert found / 400 <= 0.05 + 1.645 * (0.05 * 0.95 / 400) ** 0.5
    if noise >= 0.1:
        assert naive / 400 > 0.1


def test_the_variance_of_a_single_seed_is_that_of_the_other_sides_seeds(seeded):
    one, other = seeded
    spread = float(np.var(one.mean(axis=1), ddof=1))
    for gap in (
        between(one, other[:1], single_seed_varies=True),
        between(other[:1], one, single_seed_varies=True),
    ):
        assert gap.seeds == pytest.approx(VarianceComponent(spread * (1 + 1 / 3), 2))


def test_a_handful_of_questions_proves_nothing_however_many_seeds_agree():
    right, wrong = np.ones((5, 5), dtype=bool), np.zeros((5, 5), dtype=bool)
    assert between(right, wrong).p > 0.05


def test_models_that_both_metrics_share_are_compared_within_each_seed(seeded):
    """A metric that forgives ten more answers of every seed differs, however much the seeds vary."""
    strict = np.array([np.arange(200) < right for right in (40, 90, 140)])
    mild = np.array([np.arange(200) < right + 10 for right in (40, 90, 140)])
    assert between(mild, strict, same_models=True).p < 0.05
    assert between(mild, strict).p > 0.5


def test_all_or_no_right_answers_keep_wilsons_interval():
    assert interval_of([0, 0, 0], 50) == pytest.approx(wilson_interval(0, 50))
    assert interval_of([50, 50], 50) == pytest.approx(wilson_interval(50, 50))


def test_accuracy_intervals_hold_the_true_accuracy_in_about_95_percent_of_runs():
    true = stats.norm.cdf(stats.norm.ppf(0.6) * np.sqrt(1.49) / np.sqrt(1.49 + 0.05**2))
    held = 0
    for seed in range(300):
        (marks,) = runs.seeded_marks(300, [0.6], 3, 0.05, seed)
        interval = accuracy_interval(marks, Groups.single(300))
        held += interval.low <= true <= interval.high
    # 95 %, less what chance takes of 300 runs.
    assert held / 300 >= 0.95 - 1.645 * (0.05 * 0.95 / 300) ** 0.5


def two_sets(one, n_one, other, n_other):
    answers = [np.array([np.arange(n) < own for own in correct])
               for correct, n in ((one, n_one), (other, n_other))]  # fmt: skip
    return two_sets_p(*answers, [Groups.single(n_one), Groups.single(n_other)])


def test_sets_of_questions_are_compared_by_fisher_or_over_seeds():
    fisher = stats.fisher_exact([[30, 10], [10, 30]]).pvalue
    assert two_sets([30], 40, [10], 40) == pytest.approx(fisher, rel=1e-12)
    assert two_sets([30, 29, 31], 40, [10, 11, 9], 40) < 0.001
    assert two_sets([30, 5, 31], 40, [10, 11, 9], 40) > 0.05
    assert two_sets([40, 40], 40, [10, 10], 10) == 1.0


def test_a_single_seed_tells_nothing_of_the_variance():
    assert between_seeds([0.4]) == VarianceComponent(0.0, np.inf)


@pytest.mark.parametrize("seeds", (1, 3))
def test_groups_in_which_both_win_as_often_show_no_difference(seeds):
    """The questions differ, no group does: that is no difference, and nothing to divide by."""
    first = np.array([[True, False] * 5] * seeds)
    gap = PairedDifference.of(first, ~first, Groups.of((np.arange(10) // 2).tolist()))
    assert (gap.p, gap.detectable()) == (1.0, None)
    assert gap.interval().low < 0 < gap.interval().high


@pytest.mark.parametrize("share", [0.0, 0.2, 0.6, 1.0])
def test_cochrans_quantile_lies_between_those_of_its_parts_and_agrees_with_its_p(share):
    near, far = VarianceComponent(1 - share, 300), VarianceComponent(share, 2)
    error = WeightedComponents(near, far)
    assert error.variance == pytest.approx(1)
    expected = (1 - share) * stats.t.ppf(0.975, 300) + share * stats.t.ppf(0.975, 2)
    assert error.quantile(0.975) == pytest.approx(expected)
    assert error.two_sided_p(-expected) == pytest.approx(0.05)
    assert error.two_sided_p(0) == 1
    assert near.two_sided_p(5) <= error.two_sided_p(5) <= far.two_sided_p(5)


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.1])
def test_two_seeds_each_make_no_significant_difference(noise):
    """Their variance has two degrees of freedom at most, with which Satterthwaite's claims too often."""
    found = 0
    for seed in range(400):
        one, other = runs.seeded_marks(400, [0.5, 0.5], 2, noise, seed)
        found += between(one, other).p < 0.05
    assert found / 400 <= 0.05 + 1.645 * (0.05 * 0.95 / 400) ** 0.5


def test_one_seed_against_several_is_told_by_questions_where_seeds_agree():
    """The few degrees of freedom of the seeds count for their share of the variance alone."""
    rng = np.random.default_rng(4)
    one = np.array([rng.permutation(np.arange(1000) < 600)] * 3)
    other = rng.permutation(np.arange(1000) < 500)[None]
    gap = between(one, other, single_seed_varies=True)
    models = between(one[:1], other)
    assert gap.seeds.variance == pytest.approx(0)
    assert gap.interval() == pytest.approx(models.interval(), abs=0.002)


def test_seeds_with_four_degrees_of_freedom_keep_satterthwaites(seeded):
    one, other = seeded
    error = between(one, other).with_seeds(VarianceComponent(1e-3, 100), Groups.single(200))
    assert isinstance(error, VarianceComponent)
    few = between(one[:2], other[:2]).with_seeds(VarianceComponent(1e-3, 100), Groups.single(200))
    assert isinstance(few, WeightedComponents)
