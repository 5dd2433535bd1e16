"""The scatter of all seeds together: that of an analysis of variance, and what it brings and keeps."""

import numpy as np
import pytest
from scipy import stats

import report_runs as runs
from sqladder.report.comparison import MOST, compare, make_pair
from sqladder.report.results import OneSeed, Run, Variant
from sqladder.report.sections import seed_spread
from sqladder.report.sections.answer import findable
from sqladder.report.sections.observations import PARTS
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.wins import won_by
from sqladder.statistics.groups import Groups
from sqladder.statistics.paired_difference import PairedDifference
from sqladder.statistics.replicates import Replicate
from sqladder.statistics.seed_scatter import Scatter, _outstanding, seed_scatter


def rows_of(*rates, n=1000):
    """Marks of which as many are right: one row a seed."""
    return np.array([np.arange(n) < round(rate * n) for rate in rates])


def scatter_of(several, names):
    """The scatter of variants; those of one name ask the same models."""
    models = [
        tuple(f"{name}/{seed}" for seed, _ in enumerate(rows))
        for name, rows in zip(names, several, strict=True)
    ]
    return seed_scatter(several, models)


def spread(rows):
    """The mean's variance of a single mark, and the variance between seeds."""
    return rows.mean() * (1 - rows.mean()), np.var(rows.mean(axis=1), ddof=1)


def test_seeds_of_equal_variants_have_the_mean_square_of_an_analysis_of_variance():
    """With equal means the multiple times a mark's variance is the mean square within, here from scipy's F."""
    several = [rows_of(0.46, 0.50, 0.54), rows_of(0.47, 0.50, 0.53), rows_of(0.48, 0.50, 0.52)]
    found = scatter_of(several, "abc").trainings
    means = [rows.mean(axis=1) for rows in several]
    shifted = [means[0], means[1] + 0.03, means[2]]
    between = 3 * np.var([own.mean() for own in shifted], ddof=1)
    within = between / stats.f_oneway(*shifted).statistic
    assert found.ratio * 0.25 == pytest.approx(within)
    assert found.degrees_of_freedom == 6


def test_accuracies_near_the_ends_are_expected_to_scatter_less():
    middle, low = rows_of(0.4, 0.6), rows_of(0.02, 0.03)
    scatter = Scatter(0.01, 9)
    assert scatter.between_seeds(low).variance < 0.1 * scatter.between_seeds(middle).variance


def test_a_variant_that_scatters_further_than_all_together_keeps_its_own():
    calm, more = rows_of(0.49, 0.51), rows_of(0.48, 0.52)
    scatter = scatter_of([calm, calm, more], "abc").trainings
    _, own = spread(more)
    assert scatter.between_seeds(more) == (pytest.approx(own / 2), 3)
    assert scatter.between_seeds(calm).variance == pytest.approx(scatter.ratio * 0.25 / 2, rel=1e-3)
    both = scatter.between_seeds(calm, more)
    assert both == (
        scatter.between_seeds(calm).variance + scatter.between_seeds(more).variance,
        3,
    )


def test_a_variant_whose_scatter_stands_out_lends_nothing_and_borrows_nothing():
    calm, wild = rows_of(0.49, 0.50, 0.51), rows_of(0.3, 0.5, 0.7)
    found = scatter_of([calm, calm, wild], "abc").trainings
    assert found == (pytest.approx(scatter_of([calm] * 3, "abc").trainings.ratio), 4)
    assert found.between_seeds(wild) == (pytest.approx(spread(wild)[1] / 3), 2)
    assert found.between_seeds(calm, wild).degrees_of_freedom == 2
    assert found.between_seeds(calm, calm).degrees_of_freedom == 4


def test_variances_stand_out_as_often_as_the_f_test_says():
    """Of normal values with equal variances one in twenty variants, whatever the others are."""
    rng = np.random.default_rng(3)
    variances = rng.chisquare(2, size=(4000, 5)) / 2
    rest = (variances.sum(axis=1) - variances[:, 0]) / 4
    found = _outstanding(variances[:, 0], rest, 2, 8)
    assert found.mean() == pytest.approx(0.05, abs=2 * (0.05 * 0.95 / 4000) ** 0.5)


