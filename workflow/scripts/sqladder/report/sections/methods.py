"""How every number and claim of the report is made."""

from sqladder.report.results import Run
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.texts.numbers import number, plural


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    comparison = inputs.comparison
    run = comparison.run
    comparisons = number(len(comparison.pairs))
    return f"""## Methods

1. Accuracy: share of questions whose answer is right; levels are Spider's hardness levels.
2. {_groups(run)}
3. Two populations. *Same databases*: further questions on the databases of this test; every p-value and every rank
   speaks of it. *New databases*: questions on databases that are not in it; the databases are then the groups.
4. Interval of an accuracy: Wilson's, 95 %, for the number of questions that its variance between
   groups{_and_seeds(run)} is worth (Korn and Graubard 1998).
5. Differences are paired by question. Interval: jackknife over groups with one question added for either variant
   (Bonett and Price 2012), Student's t with as many degrees of freedom as groups of equal size would have; for new
   databases the same over databases, never narrower. Intervals of a family of comparisons are simultaneous: 95 % for
   all of them together (Bonferroni), and they exclude 0 only where the adjusted p is below 0.05.
6. {_test(run)}
7. All {comparisons} pairs over all questions are one family, adjusted by Holm so that the chance of any false
   claim in it is at most 5 %. The comparisons with the baseline on the four levels are another, and all pairs on the
   four levels one more: the best of a level is chosen by its numbers, so it could have been any pair. Significant:
   adjusted p below 0.05.
8. Rank: 1 + variants shown to be better, up to all variants less those shown to be worse.
9. "Best" is said only of a variant that differs significantly from every other.
10. Kinds of verdict: of each, whether an answer has it, compared with the baseline's as in 6; all kinds and variants
    are one family. Databases: chi-squared test that the first variant is right equally often on all of them, divided by
    the design effect of the groups (Rao and Scott 1984), where Cochran's rule allows it. Easy and Extra:
    {two_sets_test(run)}; all variants are one family.
11. Detectable difference at power 80 %: for the test, the adjustment and the groups that are used here (Connor 1987;
    with several seeds Bloom 1995). "-": none that disagreements as frequent as these leave possible.
12. {_seeds(run)}"""


def two_sets_test(run: Run) -> str:
    """The test of a variant on two sets of questions."""
    if run.has_seeds:
        return "t-test over groups of questions and seeds"
    return "Fisher's exact test" if run.groups.are_single else "t-test over groups of questions"


def _groups(run: Run) -> str:
    if run.groups.are_single:
        return "No two questions share gold query and database or a conversation: each question counts for itself."
    return (
        f"The {plural(run.n, 'question')} come in {plural(len(run.groups.sizes), 'group')}, the wordings of one gold "
        "query on one\n   database, a conversation, or what the data set says. Groups are the units of all "
        "intervals and tests, since\n   questions of a group are right or wrong together."
    )


def _and_seeds(run: Run) -> str:
    return " and seeds" * run.has_seeds


def _test(run: Run) -> str:
    exact = (
        "all signs that the groups' differences could have had are counted, two-sided; McNemar's exact test "
        "where\n   each group has one question"
    )
    if not run.has_seeds:
        return f"Test of a difference: {exact}."
    return f"""Test of a difference: the variance between groups that no difference gives, plus that between seeds of
   both variants, less that of single answers, which both hold (Cornfield and Tukey 1956). How far seeds scatter is
   told by those of all variants together, where at least three have several; a variant whose own scatter further
   keeps its own, and one whose own stand out (F-test at 5 %) is left to these alone (Phipson et al. 2016). Two ways to
   ask the same models are compared seed by seed. Student's t with Satterthwaite's degrees of freedom; where these
   seeds have fewer than four in all, where a variant has two seeds, and where a single one borrows the variance of
   several, the mean of both parts' t by their variances (Cochran 1964). Two variants with one seed each: {exact}."""


def _seeds(run: Run) -> str:
    if run.has_seeds:
        return "Counts are means over seeds, which are taken as a sample of all seeds, as are the questions."
    return (
        "One run of each variant: the spread between training seeds is not measured, so claims are about these\n"
        "    models."
    )
