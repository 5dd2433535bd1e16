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
    """The words before claims that are all of the models of this run; "" where one of them is of methods."""
    return "of the models trained here, " if all(map(comparison.of_models, pairs)) else ""


def may_turn(comparison: Comparison, pairs: Sequence[Pair]) -> str:
    """The sentence after claims of which some are of models: why they are; "" where none is."""
    why = _trained_once(comparison, pairs)
    return f"{why}, so another may turn it. " if why else ""


def seeds_that_tell(comparison: Comparison, pairs: Sequence[Pair]) -> str:
    """The same, with the seeds of each variant that would tell the least certain of these differences."""
    why = _trained_once(comparison, pairs)
    if not why:
        return ""
    nearest = max(filter(comparison.of_models, pairs), key=lambda pair: pair.p)
    # Neither the base nor what was made elsewhere can have seeds.
    needed = nearest.seeds_needed(SEED_SD, max(2, comparison.run.trained_by_seed))
    enough = (
        f"{needed} seeds of each would tell" if needed else "no number of seeds would tell here"
    )
    return (
        f"{why}, so another may turn it: if seeds scatter by {100 * SEED_SD:.0f} point, {enough}. "
    )


def _trained_once(comparison: Comparison, pairs: Sequence[Pair]) -> str:
    """Which variants of these pairs were trained with one seed, where that makes a difference one of models."""
    ours = [pair for pair in pairs if comparison.of_models(pair)]
    if not ours:
        return ""
    if len(ours) == len(pairs):
        return "Trained with one seed"
    names = dict.fromkeys(name for pair in ours for name in (pair.first, pair.second))
    once = [escape(name) for name in names if comparison.run.named(name).single_seed_varies]
    return f"{some(once)} {'was' if len(once) == 1 else 'were'} trained with one seed"


def trained_once(comparison: Comparison, pairs: Sequence[Pair]) -> str:
    """The sentence below a table of comparisons, on a line of its own; "" where none is one of models."""
    if not any(map(comparison.of_models, pairs)):
        return ""
    return (
        "\nBetween variants with one seed each a difference is one of the models trained here: another seed may turn "
        "it,\nwhich neither p nor interval counts."
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
