"""Intervals and tests against published or exactly computable values, and simulated false claims."""

import math
from itertools import combinations_with_replacement, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from report_runs import discordance
from sqladder.statistics.groups import equal_shares_p, fisher_p
from sqladder.statistics.intervals import (
    FEW,
    clustered_interval,
    difference_interval,
    exact_difference_interval,
    wilson_interval,
)
from sqladder.statistics.paired import Discordance, mcnemar_p
from sqladder.statistics.power import detectable_difference
from sqladder.statistics.ranks import holm, rank_ranges


def test_wilson_interval_agrees_with_a_published_example():
    # R. G. Newcombe (1998), Statistics in Medicine 17, table I, method 3.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


COUNTS = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS, st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_interval_is_that_of_statsmodels(counts, confidence):
    expected = proportion_confint(*counts, alpha=1 - confidence, method="wilson")
    assert wilson_interval(*counts, confidence) == pytest.approx(expected, abs=1e-12)


@given(COUNTS)
def test_wilson_interval_holds_the_share_and_stays_between_0_and_1(counts):
    correct, n = counts
    low, high = wilson_interval(correct, n)
    assert 0 <= low <= correct / n + 1e-12
    assert correct / n - 1e-12 <= high <= 1


def test_no_questions_leave_every_share_possible():
    assert wilson_interval(0, 0) == (0, 1)


def test_mcnemar_is_the_binomial_test_of_the_discordant_questions():
    assert mcnemar_p(Discordance(1, 5)) == pytest.approx(2 * (1 + 6) / 2**6)
    assert mcnemar_p(Discordance(0, 10)) == pytest.approx(2 / 2**10)
    assert mcnemar_p(Discordance(10, 0)) == mcnemar_p(Discordance(0, 10))


def test_variants_that_agree_or_are_equally_good_give_p_1():
    assert mcnemar_p(Discordance(0, 0)) == 1
    assert mcnemar_p(Discordance(7, 7)) == pytest.approx(1)


@given(st.integers(0, 1500), st.integers(0, 1500))
def test_mcnemar_is_that_of_statsmodels(wins, losses):
    # Of statsmodels' table only the discordant cells count; without any it has no p.
    expected = mcnemar([[7, wins], [losses, 7]], exact=True).pvalue if wins + losses else 1.0
    assert mcnemar_p(Discordance(wins, losses)) == pytest.approx(expected, rel=1e-9)


def test_fisher_of_the_lady_tasting_tea():
    # R. A. Fisher (1935), "The Design of Experiments": all of 8 cups told, 1 way of 70, here on either side.
    assert fisher_p(4, 4, 0, 4) == pytest.approx(2 / 70)


def test_equal_shares_of_two_groups_have_yates_correction():
    # 20 and 30 of 50: 25 are expected everywhere, (5 - 0.5)^2 / 25 in each of four cells.
    assert equal_shares_p([20, 30], [50, 50]) == pytest.approx(stats.chi2.sf(3.24, 1))


@pytest.mark.parametrize(
    ("correct", "n", "holds"),
    [
        ([5, 5, 5], [10, 10, 10], True),
        ([4, 4, 4], [8, 8, 8], False),  # 4 are expected everywhere
        ([10, 10, 10, 2], [20, 20, 20, 4], False),  # 2 of 8 cells are below 5
        ([10, 10, 10, 10, 2], [20, 20, 20, 20, 4], True),  # 2 of 10 are
        ([30, 30, 30, 30, 0], [60, 60, 60, 60, 1], False),  # one is below 1
        ([20, 20], [20, 20], False),  # nothing is wrong
    ],
)
def test_equal_shares_are_tested_where_cochrans_rule_holds(correct, n, holds):
    assert (equal_shares_p(correct, n) is not None) == holds


def test_holm_multiplies_from_the_smallest_and_never_decreases():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == pytest.approx([1, 1])
    assert holm([]) == []


@settings(max_examples=20)  # statsmodels takes 50 ms for each
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_that_of_statsmodels(p_values):
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_what_its_step_down_procedure_rejects(p_values):
    for level in (0.01, 0.05, 0.2):
        order = sorted(range(len(p_values)), key=p_values.__getitem__)
        rejected = set()
        for position, index in enumerate(order):
            if p_values[index] * (len(p_values) - position) > level:
                break
            rejected.add(index)
        assert rejected == {i for i, p in enumerate(holm(p_values)) if p <= level}


