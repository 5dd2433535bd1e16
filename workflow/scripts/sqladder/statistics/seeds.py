"""Variances over questions, in whole groups, and over seeds, and the intervals of one variant.

Another seed gives another model, so a difference between two variants is known no better than the seeds agree. Pooling
the answers of all seeds, as if each were a question of its own, forgets that and finds differences that are none.

Seeds and groups of questions are crossed: each seed answers each group. The variance of a mean over both is that of
its mean over seeds between groups, plus that of its mean over questions between seeds, less that of single answers,
which both of them hold (`crossed`). A. B. Owen (2007), "The pigeonhole bootstrap", Annals of Applied Statistics 1,
386-411, shows that the sum without the last counts the answers' noise twice. A few seeds tell their variance badly;
Student's t with the degrees of freedom of F. E. Satterthwaite (1946), "An approximate distribution of estimates of
variance components", Biometrics Bulletin 2, 110-114, makes up for that, where a bootstrap of three seeds could not.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sqladder.statistics.groups import NOTHING, Groups, VarianceComponent, variance_of_mean
from sqladder.statistics.intervals import Interval, effective_wilson, share_variance

Marks = NDArray[np.bool_]
"""One mark per question, in one order for all variants: true where the answer is right."""

Answers = NDArray[np.bool_]
"""Marks of one variant, shape (seeds, questions): true where the answer is right."""


ENOUGH, ENOUGH_FREEDOM = 3, 4
"""Seeds of a variant, and degrees of freedom of all that tell how far seeds scatter, with which `are_enough`."""


def are_enough(seeds: int, freedom: float) -> bool:
    """Whether seeds tell their variance well enough for Satterthwaite's approximation of a difference's t.

    Args:
        seeds: of the variant of the two that has fewer of several.
        freedom: degrees of freedom of all seeds that tell how far seeds scatter.
    """
    return seeds >= ENOUGH and freedom >= ENOUGH_FREEDOM


def between_seeds(means: Sequence[float]) -> VarianceComponent:
    """Variance of the mean of several seeds' means; a single seed tells nothing of it."""
    if len(means) < 2:
        return NOTHING
    return VarianceComponent(float(np.var(means, ddof=1)) / len(means), len(means) - 1)


def total(*components: VarianceComponent) -> VarianceComponent:
    """The sum of independent components, with Satterthwaite's degrees of freedom.

    Where all variances are 0, the degrees of freedom are the fewest of any: that all agree is then known of few only.
    """
    variance = sum(component.variance for component in components)
    uncertain = sum(
        component.variance**2 / component.degrees_of_freedom for component in components
    )
    if not variance:
        fewest = min(component.degrees_of_freedom for component in components)
        return VarianceComponent(variance, fewest)
    return VarianceComponent(variance, variance**2 / uncertain if uncertain else np.inf)


def noise_of_answers(answers: NDArray, groups: Groups) -> VarianceComponent:
    """Variance that a mean has from single answers: what neither the seed nor the group explains.

    It is the mean square of the interaction of seeds and groups over the number of cells; a single seed or group tells
    nothing of it.

    Args:
        answers: marks of one variant, or differences of two, shape (seeds, n).
        groups: of the n questions.
    """
    seeds, count = len(answers), len(groups.sizes)
    if seeds < 2 or count < 2:
        return NOTHING
    n = answers.shape[1]
    own = np.array([groups.sums(row) for row in answers])
    own -= np.outer(own.sum(axis=1) / n, groups.sizes)
    own -= own.mean(axis=0)
    cells = seeds * (seeds - 1) * (count - 1) / count
    return VarianceComponent(float((own**2).sum()) / n**2 / cells, (seeds - 1) * (count - 1))


