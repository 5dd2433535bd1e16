"""Sentences of the report: each appears when its test supports it, and not otherwise."""

import dataclasses
import itertools
import math
import re

import numpy as np
import pytest
from scipy import stats

import report_runs as runs
from report_runs import discordance, mcnemar_p
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.sections.answer import answer, findable
from sqladder.report.sections.document import render
from sqladder.report.sections.levels import best_of
from sqladder.report.sections.observations import observations
from sqladder.report.sections.report_inputs import ReportInputs


def observe(folder, questions, variants, baseline="baseline"):
    """All sentences of a run: its answer first, and last what it could have found."""
    files = runs.write_run(folder, questions, variants)
    comparison = compare(load_run(**files, baseline=baseline))
    last = [findable(comparison)] if findable(comparison) else []
    return [answer(comparison), *observations(comparison), *last]


def about(sentences, text):
    return [sentence for sentence in sentences if text in sentence]


def marks(correct, n, start=0):
    """The first `correct` questions after `start` are right, counted round."""
    return [(number - start) % n < correct for number in range(n)]


def test_a_clear_difference_names_the_best_variant_with_n_and_p(tmp_path):
    questions = runs.question_rows(200)
    found = observe(tmp_path, questions, {"baseline": marks(60, 200), "full": marks(160, 200)})
    assert found[0] == (
        "**full is the best of the 2 variants on these databases**: it differs significantly from each of the others "
        "(n = 200, largest p < 0.001 for further questions on them). It is so on new databases too: no interval for "
        "them holds 0. [Paired differences](#paired-differences)"
    )
    assert about(found, "full is above the baseline by 50.0 points (n = 200, p < 0.001")


def test_equal_verdicts_claim_nothing(tmp_path):
    questions = runs.question_rows(200)
    found = observe(tmp_path, questions, {"baseline": marks(90, 200), "full": marks(90, 200)})
    assert found[0].startswith("**No single variant is shown to be best**: baseline (0.450) and ")
    assert about(
        found, "Not significantly different from the baseline: full (0.0, p = 1.000), n = 200"
    )
    assert about(found, "All variants are right on the same questions (n = 200)")
    assert not about(found, "By level")
    assert not about(found, "is the best")
    assert not about(found, "above the baseline")


def test_ties_with_different_questions_claim_nothing(tmp_path):
    questions = runs.question_rows(200)
    found = observe(tmp_path, questions, {"baseline": marks(90, 200), "full": marks(90, 200, 50)})
    assert not about(found, "is the best")
    assert about(found, "Not significantly different from the baseline: full (0.0, p = 1.000)")


@pytest.mark.parametrize(("wins", "claimed"), [(5, False), (6, True)])
def test_a_borderline_difference_is_claimed_from_six_wins_without_a_loss_on(
    tmp_path, wins, claimed
):
    # Exact McNemar: 5 wins to 0 give p = 0.0625, 6 to 0 give p = 0.03125.
    variants = {"baseline": marks(50, 100), "full": marks(50 + wins, 100)}
    found = observe(tmp_path, runs.question_rows(100), variants)
    assert bool(about(found, "full is the best")) is claimed
    assert bool(about(found, "full is above the baseline")) is claimed
    assert bool(about(found, "Not significantly different from the baseline: full")) is not claimed


def test_a_third_variant_makes_the_borderline_claim_vanish(tmp_path):
    variants = {"baseline": marks(50, 100), "full": marks(56, 100), "lora": marks(50, 100)}
    found = observe(tmp_path, runs.question_rows(100), variants)
    assert not about(found, "is the best")
    assert not about(found, "above the baseline")


def test_a_handful_of_questions_supports_no_claim_even_if_all_differ(tmp_path):
    found = observe(tmp_path, runs.question_rows(4), {"baseline": [False] * 4, "full": [True] * 4})
    assert not about(found, "is the best")
    assert about(found, "full answered all 4 questions right; an accuracy down to 0.510")
    assert about(found, "baseline answered none of the 4 questions right; an accuracy up to 0.490")


