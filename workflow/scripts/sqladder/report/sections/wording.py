"""Words that sentences of the report share: what they rest on, who they are about, where the numbers stand."""

from collections.abc import Sequence

from sqladder.report.comparison import Comparison
from sqladder.report.results import Run
from sqladder.texts.markdown import escape
from sqladder.texts.numbers import listing, number, p_phrase, points

RANKING = "[Ranking](#ranking)"
PAIRS = "[Paired differences](#paired-differences)"
BY_LEVEL = "[Accuracy by level](#accuracy-by-level)"
BY_DATABASE = "[Accuracy by database](#accuracy-by-database)"
SECONDARY = "[Secondary metrics](#secondary-metrics)"
FAILURES = "[What failed](#what-failed)"

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


def at_the_start(text: str) -> str:
    """The words with which a sentence begins; names stay as they are written."""
    return text[0].upper() + text[1:] if text.startswith(("all ", "both ")) else text


def span(values: Sequence[float]) -> str:
    """The least and the greatest of some differences in points, once where they are alike."""
    ends = list(dict.fromkeys(points(value) for value in (min(values), max(values))))
    return " to ".join(ends)


def largest(p_values: Sequence[float]) -> str:
    """The p-value of one claim, or the largest of several."""
    return f"{'largest ' * (len(p_values) > 1)}{p_phrase(max(p_values))}"
