"""How every number and claim of the report is made."""

from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.statistics.intervals import DRAWS, FEW, SEED

_BOOTSTRAP = f"percentile bootstrap{{}}, {DRAWS:,} resamples, seed {SEED}"

_FEW = f"with fewer than {FEW} disagreements the interval of McNemar's exact test (Fay and Lumbard 2021)"

_ONE_SEED = {
    "estimates": f"""2. Interval of an accuracy: Wilson's, 95 %, over questions.
3. "New databases": {_BOOTSTRAP.format(" over whole databases")}.
4. Differences are paired by question; {_BOOTSTRAP.format("")};
   {_FEW}.
5. Test of a difference: McNemar's exact test, two-sided.""",
    "detectable": "Detectable difference: Connor's formula for McNemar's test, 5 %, power 80 %.",
    "groups": "Fisher's exact test",
    "seeds": "One run of each variant: the spread between training seeds is not measured.",
}

_SEVERAL_SEEDS = {
    "estimates": f"""2. Interval of an accuracy: Wilson's, 95 %, for the number of questions that questions and seeds
   together are worth (Korn and Graubard 1998).
3. "New databases": variance of a bootstrap over whole databases, {DRAWS:,} resamples, seed {SEED}, plus
   that between seeds; Student's t.
4. Differences are paired by question: each question's share of right seeds of the one variant less the
   other's. Variance: between questions plus between seeds of both variants (Owen 2007), Student's t with
   Satterthwaite's degrees of freedom.
5. Test of a difference: the same, with the variance between questions that no difference gives, as in
   McNemar's test. Two variants with one seed each: McNemar's exact test and percentile bootstrap;
   {_FEW}.""",
    "detectable": """Detectable difference at 5 % and power 80 %: from the variance of the interval (Bloom 1995); two
   variants with one seed each: Connor's formula for McNemar's test.""",
    "groups": "t-test over questions and seeds",
    "seeds": "Counts are means over seeds, which are taken as a sample of all seeds, as are the questions.",
}


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    comparison = inputs.comparison
    lines = _SEVERAL_SEEDS if comparison.run.has_seeds else _ONE_SEED
    return f"""## Methods

1. Accuracy: share of questions whose answer is right; levels are Spider's hardness levels.
{lines["estimates"]}
6. All {len(comparison.pairs)} pairs over all questions are one family, adjusted by Holm so that the chance of any false
   claim in it is at most 5 %; the pairs of the four levels are another. Significant: adjusted p below 0.05.
7. Rank: 1 + variants shown to be better, up to all variants less those shown to be worse.
8. "Best" is said only of a variant that differs significantly from every other.
9. Kinds of verdict: of each, whether an answer has it, compared with the baseline's as in 5; all kinds and variants
   are one family. Databases: Pearson's chi-squared test that the first variant is right equally often on all of them,
   where Cochran's rule allows it. Easy and Extra: {lines["groups"]}; all variants are one family.
10. {lines["detectable"]}
11. {lines["seeds"]}"""
