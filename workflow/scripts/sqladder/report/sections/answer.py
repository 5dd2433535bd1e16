"""The answer of a run in one sentence, and what the run could have found."""

from collections import Counter
from collections.abc import Sequence

from sqladder.report.comparison import Comparison, Pair
from sqladder.report.sections.wording import (
    FURTHER,
    PAIRS,
    RANKING,
    largest,
    may_turn,
    sample,
    seeds_that_tell,
    some,
)
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
        who = f"{escape(top.name)} is the best of the {len(comparison.ranking)} variants"
        if top.single_seed_varies and any(map(comparison.of_models, pairs)):
            who = f"The model of {escape(top.name)} trained here is the best of the {len(comparison.ranking)}"
        return (
            f"**{who} on these databases**: it differs significantly from each of the others ({n}, largest "
            f"{p_phrase(nearest.p)} for further questions on them). {_elsewhere(comparison, pairs)} "
            f"{seeds_that_tell(comparison, pairs)}{PAIRS}"
        )
    # Nobody is shown to be better than a leader, so two leaders never differ significantly.
    leaders = [v for v in comparison.ranking if comparison.ranks[v.name][0] == 1]
    names = {variant.name for variant in leaders}
    found = [pair.p for pair in comparison.pairs if {pair.first, pair.second} <= names]
    p = f"{'smallest ' * (len(found) > 1)}{p_phrase(min(found))}"
    rates = [f"{escape(v.name)} ({rate(v.correct.mean())})" for v in leaders]
    return (
        f"**No single variant is shown to be best**: {some(rates)} do not differ significantly from each other "
        f"({sample(comparison.run, *names)}, {p} {FURTHER}). {_behind(comparison, names)}{PAIRS}"
    )


def _behind(comparison: Comparison, leaders: set[str]) -> str:
    """What all of those that may be best are shown to be better than; "" where that is nothing."""
    ahead = [pair for pair in comparison.pairs if pair.first in leaders and pair.significant]
    counts = Counter(pair.second for pair in ahead)
    beaten = [v.name for v in comparison.ranking if counts[v.name] == len(leaders)]
    if not beaten:
        return ""
    pairs = [pair for pair in ahead if pair.second in beaten]
    who = "Both" if len(leaders) == 2 else "All of them"
    whose = ", as trained here," * any(map(comparison.of_models, pairs))
    return (
        f"{who}{whose} are above {some([escape(name) for name in beaten])} ({largest([pair.p for pair in pairs])}). "
        f"{may_turn(comparison, pairs)}"
    )


def _elsewhere(comparison: Comparison, pairs: Sequence[Pair]) -> str:
    """Whether the best one is best on new databases too."""
    intervals = [comparison.on_new_databases(pair) for pair in pairs]
    known = [interval for interval in intervals if interval is not None]
    if not known:
        return "Of other databases nothing is known, as this test has one."
    open_ones = sum(interval.holds_0 for interval in known)
    if not open_ones:
        return "It is so on new databases too: no interval for them holds 0."
    return f"On new databases it is not shown: {open_ones} of its {len(known)} intervals for them hold 0."


def findable(comparison: Comparison) -> str:
    """The difference that this run would have found; "" where nothing is compared."""
    if not comparison.pairs:
        return ""
    run = comparison.run
    widest = max(comparison.pairs, key=lambda pair: pair.discordant_share)
    disagreement = f"{100 * widest.discordant_share:.0f} %"
    if widest.discordant_share == 0:
        return (
            f"All variants are right on the same questions ({sample(run)}): no test can "
            f"separate them. {PAIRS}"
        )
    # Where two variants are nearly always both right or both wrong, no difference of theirs would be found.
    finding = [
        (found, pair.discordant_share)
        for pair in comparison.pairs
        if (found := pair.detectable) is not None
    ]
    known = dict(finding)
    if not known:
        why = (
            f"{number(run.n)} questions are too few: at the observed disagreement of {disagreement}"
        )
        if run.has_seeds:
            # Which of the two is too few is not known here.
            why = f"With {number(run.n)} questions and these seeds, at a disagreement of up to {disagreement}"
        more = " `sqladder power` says what more seeds or questions would find." * run.has_seeds
        return f"{why}, no difference has an 80 % chance to be found.{more} {PAIRS}"
    # With one seed the pair that disagrees most is the hardest to separate; with several the seeds count.
    hardest = max(known) if run.has_seeds else max(known, key=lambda found: known[found])
    # A pair with a variant that is hardly ever right says little of what can be found between good ones.
    least, most = f"{100 * min(known):.1f}", f"{100 * hardest:.1f}"
    points = most if least == most else f"{least} to {most}"
    total = len(comparison.pairs)
    where = f" in {len(finding)} of {number(total)} pairs" if len(finding) < total else ""
    return (
        f"With {sample(run)} and pairs that disagree on up to {disagreement} of the "
        f"questions, this run finds a true difference of {points} points on these databases "
        f"with a chance of 80 %{where}{_corrected(comparison)}; smaller ones are likelier to be missed. {PAIRS}"
    )


def _corrected(comparison: Comparison) -> str:
    """What the smallest difference is computed for."""
    comparisons = len(comparison.pairs)
    told = f", corrected for all {number(comparisons)} comparisons" if comparisons > 1 else ""
    groups = comparison.run.groups
    return (
        told
        if groups.are_single
        else f"{told} and with questions in {number(len(groups.sizes))} groups"
    )