def test_few_questions_are_said_to_be_too_few(tmp_path):
    variants = {"baseline": marks(4, 8), "full": marks(5, 8)}
    found = observe(tmp_path, runs.question_rows(8), variants)
    assert about(found, "8 questions are too few: at the observed disagreement of 12 %")


def test_all_wrong_claims_nothing_but_the_bound(tmp_path):
    questions = runs.question_rows(100)
    found = observe(tmp_path, questions, {"baseline": [False] * 100, "full": [False] * 100})
    assert len(about(found, "baseline and full answered none of the 100 questions right")) == 1
    assert not about(found, "is the best")
    assert not about(found, "easy")


def test_one_variant_is_compared_with_nothing(tmp_path):
    found = observe(tmp_path, runs.question_rows(100), {"full": marks(70, 100)}, baseline=None)
    assert found[0] == (
        "Only one variant was scored (n = 100), so nothing is compared. [Ranking](#ranking)"
    )
    assert not about(found, "baseline")
    assert not about(found, "p =")


def test_without_a_baseline_the_first_one_named_is_it_and_never_the_best(tmp_path):
    variants = {"lora": marks(60, 200), "full": marks(160, 200)}
    found = observe(tmp_path, runs.question_rows(200), variants, baseline=None)
    assert about(found, "full is the best of the 2 variants")
    assert about(found, "full is above the baseline by 50.0 points")


def by_level(questions, rates):
    """Within each level, the share of it that is right, in order of appearance."""
    seen = {}
    total = {level: sum(q["hardness"] == level for q in questions) for level in runs.LEVELS}
    right = []
    for question in questions:
        level = question["hardness"]
        seen[level] = seen.get(level, 0) + 1
        right.append(seen[level] <= rates[level] * total[level])
    return right


@pytest.mark.parametrize("levels", (2, 4))
def test_levels_correct_for_the_comparisons_with_the_baseline_alone(tmp_path, levels):
    """9 wins to 0, p = 0.0039: significant among 3 x 4 comparisons, not among 6 x 4; empty levels do not count."""
    questions = runs.question_rows(40 * levels, levels=runs.LEVELS[:levels])
    flat = by_level(questions, dict.fromkeys(runs.LEVELS, 0.5))
    full = by_level(questions, {**dict.fromkeys(runs.LEVELS, 0.5), "easy": 0.725})
    variants = {"baseline": flat, "full": full, "lora": flat, "dora": flat}
    (found,) = about(observe(tmp_path, questions, variants), "By level")
    assert f"+22.5 points, p = {3 * levels * 2**-8:.3f})" in found
    # The table of the best, whose pairs are more, does not say of the same pair that it does not differ.
    comparison = compare(
        load_run(**runs.write_run(tmp_path, questions, variants), baseline="baseline")
    )
    _, others = best_of(comparison, "easy")
    assert "baseline" not in others
    assert sorted(others) == ["dora", "lora"] * (levels == 4)


def test_a_level_where_a_variant_wins_and_one_where_it_loses_are_both_named(tmp_path):
    questions = runs.question_rows(400)
    variants = {
        "baseline": by_level(questions, {"easy": 0.9, "medium": 0.5, "hard": 0.2, "extra": 0.1}),
        "full": by_level(questions, {"easy": 0.6, "medium": 0.5, "hard": 0.5, "extra": 0.1}),
    }
    found = about(observe(tmp_path, questions, variants), "By level")
    assert found == [
        "By level, full differs significantly from the baseline: below on easy (n = 100, −30.0 points, "
        "p < 0.001) and above on hard (n = 100, +30.0 points, p < 0.001), for further questions on these databases. "
        "[Accuracy by level](#accuracy-by-level)"
    ]