def test_at_least_two_variants_tell_the_scatter_of_all():
    wild = [rows_of(0.5 - gap, 0.5, 0.5 + gap) for gap in (0.001, 0.01, 0.1, 0.3)]
    assert scatter_of(wild, "abcd").trainings.degrees_of_freedom >= 4


def test_ways_to_ask_one_model_count_as_one_training():
    """They vary together: three ways with three seeds tell as much of trainings as one way does."""
    way = rows_of(0.45, 0.50, 0.55)
    others = [rows_of(0.4, 0.5, 0.6), rows_of(0.5, 0.5, 0.5)]
    found = scatter_of([way, way, way, *others], "aaabc")
    assert found.trainings == scatter_of([way, *others], "abc").trainings
    assert found.ways == Scatter(0.0, 4)


def test_answers_drawn_of_one_model_by_several_seeds_tell_nothing_of_trainings():
    trained = [rows_of(0.4, 0.6), rows_of(0.45, 0.55), rows_of(0.5, 0.6)]
    models = [(f"{name}/1", f"{name}/2") for name in "abc"]
    drawn = rows_of(0.500, 0.501)
    found = seed_scatter([*trained, drawn], [*models, ("base", "base")])
    assert found == seed_scatter(trained, models)


def test_two_variants_have_nobody_to_borrow_from():
    one, other = rows_of(0.4, 0.5), rows_of(0.5, 0.6)
    assert scatter_of([one, other, one[:1]], "abc") == (None, None)
    assert scatter_of([one, other], "aa") == (None, None)
    assert scatter_of([one[:, :0]] * 3, "abc") == (None, None)


def named(name, rows, models=None, training=None):
    """A variant with these marks; its answers name the models that they were asked of, where these are another's."""
    seeds = [
        OneSeed(
            replicate=Replicate(name, seed),
            marks={"test_suite": marks},
            judged=[{"verdict": "correct" if mark else "sql_error"} for mark in marks],
            failures=[None if mark else {"kind": "other"} for mark in marks],
            predictions=[],
            joint_all={},
            training=training or {"steps": 1},
            generation={"model": models[seed]} if models else {},
            scoring={},
        )
        for seed, marks in enumerate(rows)
    ]
    return Variant(name, seeds)


def run_of(variants, n):
    questions = [
        {"id": str(i), "db_id": f"db_{i % 7}", "group": str(i), "hardness": "easy", "sql": ""}
        for i in range(n)
    ]
    return Run(variants, questions, [], variants[0].name)


def test_with_two_seeds_each_other_variants_tell_a_difference_that_two_alone_do_not():
    marks = runs.seeded_marks(800, [0.45, 0.6, 0.6, 0.6, 0.6, 0.6], 2, 0.05, seed=5)
    run = run_of([named(f"v{i}", own) for i, own in enumerate(marks)], 800)
    pair = compare(run).pair("v1", "v0")
    alone = PairedDifference.of(marks[1], marks[0], Groups.single(800))
    assert pair.p < 0.05 < 15 * alone.p
    assert np.ptp(pair.interval) < np.ptp(alone.interval(0.05 / 15)) / 2


def test_two_ways_to_ask_the_same_models_are_compared_seed_by_seed():
    """The seeds' models are 25 points apart, and each way adds four of its own: only that counts."""
    way, better = rows_of(0.40, 0.52, 0.65), rows_of(0.44, 0.56, 0.69)
    models = [f"full/seed_{seed}" for seed in range(3)]
    asked = run_of([named("full", way), named("votes", better, models)], 1000)
    # Of another training that happens to be as good, nothing may be concluded.
    trained = run_of([named("full", way), named("other", better)], 1000)
    assert compare(asked).pairs[0].significant
    assert not compare(trained).pairs[0].significant