def crossed(
    questions: VarianceComponent,
    seeds: VarianceComponent,
    answers: VarianceComponent,
) -> VarianceComponent:
    """Variance of a mean over seeds and groups of questions, with Satterthwaite's degrees of freedom.

    The mean over seeds varies between groups by the groups and by a share of single answers, the mean over questions
    between seeds by the seeds and by as much of single answers: one of the two is taken off. By chance that may be more
    than the seeds vary, so the variance is never less than the larger of the two.

    Source: J. Cornfield, J. W. Tukey (1956), "Average values of mean squares in factorials", Annals of Mathematical
    Statistics 27, 907-949; as two-way clusters A. C. Cameron, J. B. Gelbach, D. L. Miller (2011), "Robust inference
    with multiway clustering", Journal of Business & Economic Statistics 29, 238-249. Degrees of freedom of a sum with
    a part taken off: D. W. Gaylor, F. N. Hopper (1969), Technometrics 11, 691-706.

    Args:
        questions: variance of the mean between groups of questions, or between databases.
        seeds: its variance between seeds.
        answers: its variance from single answers, over the same groups (`noise_of_answers`).
    """
    found = total(questions, seeds, answers)
    if not found.variance:
        return found
    variance = crossed_variance(questions, seeds, answers)
    # Satterthwaite's for this variance: that of the sum, times the square of their ratio.
    freedom = found.degrees_of_freedom * (variance / found.variance) ** 2
    return VarianceComponent(variance, freedom)


def crossed_variance(
    questions: VarianceComponent, seeds: VarianceComponent, answers: VarianceComponent
) -> float:
    """The variance of `crossed` alone."""
    both = questions.variance + seeds.variance
    return max(questions.variance, seeds.variance, both - answers.variance)


def accuracy_variance(answers: Answers, groups: Groups) -> VarianceComponent:
    """Variance of a mean accuracy, for further questions on the same databases and further seeds.

    Args:
        answers: of one variant, shape (seeds, n), of at least one question.
        groups: of the n questions.
    """
    return over_seeds(share_variance(answers.mean(axis=0), groups), answers, groups)


def accuracy_interval(
    answers: Answers,
    groups: Groups,
    alpha: float = 0.05,
    error: VarianceComponent | None = None,
) -> Interval:
    """Interval of a mean accuracy, for further questions on the same databases and, with several, further seeds.

    Wilson's, for as many questions as the variance between groups and between seeds is worth.

    Args:
        answers: of one variant, shape (seeds, n).
        groups: of the n questions.
        alpha: share of such intervals that miss the true value.
        error: what `accuracy_variance` gives, where that is known already.
    """
    n = answers.shape[1]
    if n == 0:
        return Interval(0.0, 1.0)
    share = float(answers.sum()) / answers.size
    if share in (0, 1):
        # This tells nothing of how alike a group's questions are: they may all be.
        questions = share_variance(answers.mean(axis=0), groups)
        return effective_wilson(share, questions, groups.effective, alpha)
    error = error or accuracy_variance(answers, groups)
    if len(answers) > 1:
        # Seeds with equal means do not make the variance a known one.
        error = error._replace(degrees_of_freedom=min(error.degrees_of_freedom, n - 1))
    return effective_wilson(share, error, n, alpha)


def over_seeds(questions: VarianceComponent, answers: Answers, groups: Groups) -> VarianceComponent:
    """Variance of a mean accuracy whose part between the groups is known; that part where there is one seed."""
    if len(answers) == 1:
        return questions
    seeds = between_seeds(answers.mean(axis=1).tolist())
    return crossed(questions, seeds, noise_of_answers(answers, groups))


def new_databases_interval(
    answers: Answers, groups: Groups, databases: Groups, alpha: float = 0.05
) -> Interval | None:
    """Interval of a mean accuracy for questions on further databases; None with one database.

    The same with databases for groups, and never narrower than that for further questions on the same databases.
    """
    if len(databases.sizes) < 2:
        return None
    values = answers.mean(axis=0)
    share = float(values.mean())
    between = variance_of_mean(databases.sums(values), databases.sizes)
    error = over_seeds(between, answers, databases)
    most = databases.effective if share in (0, 1) else len(values)
    own = effective_wilson(share, error, most, alpha)
    return own.hull(accuracy_interval(answers, groups, alpha))