def test_difference_interval_agrees_with_the_normal_one_for_many_questions():
    wins, losses, n = 300, 200, 4000
    low, high = difference_interval(Discordance(wins, losses), n)
    difference = (wins - losses) / n
    error = math.sqrt((wins + losses) / n - difference**2) / math.sqrt(n)
    assert (low, high) == pytest.approx(
        (difference - 1.96 * error, difference + 1.96 * error), abs=0.0006
    )


def test_difference_interval_equals_a_plain_bootstrap_over_questions():
    values = np.array([1] * 30 + [-1] * 18 + [0] * 152)
    rng = np.random.default_rng(3)
    means = [rng.choice(values, len(values)).mean() for _ in range(5000)]
    expected = np.percentile(means, [2.5, 97.5])
    assert difference_interval(Discordance(30, 18), 200) == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("n", (45, 1034))
def test_an_interval_excludes_0_exactly_where_mcnemars_test_finds_a_difference(n):
    for losses, wins in combinations_with_replacement(range(FEW), 2):
        if losses + wins < FEW:
            low, high = difference_interval(Discordance(wins, losses), n)
            assert (low > 0) == (mcnemar_p(Discordance(wins, losses)) < 0.05), (wins, losses)
            assert low <= (wins - losses) / n <= high


@given(st.integers(0, 19), st.integers(0, 20))
def test_the_interval_is_that_of_the_swapped_variants_turned_around(wins, losses):
    low, high = difference_interval(Discordance(wins, losses), 60)
    assert difference_interval(Discordance(losses, wins), 60) == (-high, -low)


@pytest.mark.parametrize("counts", [(5, 0), (0, 3), (9, 2), (1, 7), (20, 15)])
def test_exact_interval_has_the_quantiles_of_the_product_that_defines_it(counts):
    (wins, losses), n, draws = counts, 60, 200_000
    total = wins + losses
    rng = np.random.default_rng(4)
    shares = [rng.beta(total, n - total + 1, draws), rng.beta(total + 1, n - total, draws)]
    low_won = rng.beta(wins, losses + 1, draws) if wins else np.zeros(draws)
    high_won = rng.beta(wins + 1, losses, draws) if losses else np.ones(draws)
    low = min(np.quantile(share * (2 * low_won - 1), 0.025) for share in shares)
    high = max(np.quantile(share * (2 * high_won - 1), 0.975) for share in shares)
    assert exact_difference_interval(Discordance(*counts), n) == pytest.approx(
        (low, high), abs=0.003
    )


def test_no_disagreement_still_leaves_a_difference_possible():
    low, high = difference_interval(Discordance(0, 0), 100)
    # The rule of three, two-sided: (1 - d)^100 = 0.025.
    assert high == pytest.approx(1 - 0.025 ** (1 / 100), abs=0.002)
    assert low == -high


@pytest.mark.parametrize("expected", (2, 5, 10, 20, 30))
@pytest.mark.parametrize("won", (0.5, 0.7, 0.95))
def test_intervals_of_few_disagreements_hold_the_true_difference(expected, won):
    n = 300
    shares = [expected * won / n, expected * (1 - won) / n]
    draws = np.random.default_rng(expected).multinomial(n, [*shares, 1 - sum(shares)], size=1500)
    true, held = shares[0] - shares[1], 0
    for wins, losses, _ in draws.tolist():
        low, high = difference_interval(Discordance(wins, losses), n)
        held += low <= true <= high
    assert held / 1500 >= 0.95 - 1.645 * math.sqrt(0.05 * 0.95 / 1500)


def test_few_and_many_disagreements_meet():
    exact = exact_difference_interval(Discordance(28, FEW - 28), 500)
    assert exact == pytest.approx(difference_interval(Discordance(28, FEW - 28), 500), abs=0.004)


def test_same_verdicts_give_the_same_interval():
    counts = Discordance(12, 30)
    assert difference_interval(counts, 100) == difference_interval(counts, 100)


def test_clusters_of_one_question_give_the_interval_over_questions():
    marks = np.arange(400) % 4 == 0
    low, high = clustered_interval(marks.astype(float), [str(i) for i in range(400)])
    assert (low, high) == pytest.approx(wilson_interval(100, 400), abs=0.006)