def test_extra_questions_are_called_harder_only_where_the_test_shows_it(tmp_path):
    questions = runs.question_rows(320)
    falls = by_level(questions, {"easy": 0.9, "medium": 0.5, "hard": 0.4, "extra": 0.1})
    flat = by_level(questions, {"easy": 0.5, "medium": 0.5, "hard": 0.5, "extra": 0.46})
    both = about(
        observe(tmp_path / "a", questions, {"baseline": falls, "full": falls}), "easy ones"
    )
    assert both[0].startswith(
        "Every variant answered extra questions right less often than easy ones: "
        "baseline 0.900 to 0.100 and full 0.900 to 0.100 (n = 80 and 80"
    )
    one = about(observe(tmp_path / "b", questions, {"baseline": falls, "full": flat}), "easy ones")
    assert one[0].startswith("1 of 2 variants answered")
    assert "full" not in one[0]
    none = observe(tmp_path / "c", questions, {"baseline": flat, "full": flat})
    assert not about(none, "easy ones")


def test_the_largest_p_is_that_of_the_variants_named(tmp_path):
    # One falls clearly from easy to extra; the other rises, with a larger p that is none of the sentence's.
    questions = runs.question_rows(320)
    falls = by_level(questions, {"easy": 0.9, "medium": 0.5, "hard": 0.4, "extra": 0.1})
    rises = by_level(questions, {"easy": 0.4, "medium": 0.5, "hard": 0.5, "extra": 0.6})
    assert 0.001 < stats.fisher_exact([[32, 48], [48, 32]]).pvalue < 0.05
    found = observe(tmp_path, questions, {"baseline": falls, "full": rises})
    (sentence,) = about(found, "easy ones")
    assert sentence.startswith("1 of 2 variants")
    assert "largest p < 0.001 for further" in sentence


def test_a_second_test_of_the_same_kind_makes_a_borderline_fall_vanish(tmp_path):
    # Fisher's exact p is about 0.04: a claim alone, none among two after Holm.
    questions = runs.question_rows(160)
    falls = by_level(questions, {"easy": 0.6, "medium": 0.5, "hard": 0.5, "extra": 0.35})
    assert 0.025 < stats.fisher_exact([[24, 16], [14, 26]]).pvalue < 0.05
    alone = observe(tmp_path / "a", questions, {"full": falls}, baseline=None)
    assert about(
        alone, "The variant answered extra questions right less often than easy ones: full"
    )
    both = observe(tmp_path / "b", questions, {"full": falls, "lora": falls}, baseline=None)
    assert not about(both, "easy ones")


def test_a_second_kind_of_failure_makes_a_borderline_difference_vanish(tmp_path):
    questions = runs.question_rows(100)
    before = ["sql_error"] * 6 + ["wrong_result"] * 94
    after = ["wrong_result"] * 100
    alone = observe(tmp_path / "a", questions, {"baseline": before, "full": after})
    assert about(alone, "full has fewer sql_error verdicts than the baseline: 0 against 6 (n = 100")
    both = observe(
        tmp_path / "b",
        questions,
        {"baseline": [*before[:-1], "timeout"], "full": [*after[:-1], "timeout"]},
    )
    assert not about(both, "verdicts than")


def test_oracle_values_are_mentioned_where_they_change_the_accuracy(tmp_path):
    questions = runs.question_rows(200)
    plain = marks(80, 200)
    rows = {
        "baseline": runs.verdict_rows(questions, plain, plug=plain),
        "full": runs.verdict_rows(questions, plain, plug=marks(100, 200)),
    }
    found = about(observe(tmp_path, questions, rows), "oracle values")
    assert found == [
        "With oracle values (plug_value) the accuracy is different: full +10.0 points (n = 200, "
        "largest p < 0.001 for further questions on these databases). [Secondary metrics](#secondary-metrics)"
    ]


def test_oracle_values_of_two_variants_are_corrected_for_two_tests(tmp_path):
    # Six questions more alone give p = 0.03125, twice that for each of two variants.
    questions = runs.question_rows(100)
    rows = runs.verdict_rows(questions, marks(40, 100), plug=marks(46, 100))
    alone = observe(tmp_path / "a", questions, {"full": rows}, baseline=None)
    assert about(alone, "oracle values")
    both = observe(tmp_path / "b", questions, {"full": rows, "lora": rows}, baseline=None)
    assert not about(both, "oracle values")


