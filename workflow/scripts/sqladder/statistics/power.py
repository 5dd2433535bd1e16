"""How small a difference a test can still find."""

from scipy import special

from sqladder.statistics.groups import VarianceComponent, WeightedComponents
from sqladder.statistics.seeds import are_enough, total

MOST_SEEDS = 100
"""Seeds beyond which nobody trains."""


def detectable_difference(
    squares: float, groups: int, n: int, alpha: float = 0.05, power: float = 0.8
) -> float | None:
    """Smallest true difference of two accuracies that the test by whole groups finds with this power.

    None where even one that decides every disagreement would be missed.

    Source: R. J. Connor (1987), "Sample size for testing differences in proportions for the
    paired-sample design", Biometrics 43, 207-211, solved for the difference, with groups for questions: the sum x = n d
    has x = z(1 - alpha/2) sqrt(s) + 1 + z(power) sqrt(s - x^2 / groups). The 1 is what the exact test is cautious by,
    half a step of its sum on average.

    Args:
        squares: sum over groups of the squared difference of right answers; the number of disagreements where each
            group has one question.
        groups: number of groups.
        n: number of questions.
        alpha: level of the test, divided by the number of comparisons that it is adjusted for.
        power: chance to find the difference.
    """
    if squares <= 0:
        return None
    critical = float(special.ndtri(1 - alpha / 2)) * squares**0.5 + 1
    z = float(special.ndtri(power))
    scale = 1 + z * z / groups
    inside = critical**2 - scale * (critical**2 - z * z * squares)
    if inside < 0:
        return None
    return (critical + inside**0.5) / scale / n


def detectable_over_seeds(
    error: VarianceComponent | WeightedComponents, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Smallest true difference that a t-test over questions and seeds finds with this power.

    Source: H. S. Bloom (1995), "Minimum detectable effects", Evaluation Review 19, 547-556.

    Args:
        error: variance of the difference, over groups of questions and seeds.
        alpha: level of the test, divided by the number of comparisons that it is adjusted for.
        power: chance to find the difference.
    """
    return (error.quantile(1 - alpha / 2) + error.quantile(power)) * error.variance**0.5


def planned_error(
    questions: VarianceComponent, seed_sd: float, seeds: int, variants: int = 2
) -> VarianceComponent | WeightedComponents:
    """Variance of the difference of two variants of a run to come, over groups of questions and seeds.

    Args:
        questions: variance of the difference between groups of questions.
        seed_sd: standard deviation of an accuracy between seeds.
        seeds: of each variant, two or more.
        variants: of the run, whose seeds together tell how far seeds scatter (`seed_scatter`).
    """
    freedom = variants * (seeds - 1)
    own = VarianceComponent(2 * seed_sd**2 / seeds, freedom)
    if are_enough(seeds, freedom):
        return total(questions, own)
    return WeightedComponents(questions, own)


def seeds_needed(
    difference: float,
    questions: VarianceComponent,
    seed_sd: float,
    variants: int = 2,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int | None:
    """Seeds of each variant with which a t-test finds a difference; None where no number is enough.

    Args:
        difference: of two accuracies.
        questions: variance of the difference between questions, which more seeds do not lower.
        seed_sd: standard deviation of an accuracy between seeds.
        variants: of the run.
        alpha: level of the test, divided by the number of comparisons that it is adjusted for.
        power: chance to find the difference.
    """
    for seeds in range(2, MOST_SEEDS + 1):
        error = planned_error(questions, seed_sd, seeds, variants)
        if detectable_over_seeds(error, alpha, power) <= difference:
            return seeds
    return None