def test_the_training_behind_an_answer_is_found_through_models_made_smaller():
    small = named("small", rows_of(1, n=4), training={"model_of": "full/seed_0"})
    votes = named("votes", rows_of(1, n=4), ["small/seed_0"], {"model_of": "small/seed_0"})
    run = run_of([named("full", rows_of(1, n=4)), small, votes], 4)
    assert [run.models_of(variant) for variant in run.variants] == [("full/seed_0",)] * 3


def test_only_models_that_another_seed_would_have_made_others_tell_how_far_seeds_scatter():
    marks = rows_of(1, n=4)
    votes = named("votes", marks, ["full/seed_0"], {"model_of": "full/seed_0", "steps": 1})
    base, several = named("base", marks, training={"method": "none"}), rows_of(1, 1, n=4)
    run = run_of([base, named("full", marks), votes, named("lora", several)], 4)
    assert run.trained_by_seed == 2


def seeded_run(number, seeds=2):
    """A run of so many variants, of which every wrong answer is an error of SQL."""
    rates = [0.5 + 0.01 * place for place in range(number)]
    marks = runs.seeded_marks(200, rates, seeds, 0.05, seed=2)
    return run_of([named(f"v{place}", own) for place, own in enumerate(marks)], 200)


def test_a_level_with_all_questions_says_what_all_questions_say():
    """Its pairs are those of the charted variants, its seeds those of all."""
    comparison = compare(seeded_run(MOST + 2))
    assert len(comparison.charted) < len(comparison.ranking)
    for pair in comparison.level_pairs["easy"]:
        assert pair.p_alone == comparison.pair(pair.first, pair.second).p_alone


def test_the_report_says_whose_seeds_stand_out():
    calm, wild = rows_of(0.49, 0.50, 0.51, n=200), rows_of(0.3, 0.5, 0.7, n=200)
    run = run_of([named(name, calm) for name in ("a", "b", "c")] + [named("wild", wild)], 200)
    inputs = ReportInputs(compare(run), runs.run_facts(), "T", "charts")
    assert "**The seeds of wild scatter more than those of the others**" in seed_spread.section(
        inputs
    )


def test_pairs_that_could_find_no_difference_are_not_counted_among_those_that_could():
    marks = runs.seeded_marks(400, [0.3, 0.5, 0.6], 3, 0.02, seed=1)
    wild = rows_of(0.3, 0.5, 0.7, n=400)
    run = run_of([named(f"v{i}", own) for i, own in enumerate([*marks, wild])], 400)
    assert "with a chance of 80 % in 3 of 6 pairs" in findable(compare(run))


def test_who_wins_which_questions_is_what_the_table_of_pairs_counts():
    """Of two ways to ask one model, and of two that were trained each for itself."""
    rng = np.random.default_rng(2)
    first, second = rng.random((2, 3, 50)) < 0.5
    models = [f"full/seed_{seed}" for seed in range(3)]
    run = run_of([named("full", first), named("votes", second, models), named("o", second)], 50)
    comparison = compare(run)
    for other in ("votes", "o"):
        same = comparison.marks.ask_the_same("full", other)
        won, _ = won_by(run.named("full"), run.named(other), same)
        assert same == (other == "votes")
        assert won.sum() == pytest.approx(comparison.pair("full", other).counts.wins)


def test_failures_that_mirror_the_accuracy_are_as_significant(monkeypatch):
    run, tested = seeded_run(4), []
    monkeypatch.setattr(
        "sqladder.report.sections.observations.make_pair",
        lambda *pair: tested.append(make_pair(*pair)) or tested[-1],
    )
    comparison = compare(run)
    list(PARTS["kinds of failure"](comparison))
    assert len(tested) == 3
    for pair in tested:
        same = comparison.pair(pair.first, pair.second)
        assert pair.p_alone == pytest.approx(same.p_alone)
        assert pair.difference == pytest.approx(-same.difference)
