"""Words that sentences of the report share: what they rest on, who they are about, where the numbers stand."""

from collections.abc import Sequence

from sqladder.report.comparison import Comparison, Pair
from sqladder.report.results import Run
from sqladder.texts.markdown import escape
from sqladder.texts.numbers import listing, number, p_phrase, points

RANKING = "[Ranking](#ranking)"
PAIRS = "[Paired differences](#paired-differences)"
BY_LEVEL = "[Accuracy by level](#accuracy-by-level)"
BY_DATABASE = "[Accuracy by database](#accuracy-by-database)"
SECONDARY = "[Secondary metrics](#secondary-metrics)"
FAILURES = "[What failed](#what-failed)"

FURTHER = "for further questions on these databases"
"""The population of every p-value, and of every interval that names no other."""

SEED_SD = 0.01
"""Standard deviation between seeds that is assumed where a variant was trained once: a point."""

NAMED = 4
"""Things that a sentence names one by one; of more it names the first and counts the others."""


def sample(run: Run, *names: str) -> str:
    """How much a sentence about all questions rests on: their number, and that of the seeds."""
    return f"n = {number(run.n)}{seeds(run, *names)}"


def seeds(run: Run, *names: str) -> str:
    """The number of seeds of the named variants, or of all, with a comma; "" where each has one."""
    numbers = [len(v.seeds) for v in run.variants if not names or v.name in names]
    if max(numbers) == 1:
        return ""
    told = " to ".join(map(str, sorted({min(numbers), max(numbers)})))
    return f", {told} seeds{' each' * (len(numbers) > 1)}"


def some(things: Sequence[str]) -> str:
    """Things as an English list; of more than `NAMED` the first, and how many others there are."""
    if len(things) <= NAMED:
        return listing(things)
    return listing([*things[: NAMED - 1], f"{number(len(things) - NAMED + 1)} more"])


def others(comparison: Comparison, names: Sequence[str]) -> str:
    """Variants beside the baseline: by name, or as all of them where there are several."""
    total = len(comparison.ranking) - 1
    if len(names) == total > 1:
        return "both other variants" if total == 2 else f"all {number(total)} other variants"
    return some([escape(name) for name in names])


def trained_here(comparison: Comparison, pairs: Sequence[Pair]) -> str:
    """The words before a claim that is one of the models of this run; "" where it is one of methods."""
    return "of the models trained here, " if any(map(comparison.of_models, pairs)) else ""


def may_turn(comparison: Comparison, pairs: Sequence[Pair]) -> str:
    """The sentence after such a claim, which says why."""
    once = any(map(comparison.of_models, pairs))
    return "Trained with one seed, so another may turn it. " * once


def seeds_that_tell(comparison: Comparison, pair: Pair) -> str:
    """The same after a claim about one pair, with the seeds of each variant that would tell."""
    if not comparison.of_models(pair):
        return ""
    needed = pair.seeds_needed(SEED_SD)
    enough = (
        f"{needed} seeds of each would tell" if needed else "no number of seeds would tell here"
    )
    return f"Trained with one seed, so another may turn it: if seeds scatter by {100 * SEED_SD:.0f} point, {enough}. "


def trained_once(comparison: Comparison, pairs: Sequence[Pair]) -> str:
    """The sentence below a table of comparisons, on a line of its own; "" where none is one of models."""
    if not any(map(comparison.of_models, pairs)):
        return ""
    return (
        "\nVariants trained with one seed each are compared as the models trained here: another seed may turn a "
        "difference,\nwhich neither p nor interval counts."
    )


def at_the_start(text: str) -> str:
    """The words with which a sentence begins; names stay as they are written."""
    ours = ("all ", "both ", "of the models ")
    return text[0].upper() + text[1:] if text.startswith(ours) else text


def span(values: Sequence[float]) -> str:
    """The least and the greatest of some differences in points, once where they are alike."""
    ends = list(dict.fromkeys(points(value) for value in (min(values), max(values))))
    return " to ".join(ends)


def largest(p_values: Sequence[float]) -> str:
    """The p-value of one claim, or the largest of several."""
    return f"{'largest ' * (len(p_values) > 1)}{p_phrase(max(p_values))}"
