"""The answer names what it is about: the model trained here or the method, and the population."""

import re

import report_runs as runs
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.sections import differences, levels, ranking
from sqladder.report.sections.answer import answer, findable
from sqladder.report.sections.observations import observations
from sqladder.report.sections.report_inputs import ReportInputs

QUESTIONS = runs.question_rows(200)


def comparison_of(folder, marks, trained=(), questions=QUESTIONS):
    return compare(load_run(**runs.write_run(folder, questions, marks, trained=trained)))


def test_with_one_seed_the_model_trained_here_is_best_and_another_seed_may_turn_it(tmp_path):
    marks = dict(zip(("baseline", "full"), runs.random_marks(200, [0.3, 0.6], 4), strict=True))
    text = answer(comparison_of(tmp_path, marks, trained=("baseline", "full")))
    assert text.startswith(
        "**The model of full trained here is the best of the 2 on these databases**"
    )
    assert "so another may turn it: if seeds scatter by 1 point," in text
    assert "seeds of each would tell" in text


def test_of_predictions_made_elsewhere_no_seed_is_spoken_of(tmp_path):
    marks = dict(zip(("one", "two"), runs.random_marks(200, [0.3, 0.6], 4), strict=True))
    text = answer(comparison_of(tmp_path, marks))
    assert text.startswith("**two is the best of the 2 variants on these databases**")
    assert "seed" not in text


def test_differences_of_models_trained_once_are_said_to_be_of_them(tmp_path):
    marks = dict(zip(("baseline", "full"), runs.random_marks(200, [0.3, 0.7], 4), strict=True))
    kinds = {name: [mark or "sql_error" for mark in own] for name, own in marks.items()}
    trained = comparison_of(tmp_path / "a", kinds, trained=("baseline", "full"))
    elsewhere = comparison_of(tmp_path / "b", kinds)
    for claim in ("above the baseline", "By level", "sql_error verdicts"):
        (ours,), (theirs,) = (
            [own for own in observations(comparison) if claim in own]
            for comparison in (trained, elsewhere)
        )
        assert "f the models trained here, full" in ours
        assert "Trained with one seed, so another may turn it" in ours
        assert "seed" not in theirs
        assert "models" not in theirs
        assert "for further questions on these databases" in ours
    told = "is one of the models trained here: another seed may turn it"
    for section in (ranking, levels, differences):
        sections = (
            section.section(ReportInputs(comparison, runs.run_facts(), "Title", "charts"))
            for comparison in (trained, elsewhere)
        )
        assert [told in text for text in sections] == [True, False]


def test_with_seeds_on_one_side_the_claim_is_of_methods(tmp_path):
    """The single seed of the other is taken to vary as much, so p counts it already."""
    one, other = runs.random_marks(200, [0.2, 0.8], 4)
    marks = {"lora": one, **{f"full/seed_{seed}": other for seed in (1, 2, 3)}}
    comparison = comparison_of(tmp_path, marks, trained=tuple(marks))
    assert answer(comparison).startswith("**full is the best of the 2 variants")
    assert not any("models" in own for own in observations(comparison))


def test_of_several_variants_those_trained_once_are_named(tmp_path):
    one, other, third = runs.random_marks(200, [0.2, 0.8, 0.7], 4)
    marks = {"baseline": one, "lora": third, **{f"full/seed_{seed}": other for seed in (1, 2, 3)}}
    files = runs.write_run(tmp_path, QUESTIONS, marks, trained=[*marks][1:])
    comparison = compare(load_run(**files, baseline="baseline"))
    (found,) = [own for own in observations(comparison) if "above the baseline" in own]
    assert found.startswith("Both other variants are above")
    assert "lora was trained with one seed, so another may turn it: if seeds" in found


def test_a_model_made_elsewhere_is_not_said_to_be_trained_here(tmp_path):
    marks = dict(zip(("elsewhere", "lora"), runs.random_marks(200, [0.8, 0.3], 4), strict=True))
    text = answer(comparison_of(tmp_path, marks, trained=("lora",)))
    assert text.startswith("**elsewhere is the best of the 2 variants")
    assert "Trained with one seed, so another may turn it" in text


def test_every_observation_names_its_population(tmp_path):
    marks = dict(zip("abc", runs.random_marks(400, [0.3, 0.5, 0.8], 4), strict=True))
    marks["d"] = [False] * 400
    questions = runs.question_rows(400)
    found = observations(comparison_of(tmp_path, marks, questions=questions))
    assert len(found) >= 4
    for sentence in found:
        assert "for further questions on" in sentence, sentence


def test_one_database_says_nothing_of_others(tmp_path):
    marks = {"one": [False] * 40, "two": [True] * 40}
    text = answer(comparison_of(tmp_path, marks, questions=runs.question_rows(40, databases=1)))
    assert "Of other databases nothing is known" in text


def test_what_could_be_found_is_corrected_for_groups_and_comparisons(tmp_path):
    rows = dict(zip("abc", runs.random_marks(100, [0.3, 0.5, 0.6], 4), strict=True))
    doubled = {name: [mark for mark in marks for _ in range(2)] for name, marks in rows.items()}
    grouped = [{**row, "group": f"g{n // 2}"} for n, row in enumerate(QUESTIONS)]
    text = findable(comparison_of(tmp_path / "a", doubled, questions=grouped))
    assert "corrected for all 3 comparisons and with questions in 100 groups" in text
    smallest = [
        max(
            pair.detectable for pair in comparison_of(tmp_path / name, doubled, questions=own).pairs
        )
        for name, own in (("b", grouped), ("c", QUESTIONS))
    ]
    assert smallest[0] > 1.3 * smallest[1]


def test_two_variants_that_never_differ_hide_nothing_that_other_pairs_would_show(tmp_path):
    draws = runs.random_marks(200, [0.4, 0.42, 0.41], 4)
    seeds = {f"full/seed_{number}": own for number, own in enumerate(draws, start=1)}
    nothing = {"baseline": [False] * 200, "lora": [place == 0 for place in range(200)]}
    comparison = comparison_of(tmp_path, {**nothing, **seeds})
    assert [pair.detectable is None for pair in comparison.pairs].count(True) == 1
    known = [pair.detectable for pair in comparison.pairs if pair.detectable is not None]
    least, most = f"{100 * min(known):.1f}", f"{100 * max(known):.1f}"
    assert f"finds a true difference of {least} to {most} points" in findable(comparison)


def test_without_a_best_one_the_answer_says_what_the_leaders_are_above(tmp_path):
    rates = [0.2, 0.2, 0.7]
    low, last, high = runs.random_marks(200, rates, 4)
    marks = {"low": low, "last": last, **{f"high/seed_{seed}": high for seed in (1, 2, 3)}}
    nearly = [not mark if number < 2 else mark for number, mark in enumerate(high)]
    marks |= {f"alike/seed_{seed}": nearly for seed in (1, 2, 3)}
    text = answer(comparison_of(tmp_path / "a", marks))
    assert "do not differ significantly from each other (n = 200, 3 seeds each, p = " in text
    assert re.search(
        r"Both are above (low and last|last and low) \(largest p < 0\.001\)\. \[", text
    )
    once = {"low": low, "high": high, "alike": nearly}
    text = answer(comparison_of(tmp_path / "b", once, trained=tuple(once)))
    assert "Both, as trained here, are above low (largest p < 0.001). Trained with one seed" in text
    none = {"high": high, "alike": nearly}
    assert "above" not in answer(comparison_of(tmp_path / "c", none))
