"""Intervals and tests against published or exactly computable values, and simulated false claims."""

import math
from itertools import combinations_with_replacement, product

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from report_runs import discordance, mcnemar_p
from sqladder.statistics.groups import (
    Groups,
    VarianceComponent,
    WeightedComponents,
    variance_of_mean,
)
from sqladder.statistics.intervals import Interval, exact_difference_interval, wilson_interval
from sqladder.statistics.paired import Discordance, sign_flip_p
from sqladder.statistics.paired_difference import PairedDifference
from sqladder.statistics.power import detectable_difference, planned_error, seeds_needed
from sqladder.statistics.ranks import holm, rank_ranges, simultaneous
from sqladder.statistics.seeds import accuracy_interval, new_databases_interval
from sqladder.statistics.shares import equal_shares_p, fisher_p, two_sets_p


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


def single_sums(wins, losses):
    """Differences of questions that are groups of their own."""
    return np.repeat([1, -1, 0], [wins, losses, 3])


@given(st.integers(0, 1500), st.integers(0, 1500))
def test_sign_flips_of_single_questions_are_mcnemars_exact_test(wins, losses):
    # Of statsmodels' table only the discordant cells count; without any it has no p.
    expected = mcnemar([[7, wins], [losses, 7]], exact=True).pvalue if wins + losses else 1.0
    assert sign_flip_p(single_sums(wins, losses)) == pytest.approx(expected, rel=1e-9)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_sign_flips_of_groups_count_all_signs(sums):
    total = abs(sum(sums))
    flipped = [abs(sum(s * x for s, x in zip(signs, sums, strict=True)))
               for signs in product((-1, 1), repeat=len(sums))]  # fmt: skip
    assert sign_flip_p(np.array(sums)) == pytest.approx(np.mean([f >= total for f in flipped]))


def test_two_wordings_of_each_query_count_once():
    """Six queries won with both wordings prove no more than six questions won."""
    assert sign_flip_p(np.full(6, 2)) == pytest.approx(2 / 2**6) == sign_flip_p(np.ones(6))


def test_fisher_of_the_lady_tasting_tea():
    # R. A. Fisher (1935), "The Design of Experiments": all of 8 cups told, 1 way of 70, here on either side.
    assert fisher_p(4, 4, 0, 4) == pytest.approx(2 / 70)


def test_equal_shares_of_two_groups_have_yates_correction():
    # 20 and 30 of 50: 25 are expected everywhere, (5 - 0.5)^2 / 25 in each of four cells.
    sets = [np.arange(50) < right for right in (20, 30)]
    p = equal_shares_p(sets, [Groups.single(50)] * 2)
    assert p == pytest.approx(stats.chi2.sf(3.24, 1))


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
    sets = [np.arange(all_) < right for right, all_ in zip(correct, n, strict=True)]
    p = equal_shares_p(sets, [Groups.single(own) for own in n])
    assert (p is not None) == holds
    if holds and len(n) > 2:
        wrong = np.subtract(n, correct)
        assert p == pytest.approx(stats.chi2_contingency([correct, wrong]).pvalue)


def test_doubled_questions_prove_no_more_about_shares():
    """Each question asked twice, as one group: the tests see as many groups as before."""
    once = [np.arange(60) < right for right in (20, 30, 40)]
    twice = [np.repeat(own, 2) for own in once]
    groups = [Groups.of(np.repeat(np.arange(60), 2).tolist())] * 3
    p = equal_shares_p(once, [Groups.single(60)] * 3)
    assert equal_shares_p(twice, groups) == pytest.approx(p, rel=0.5)
    assert equal_shares_p(twice, [Groups.single(120)] * 3) < p / 10
    sets = [own[None] for own in once[:2]], [own[None] for own in twice[:2]]
    fisher = two_sets_p(*sets[0], [Groups.single(60)] * 2)
    assert two_sets_p(*sets[1], groups[:2]) == pytest.approx(fisher, rel=0.5)


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


