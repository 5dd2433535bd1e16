"""The scatter of all seeds together: that of an analysis of variance, and what it brings and keeps."""

import numpy as np
import pytest
from scipy import stats

import report_runs as runs
from sqladder.report.comparison import compare
from sqladder.report.results import OneSeed, Run, Variant
from sqladder.statistics.groups import Groups
from sqladder.statistics.paired_difference import PairedDifference
from sqladder.statistics.replicates import Replicate
from sqladder.statistics.seed_scatter import Scatter, seed_scatter


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
    several = [rows_of(0.45, 0.50, 0.55), rows_of(0.48, 0.50, 0.52), rows_of(0.49, 0.50, 0.51)]
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
    calm, wild = rows_of(0.500, 0.501), rows_of(0.3, 0.7)
    scatter = scatter_of([calm, calm, wild], "abc").trainings
    _, own = spread(wild)
    assert scatter.between_seeds(wild).variance == pytest.approx(own / 2)
    assert scatter.between_seeds(calm).variance == pytest.approx(scatter.ratio * 0.25 / 2, rel=1e-3)
    both = scatter.between_seeds(calm, wild)
    assert both == (
        scatter.between_seeds(calm).variance + scatter.between_seeds(wild).variance,
        3,
    )


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
            judged=[],
            failures=[],
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