def test_a_kind_of_failure_is_mentioned_where_it_differs_from_the_baseline(tmp_path):
    questions = runs.question_rows(200)
    before = ["correct"] * 100 + ["sql_error"] * 60 + ["wrong_result"] * 38 + ["timeout"] * 2
    after = ["correct"] * 100 + ["sql_error"] * 20 + ["wrong_result"] * 80
    found = about(
        observe(tmp_path, questions, {"baseline": before, "full": after}), "verdicts than"
    )
    assert found == [
        "full has fewer sql_error verdicts than the baseline: 20 against 60 (n = 200, p < 0.001), for further "
        "questions on these databases. "
        "[What failed](#what-failed)"
    ]


def test_databases_are_said_to_differ_only_where_chance_does_not_explain_it(tmp_path):
    questions = runs.question_rows(200)
    uneven = [question["db_id"] in ("db_0", "db_1") for question in questions]
    uneven[0], uneven[2] = False, True
    found = observe(tmp_path / "a", questions, {"full": uneven}, baseline=None)
    assert about(found, "differs between the 4 databases, from 0.000 (db_3, n = 50) to 1.000 (db_1")
    even = [number % 8 < 4 for number in range(200)]
    evenly = observe(tmp_path / "b", questions, {"full": even}, baseline=None)
    assert not about(evenly, "differs between the")


def test_databases_with_few_questions_are_not_tested(tmp_path):
    questions = runs.question_rows(40, databases=20)
    uneven = [number % 20 < 10 for number in range(40)]
    found = observe(tmp_path, questions, {"full": uneven}, baseline=None)
    assert not about(found, "differs between")


def test_every_observation_names_n_and_links_a_section_of_the_report(tmp_path):
    rng = np.random.default_rng(1)
    questions = runs.question_rows(300)
    names = ("baseline", "lora_32r", "lora_128r", "full")
    variants = dict(zip(names, runs.random_marks(300, [0.3, 0.5, 0.52, 0.9], 2), strict=True))
    kinds = rng.choice(["sql_error", "wrong_result"], 300)
    variants["baseline"] = [
        "correct" if right else str(kind)
        for right, kind in zip(variants["baseline"], kinds, strict=True)
    ]
    comparison = compare(
        load_run(**runs.write_run(tmp_path, questions, variants), baseline="baseline")
    )
    report = render(ReportInputs(comparison, runs.run_facts(), "Title", "charts", False))
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in report.splitlines()
        if line.startswith("#")
    }
    found = [answer(comparison), *observations(comparison), findable(comparison)]
    assert len(found) >= 5
    for sentence in found:
        assert re.search(r"n = \d|\d questions", sentence), sentence
        assert re.search(r"\]\(#([\w-]+)\)$", sentence)[1] in headings, sentence


def test_without_a_true_difference_at_most_5_percent_of_reports_claim_a_best(tmp_path):
    """Four equally good variants, 300 runs: the first sentence of the real report."""
    claims, total = 0, 300
    questions = runs.question_rows(120)
    base = compare(load_run(**runs.write_run(tmp_path, questions, _equal(0)))).run
    for seed in range(total):
        run = _with_marks(base, _equal(seed))
        claims += "is the best of" in answer(compare(run))
    assert claims / total <= 0.05 + 1.645 * math.sqrt(0.05 * 0.95 / total)


def _equal(seed):
    names = ("a", "b", "c", "d")
    return dict(zip(names, runs.random_marks(120, [0.5] * 4, seed), strict=True))


def _with_marks(run, marks_of):
    """The same run with other marks of each variant: one row of them, or one for each seed."""
    variants = []
    for variant in run.variants:
        seeds = [
            dataclasses.replace(
                variant.seeds[0],
                marks={"test_suite": marks},
                judged=[{"verdict": "correct" if mark else "wrong_result"} for mark in marks],
            )
            for marks in np.atleast_2d(marks_of[variant.name])
        ]
        variants.append(dataclasses.replace(variant, seeds=seeds))
    return dataclasses.replace(run, variants=variants)


