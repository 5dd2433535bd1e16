"""The answer of a run in one sentence, and what the run could have found."""

from sqladder.report.comparison import Comparison
from sqladder.report.sections.wording import PAIRS, RANKING, sample, some
from sqladder.texts.markdown import escape
from sqladder.texts.numbers import number, p_phrase, rate


def answer(comparison: Comparison) -> str:
    """Which variant is best, as far as the tests tell."""
    n = sample(comparison.run)
    if len(comparison.ranking) == 1:
        return f"Only one variant was scored ({n}), so nothing is compared. {RANKING}"
    top = comparison.ranking[0]
    pairs = [pair for pair in comparison.pairs if pair.first == top.name]
    if all(pair.significant for pair in pairs):
        nearest = max(pairs, key=lambda pair: pair.p)
        return (
            f"**{escape(top.name)} is the best of the {len(comparison.ranking)} variants on these "
            f"questions**: it differs significantly from each of the others ({n}, largest "
            f"{p_phrase(nearest.p)}). {PAIRS}"
        )
    # Nobody is shown to be better than a leader, so two leaders never differ significantly.
    leaders = [v for v in comparison.ranking if comparison.ranks[v.name][0] == 1]
    names = {variant.name for variant in leaders}
    p = min(pair.p for pair in comparison.pairs if {pair.first, pair.second} <= names)
    rates = [f"{escape(v.name)} ({rate(v.correct.mean())})" for v in leaders]
    return (
        f"**No single variant is shown to be best**: {some(rates)} do not differ significantly "
        f"from each other ({n}, smallest {p_phrase(p)}). {PAIRS}"
    )


def findable(comparison: Comparison) -> str:
    """The difference that this run would have found; "" where nothing is compared."""
    if not comparison.pairs:
        return ""
    run = comparison.run
    widest = max(comparison.pairs, key=lambda pair: pair.discordant_share)
    disagreement = f"{100 * widest.discordant_share:.0f} %"
    # With one seed the pair that disagrees most is the hardest to separate; with several the seeds count.
    hardest = (
        max(comparison.pairs, key=lambda pair: pair.detectable or 1) if run.has_seeds else widest
    )
    if widest.discordant_share == 0:
        return (
            f"All variants are right on the same questions ({sample(run)}): no test can "
            f"separate them. {PAIRS}"
        )
    if hardest.detectable is None:
        few = f"{number(run.n)} questions"
        few += " with these seeds" * run.has_seeds
        return (
            f"{few} are too few: at the observed disagreement of "
            f"{disagreement}, no difference has an 80 % chance to be found. {PAIRS}"
        )
    return (
        f"With {sample(run)} and pairs that disagree on up to {disagreement} of the "
        f"questions, a single test finds a true difference of {100 * hardest.detectable:.1f} points "
        f"with a chance of 80 %; smaller ones are likelier to be missed. {PAIRS}"
    )
