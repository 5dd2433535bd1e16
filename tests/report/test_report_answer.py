"""The answer names what it is about: the model trained here or the method, and the population."""

import report_runs as runs
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.sections.answer import answer, findable

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