def test_clusters_that_are_all_right_or_all_wrong_widen_the_interval():
    clusters = np.repeat(np.arange(20), 50)
    marks = clusters % 2 == 0
    low, high = clustered_interval(marks.astype(float), clusters.tolist())
    over_questions = wilson_interval(500, 1000)
    assert high - low > 4 * (over_questions.high - over_questions.low)


def test_one_cluster_says_nothing_about_others():
    assert clustered_interval(np.ones(5), ["a"] * 5) is None


def test_ranks_are_shared_where_no_difference_is_shown():
    ranks = rank_ranges(["a", "b", "c"], {("a", "c"), ("b", "c")})
    assert ranks == {"a": (1, 2), "b": (1, 2), "c": (3, 3)}


def test_a_variant_between_two_groups_may_have_either_rank():
    ranks = rank_ranges(["a", "b", "c"], {("a", "c")})
    assert ranks == {"a": (1, 2), "b": (1, 3), "c": (2, 3)}


def test_without_any_shown_difference_all_ranks_are_open():
    assert set(rank_ranges(["a", "b", "c"], set()).values()) == {(1, 3)}


def test_detectable_difference_of_the_published_experiment():
    # 1,034 questions on which two variants disagree in 24 % of cases.
    assert detectable_difference(1034, 0.24) == pytest.approx(0.0426, abs=0.0005)


def test_detectable_difference_has_the_power_it_says():
    n, share = 800, 0.2
    difference = detectable_difference(n, share)
    rng = np.random.default_rng(11)
    wins, losses = (share + difference) / 2, (share - difference) / 2
    draws = rng.multinomial(n, [wins, losses, 1 - share], size=2000)
    # The mid-p test has the size that the formula assumes; the exact one is a little cautious.
    found = np.mean([_mid_p(win, loss) < 0.05 for win, loss, _ in draws])
    assert found == pytest.approx(0.8, abs=0.03)


def _mid_p(wins, losses):
    total, fewer = wins + losses, min(wins, losses)
    return 2 * stats.binom.cdf(fewer, total, 0.5) - stats.binom.pmf(fewer, total, 0.5)


@pytest.mark.parametrize(
    ("n", "share", "power"), [(1034, 0.24, 0.8), (50, 0.3, 0.9), (5, 1.0, 0.8)]
)
def test_detectable_difference_solves_connors_equation(n, share, power):
    d = detectable_difference(n, share, power=power)
    z_alpha, z_power = stats.norm.ppf(0.975), stats.norm.ppf(power)
    right = z_alpha * math.sqrt(share) + z_power * math.sqrt(share - d * d)
    assert d * math.sqrt(n) == pytest.approx(right)


@pytest.mark.parametrize(("n", "share"), [(10, 0.1), (1000, 0.0), (3, 1.0)])
def test_too_few_questions_or_no_disagreement_can_detect_nothing(n, share):
    assert detectable_difference(n, share) is None


@pytest.mark.parametrize(("variants", "share"), [*product((2, 4, 6), (0.15, 0.4))])
def test_without_a_true_difference_a_best_variant_is_claimed_in_at_most_5_percent(variants, share):
    """Equally good variants with questions of unequal difficulty; "best" as the report claims it."""
    rng = np.random.default_rng(variants * 100 + int(100 * share))
    claims = 0
    runs = 600
    for _ in range(runs):
        difficulty = rng.normal(0, 1 / share, 200)
        marks = [rng.normal(0, 1, 200) > difficulty for _ in range(variants)]
        claims += _claims_a_best(marks)
    # 0.05 plus what chance adds to 600 runs of a test that is exactly at its level.
    assert claims / runs <= 0.05 + 1.645 * math.sqrt(0.05 * 0.95 / runs)


def _claims_a_best(marks):
    marks = sorted(marks, key=np.sum, reverse=True)
    pairs = [(i, j) for i in range(len(marks)) for j in range(i + 1, len(marks))]
    p_values = holm([mcnemar_p(discordance(marks[i], marks[j])) for i, j in pairs])
    apart = {pair for pair, p in zip(pairs, p_values, strict=True) if p < 0.05}
    names = list(range(len(marks)))
    return rank_ranges(names, apart)[0] == (1, 1)