def test_with_a_true_difference_the_best_is_usually_found(tmp_path):
    """The counterpart: a test that never claims anything would also make no false claims."""
    claims = 0
    questions = runs.question_rows(120)
    base = compare(load_run(**runs.write_run(tmp_path, questions, _equal(0)))).run
    for seed in range(40):
        rates = [0.35, 0.35, 0.35, 0.75]
        marks_of = dict(zip("abcd", runs.random_marks(120, rates, seed), strict=True))
        sentence = answer(compare(_with_marks(base, marks_of)))
        claims += sentence.startswith("**d is the best of the 4")
    assert claims >= 36


def test_all_rank_ranges_hold_the_true_ranks_in_at_least_95_percent_of_runs(tmp_path):
    questions = runs.question_rows(120)
    base = compare(load_run(**runs.write_run(tmp_path, questions, _equal(0)))).run
    true_ranks = {"d": 1, "c": 2, "b": 3, "a": 4}
    held, total = 0, 200
    for seed in range(total):
        rates = [0.4, 0.44, 0.5, 0.65]
        marks_of = dict(zip("abcd", runs.random_marks(120, rates, seed), strict=True))
        ranks = compare(_with_marks(base, marks_of)).ranks
        held += all(ranks[name][0] <= rank <= ranks[name][1] for name, rank in true_ranks.items())
    assert held / total >= 0.95 - 1.645 * math.sqrt(0.05 * 0.95 / total)


def test_leaders_never_differ_significantly_from_each_other(tmp_path):
    questions = runs.question_rows(120)
    base = compare(load_run(**runs.write_run(tmp_path, questions, _equal(0)))).run
    for seed in range(30):
        rates = [0.4, 0.5, 0.6, 0.65]
        marks_of = dict(zip("abcd", runs.random_marks(120, rates, seed), strict=True))
        comparison = compare(_with_marks(base, marks_of))
        leaders = [name for name, (best, _) in comparison.ranks.items() if best == 1]
        for first, second in itertools.combinations(leaders, 2):
            assert not comparison.pair(first, second).significant


# Many variants


def test_what_is_alike_of_many_variants_is_one_sentence(tmp_path):
    """Nine variants, each with its own level, kinds of failure and oracle values: 60 sentences without grouping."""
    questions = runs.question_rows(400)
    variants = {"baseline": [*(["correct"] * 100), *(["sql_error"] * 200), *(["timeout"] * 100)]}
    for place in range(6):
        plain = [*(["correct"] * (250 + place)), *(["wrong_result"] * (150 - place))]
        variants[f"lora_{place}"] = runs.verdict_rows(questions, plain, plug=[True] * 400)
    variants["none"] = ["wrong_result"] * 400
    variants["worse"] = [*(["correct"] * 40), *(["no_sql"] * 360)]
    found = observe(tmp_path, questions, variants)
    assert 5 <= len(found) - 2 <= 10
    (above,) = about(found, "above the baseline by")
    assert above.startswith(
        "lora_5, lora_4, lora_3 and 3 more are above the baseline by 37.5 to 38.8 points"
    )
    (kinds,) = about(found, "verdicts than the baseline")
    assert (
        "; all 8 other variants have fewer sql_error verdicts than the baseline: 0 against 200"
        in kinds
    )
    assert kinds.startswith("worse has more no_sql verdicts than the baseline: 360 against 0")


def test_all_other_variants_are_not_named_one_by_one(tmp_path):
    variants = {"baseline": marks(40, 200), "lora": marks(90, 200), "full": marks(160, 200)}
    found = observe(tmp_path, runs.question_rows(200), variants)
    (above,) = about(found, "above the baseline")
    assert above.startswith(
        "Both other variants are above the baseline by 25.0 to 60.0 points (n = 200, largest p < 0.001 for"
    )
    (level,) = about(found, "By level")
    assert level.startswith(
        "By level, both other variants differ significantly from the baseline: above on easy"
    )