def gap_of(wins, losses, n, size=1):
    """A paired difference of these counts, whose questions come in groups of a size."""
    first = np.arange(n) < wins
    second = (np.arange(n) >= wins) & (np.arange(n) < wins + losses)
    groups = Groups.of((np.arange(n) // size).tolist())
    return PairedDifference.of(first[None], second[None], groups)


def test_difference_interval_agrees_with_the_normal_one_for_many_questions():
    wins, losses, n = 300, 200, 4000
    difference = (wins - losses) / n
    error = math.sqrt((wins + losses) / n - difference**2) / math.sqrt(n)
    assert gap_of(wins, losses, n).interval() == pytest.approx(
        (difference - 1.96 * error, difference + 1.96 * error), abs=0.0006
    )


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_interval_of_single_questions_is_bonetts_and_prices(wins, losses):
    n = 200
    low, high = gap_of(wins, losses, n).interval()
    one, other, size = (wins + 1) / (n + 2), (losses + 1) / (n + 2), n + 2
    reach = stats.t.ppf(0.975, n + 1) * ((one + other - (one - other) ** 2) / (n + 1)) ** 0.5
    if wins or losses:
        assert (low, high) == pytest.approx((one - other - reach, one - other + reach), rel=1e-6)
    assert size == 202


def test_the_variance_of_groups_is_that_of_statsmodels():
    rng = np.random.default_rng(8)
    labels = np.repeat(np.arange(40), 3)
    values = rng.normal(0, 1, 120) + rng.normal(0, 1, 40)[labels]
    robust = sm.OLS(values, np.ones(120)).fit(
        cov_type="cluster", cov_kwds={"groups": labels, "use_correction": False}
    )
    groups = Groups.of(labels.tolist())
    found = variance_of_mean(groups.sums(values), groups.sizes)
    # Of groups of one size, leaving one out divides the sandwich by (1 - 1 / groups).
    assert found.variance == pytest.approx(float(robust.bse[0]) ** 2 * 40 / 39)
    assert found.degrees_of_freedom == pytest.approx(39)


def test_questions_of_a_group_widen_the_interval():
    single, paired = gap_of(40, 20, 400).interval(), gap_of(40, 20, 400, size=2).interval()
    assert (paired.high - paired.low) / (single.high - single.low) == pytest.approx(
        2**0.5, rel=0.03
    )


@pytest.mark.parametrize("n", (45, 1034))
def test_an_interval_excludes_0_exactly_where_the_test_finds_a_difference(n):
    for losses, wins in combinations_with_replacement(range(0, 40, 2), 2):
        if losses + wins <= n:
            gap = gap_of(wins, losses, n)
            low, high = simultaneous(gap.interval(), gap.p < 0.05)
            assert (low >= 0 and high > 0 and wins > losses) >= (gap.p < 0.05), (wins, losses)
            assert (low > 0) <= (gap.p < 0.05), (wins, losses)
            assert low <= (wins - losses) / n <= high


@pytest.mark.parametrize("wins", (0, 40))
def test_where_all_questions_agree_the_interval_is_exact(wins):
    low, high = gap_of(wins, 0, 40).interval()
    # Clopper and Pearson: 40 of 40 may come of a share of 0.025^(1/40), so of 2 of it less 1, or a little less.
    least = 2 * 0.025 ** (1 / 40) - 1
    assert (least - 0.03 < low < least) if wins else (low == -high)
    assert high == pytest.approx(1 if wins else 1 - 0.025 ** (1 / 40), abs=0.002)


def test_an_interval_ends_at_0_where_holm_alone_decides():
    assert simultaneous(Interval(-0.1, 0.5), True) == (0, 0.5)
    assert simultaneous(Interval(-0.5, 0.1), True) == (-0.5, 0)
    assert simultaneous(Interval(0.1, 0.5), False) == (0, 0.5)
    assert simultaneous(Interval(0.1, 0.5), True) == (0.1, 0.5)


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


@pytest.fixture(scope="module")
def intervals_of_300():
    """The interval of each number of questions, of 300, that only the first or only the second answers right."""
    return {
        (wins, losses): gap_of(wins, losses, 300).interval()
        for wins in range(60)
        for losses in range(40)
    }


@pytest.mark.parametrize("expected", (2, 5, 10, 20, 30))
@pytest.mark.parametrize("won", (0.5, 0.7, 0.95))
def test_intervals_of_few_disagreements_hold_the_true_difference(expected, won, intervals_of_300):
    """Exact: the chance of every outcome whose interval does."""
    one, other = expected * won / 300, expected * (1 - won) / 300
    held = total = 0.0
    for (wins, losses), (low, high) in intervals_of_300.items():
        chance = stats.binom.pmf(wins, 300, one)
        chance *= stats.binom.pmf(losses, 300 - wins, other / (1 - one))
        total += chance
        held += chance * (low <= one - other <= high)
    assert total > 0.9999
    assert held >= 0.945


def test_databases_that_are_all_right_or_all_wrong_widen_the_interval():
    databases = np.repeat(np.arange(20), 50)
    marks = (databases % 2 == 0)[None]
    single, by_database = Groups.single(1000), Groups.of(databases.tolist())
    low, high = new_databases_interval(marks, single, by_database)
    assert high - low > 4 * np.ptp(wilson_interval(500, 1000))


@pytest.mark.parametrize("right", (0, 300))
def test_the_interval_for_new_databases_is_never_the_narrower_one(right):
    databases = Groups.of((np.arange(300) % 10).tolist())
    marks = (np.arange(300) < right)[None]
    low, high = new_databases_interval(marks, Groups.single(300), databases)
    assert high - low > np.ptp(accuracy_interval(marks, Groups.single(300)))
    gap = gap_of(0, 0, 300)
    own, new = gap.interval(), gap.on_new_databases(databases)
    assert new.low <= own.low < own.high <= new.high


def test_one_database_says_nothing_about_others():
    assert new_databases_interval(np.ones((1, 5)), Groups.single(5), Groups.of("aaaaa")) is None


def test_ranks_are_shared_where_no_difference_is_shown():
    ranks = rank_ranges(["a", "b", "c"], {("a", "c"), ("b", "c")})
    assert ranks == {"a": (1, 2), "b": (1, 2), "c": (3, 3)}


def test_a_variant_between_two_groups_may_have_either_rank():
    ranks = rank_ranges(["a", "b", "c"], {("a", "c")})
    assert ranks == {"a": (1, 2), "b": (1, 3), "c": (2, 3)}


def test_without_any_shown_difference_all_ranks_are_open():
    assert set(rank_ranges(["a", "b", "c"], set()).values()) == {(1, 3)}


def test_detectable_difference_of_the_published_experiment():
    # 1,034 questions on which two variants disagree in 24 % of cases: 4.3 points, and what the exact test costs.
    assert detectable_difference(0.24 * 1034, 1034, 1034) == pytest.approx(0.0435, abs=0.0005)


@pytest.mark.parametrize(("size", "comparisons"), [(1, 1), (2, 1), (1, 6), (2, 45)])
def test_detectable_difference_has_the_power_it_says(size, comparisons):
    groups, differing, alpha = 400, 80, 0.05 / comparisons
    difference = detectable_difference(differing * size**2, groups, groups * size, alpha)
    rng = np.random.default_rng(11)
    share, gap = differing / groups, difference
    chances = [(share + gap) / 2, (share - gap) / 2, 1 - share]
    draws = rng.multinomial(groups, chances, size=2000)
    found = [sign_flip_p(size * single_sums(win, loss)) < alpha for win, loss, _ in draws]
    assert np.mean(found) == pytest.approx(0.8, abs=0.035)


@pytest.mark.parametrize(("squares", "n"), [(0, 1000), (1, 3)])
def test_no_disagreement_or_too_few_questions_can_detect_nothing(squares, n):
    found = detectable_difference(squares, n, n)
    assert found is None or found > squares / n


def test_a_difference_beyond_what_disagreements_allow_is_no_detectable_one():
    assert gap_of(3, 2, 45).detectable() is None
    assert gap_of(60, 40, 500).detectable() > gap_of(60, 40, 500).detectable(0.5)


def test_seeds_needed_for_a_difference():
    # Without noise of questions: 2 points, seeds that scatter by 1: (t + t) sqrt(2 / k) <= 2 first at 5 or 6.
    known = VarianceComponent(0.0, 500)
    for variants in (2, 6):
        needed = seeds_needed(0.02, known, 0.01, variants)
        for seeds in (needed - 1, needed):
            factor = sum(stats.t.ppf(share, variants * (seeds - 1)) for share in (0.975, 0.8))
            assert (factor * (2 / seeds) ** 0.5 <= 2) == (seeds == needed)
    assert seeds_needed(0.02, known, 0.01) > needed
    assert seeds_needed(0.001, VarianceComponent(0.01**2, 500), 0.01) is None


def test_two_seeds_of_each_are_planned_with_the_t_that_the_test_has():
    questions = VarianceComponent(1e-4, 500)
    assert isinstance(planned_error(questions, 0.01, 2, 10), WeightedComponents)
    assert isinstance(planned_error(questions, 0.01, 3, 2), VarianceComponent)


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