# Several seeds


def _claims_of_seeded_runs(folder, rates, total, noise):
    """Shares of runs of two variants with three seeds that name a best, by the report and by a pooled test."""
    questions = runs.question_rows(400)
    names = ("a", "b")
    first = runs.seeded_marks(400, rates, 3, noise, seed=0)
    files = runs.write_run(folder, questions, {n: m[0] for n, m in zip(names, first, strict=True)})
    base = compare(load_run(**files)).run
    claims = pooled = 0
    for seed in range(total):
        one, other = runs.seeded_marks(400, rates, 3, noise, seed)
        comparison = compare(_with_marks(base, {"a": one, "b": other}))
        claims += "is the best of" in answer(comparison)
        pooled += mcnemar_p(discordance(one.ravel(), other.ravel())) < 0.05
    return claims / total, pooled / total


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.1])
def test_seed_noise_without_a_true_difference_is_called_best_in_at_most_5_percent(tmp_path, noise):
    """Seeds vary by 0, 1.6 and 3.3 points; pooling their answers takes that variance for a difference."""
    total = 300
    claims, pooled = _claims_of_seeded_runs(tmp_path, [0.5, 0.5], total, noise)
    assert claims <= 0.05 + 1.645 * math.sqrt(0.05 * 0.95 / total)
    if noise == 0.1:
        assert pooled > 0.15


def test_a_true_difference_beyond_the_seeds_is_usually_found(tmp_path):
    claims, _ = _claims_of_seeded_runs(tmp_path, [0.45, 0.6], 40, noise=0.05)
    assert claims >= 0.8


def test_sentences_of_a_run_with_seeds_say_how_many(tmp_path):
    questions = runs.question_rows(200)
    variants = {"baseline": marks(60, 200)}
    variants |= {f"full/seed_{seed}": marks(118 + seed, 200) for seed in (1, 2, 3)}
    found = observe(tmp_path, questions, variants)
    assert found[0].startswith("**full is the best of the 2 variants on these databases**")
    assert "(n = 200, 1 to 3 seeds each, largest p < 0.001 for further" in found[0]
    assert about(
        found, "full is above the baseline by 30.0 points (n = 200, 1 to 3 seeds each, p < 0.001"
    )


def test_seeds_that_scatter_are_not_blamed_on_the_questions(tmp_path):
    variants = {"baseline": marks(100, 1000)}
    variants |= {f"full/seed_{seed}": marks(300 * seed, 1000) for seed in (1, 2, 3)}
    found = observe(tmp_path, runs.question_rows(1000), variants)
    assert about(found, "With 1,000 questions and these seeds, at a disagreement of up to")
    assert about(found, "no difference has an 80 % chance to be found. `sqladder power` says")
    assert not about(found, "too few")


def test_every_sentence_of_a_run_with_seeds_that_tests_something_names_them(tmp_path):
    questions = runs.question_rows(400)
    easy = [question["hardness"] in ("easy", "medium") for question in questions]
    variants = {"baseline": [right and n % 3 == 0 for n, right in enumerate(easy)]}
    for seed in (1, 2, 3):
        variants[f"full/seed_{seed}"] = [right and n % 50 != seed for n, right in enumerate(easy)]
    found = observe(tmp_path, questions, variants)
    assert about(found, "By level, full differs significantly from the baseline")
    assert about(found, "answered extra questions right less often than easy ones")
    assert [
        sentence for sentence in found if "p " in sentence and "1 to 3 seeds" not in sentence
    ] == []


def test_seeds_that_disagree_leave_no_significant_difference(tmp_path):
    """Each seed alone would be: 80 and 140 right of 200 against 60."""
    questions = runs.question_rows(200)
    variants = {
        "baseline": marks(60, 200),
        "full/seed_1": marks(80, 200),
        "full/seed_2": marks(140, 200),
    }
    found = observe(tmp_path, questions, variants)
    assert found[0].startswith("**No single variant is shown to be best**")
    assert about(found, "Not significantly different from the baseline: full (+25.0, p = ")
