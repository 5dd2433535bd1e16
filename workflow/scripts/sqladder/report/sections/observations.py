"""Sentences about the numbers of this run, each printed only where its test supports it.

An observation is a fact about these verdicts with its n and p. None of them speaks about methods in
general. What is alike of several variants is one sentence, so that there are never more than ten.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from sqladder.report.comparison import (
    ALPHA,
    Comparison,
    Pair,
    adjusted,
    make_pair,
    marks_of_all,
)
from sqladder.report.metrics import LEVELS, METRICS
from sqladder.report.results import Run, Variant, count, level_count
from sqladder.report.sections.methods import two_sets_test
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.wording import (
    BY_DATABASE,
    BY_LEVEL,
    FAILURES,
    FURTHER,
    RANKING,
    SECONDARY,
    at_the_start,
    largest,
    may_turn,
    others,
    sample,
    seeds,
    seeds_that_tell,
    some,
    span,
    trained_here,
)
from sqladder.statistics.paired_difference import PairedDifference
from sqladder.statistics.ranks import holm
from sqladder.statistics.shares import equal_shares_p, two_sets_p
from sqladder.texts.markdown import escape
from sqladder.texts.numbers import amount, listing, number, p_phrase, point_interval, points, rate


def section(inputs: ReportInputs) -> str:
    """The section in Markdown, "" where no test supports a sentence."""
    found = observations(inputs.comparison)
    if not found:
        return ""
    lines = "\n".join(f"- {sentence}" for sentence in found)
    return f"""## Observations

Facts about the numbers of this run. A difference is named only where its test supports it at 5 %;
p-values are adjusted by Holm within each kind of observation.

{lines}"""


def observations(comparison: Comparison) -> list[str]:
    """All sentences that this run supports beside its answer, ten at most, the most important first."""
    return [sentence for part in PARTS.values() for sentence in part(comparison)]


def _baseline(comparison: Comparison) -> Iterator[str]:
    """Who is above the baseline, and who below."""
    clear = [pair for pair in comparison.against_baseline() if pair.significant]
    for pairs in _by_direction(clear):
        names = [pair.first for pair in pairs]
        gaps = span([abs(pair.difference) for pair in pairs]).replace("+", "")
        who = trained_here(comparison, pairs) + others(comparison, names)
        yield (
            f"{at_the_start(who)} {_is(names)} {_direction(pairs[0])} the baseline by {gaps} "
            f"points ({sample(comparison.run, *names, pairs[0].second)}, {largest([pair.p for pair in pairs])} "
            f"{FURTHER}; {_elsewhere(comparison, pairs)}). {seeds_that_tell(comparison, pairs)}{RANKING}"
        )


def _by_direction(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """Pairs parted into those whose first variant is above, and those where it is below."""
    ordered = sorted(pairs, key=_direction)
    return [list(alike) for _, alike in groupby(ordered, _direction)]


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _unclear(comparison: Comparison) -> Iterator[str]:
    """Who does not differ from the baseline."""
    unclear = [pair for pair in comparison.against_baseline() if not pair.significant]
    if unclear:
        gaps = [f"{escape(p.first)} ({points(p.difference)}, {p_phrase(p.p)})" for p in unclear]
        yield (
            f"Not significantly different from the baseline: {some(gaps)}, {sample(comparison.run)}, {FURTHER}. "
            f"{RANKING}"
        )


def _elsewhere(comparison: Comparison, pairs: Sequence[Pair]) -> str:
    """Whether the differences hold on other databases too."""
    intervals = [comparison.on_new_databases(pair) for pair in pairs]
    known = [interval for interval in intervals if interval is not None]
    if not known:
        return "one database, so nothing is known about others"
    holding = sum(not interval.holds_0 for interval in known)
    if len(known) == 1:
        holds = "excludes" if holding else "includes"
        return f"the interval for new databases, {point_interval(known[0])}, {holds} 0"
    share = "each" if holding == len(known) else f"{holding} of {len(known)}"
    return f"the interval for new databases excludes 0 for {share}"


def _direction(pair: Pair) -> str:
    return "above" if pair.difference > 0 else "below"


def _baseline_by_level(comparison: Comparison) -> Iterator[str]:
    """On which levels who differs from the baseline."""
    told, who = [], []
    claimed: list[Pair] = []
    for level in LEVELS:
        clear = [pair for pair in comparison.baseline_by_level[level] if pair.significant]
        for pairs in _by_direction(clear):
            names = [pair.first for pair in pairs]
            claimed += pairs
            who.append(names)
            told.append(
                (
                    others(comparison, names),
                    f"{_direction(pairs[0])} on {level} (n = {number(pairs[0].n)}"
                    f"{seeds(comparison.run, *names, pairs[0].second)}, "
                    f"{span([pair.difference for pair in pairs])} points, "
                    f"{largest([pair.p for pair in pairs])})",
                )
            )
    if not told:
        return
    start = f"By level, {trained_here(comparison, claimed)}"
    end = f", {FURTHER}. {may_turn(comparison, claimed)}{BY_LEVEL}"
    if all(names == who[0] for names in who):
        verb = "differs" if len(who[0]) == 1 else "differ"
        groups = listing([where for _, where in told])
        yield f"{start}{told[0][0]} {verb} significantly from the baseline: {groups}{end}"
        return
    groups = "; ".join(f"{names} {where}" for names, where in told)
    yield f"{start}significantly different from the baseline: {groups}{end}"


def _easy_and_extra(comparison: Comparison) -> Iterator[str]:
    run = comparison.run
    drops = []
    for variant in run.variants:
        easy, extra = (level_count(run, variant, level) for level in ("easy", "extra"))
        if not easy.n or not extra.n:
            return
        groups = (easy.groups, extra.groups)
        drops.append((variant, easy, extra, two_sets_p(easy.answers, extra.answers, groups)))
    p_values = holm([p for *_, p in drops])
    fallen = {
        f"{escape(variant.name)} {rate(easy.rate)} to {rate(extra.rate)}": p
        for (variant, easy, extra, _), p in zip(drops, p_values, strict=True)
        if p < ALPHA and extra.correct / extra.n < easy.correct / easy.n
    }
    if fallen:
        every = "Every variant" if len(drops) > 1 else "The variant"
        who = every if len(fallen) == len(drops) else f"{len(fallen)} of {len(drops)} variants"
        yield (
            f"{who} answered extra questions right less often than easy ones: {some([*fallen])} "
            f"(n = {easy.n} and {extra.n}{seeds(run)}, {two_sets_test(run)}, largest "
            f"{p_phrase(max(fallen.values()))} {FURTHER}). "
            f"{BY_LEVEL}"
        )


def _none_or_all(comparison: Comparison) -> Iterator[str]:
    """Who answered nothing right, and who everything."""
    run = comparison.run
    none = [variant for variant in run.variants if not variant.correct.any()]
    if none:
        high = max(level_count(run, variant, "all").interval.high for variant in none)
        yield (
            f"{some([escape(variant.name) for variant in none])} answered none of the {number(run.n)} questions right"
            f"{_with_seeds(none, 'any')}; an accuracy up to {rate(high)} {FURTHER} would still be compatible with "
            f"that. {RANKING}"
        )
    every = [variant for variant in run.variants if variant.correct.all()]
    if every:
        low = min(level_count(run, variant, "all").interval.low for variant in every)
        yield (
            f"{some([escape(variant.name) for variant in every])} answered all {number(run.n)} questions right"
            f"{_with_seeds(every, 'each')}; an accuracy down to {rate(low)} {FURTHER} would still be compatible with "
            f"that. {RANKING}"
        )


def _with_seeds(variants: Sequence[Variant], which: str) -> str:
    """How many seeds gave that; "" where each variant has one."""
    most = max(len(variant.seeds) for variant in variants)
    return "" if most == 1 else f" with {which} of its {most} seeds"


def _oracle_values(comparison: Comparison) -> Iterator[str]:
    run = comparison.run
    if any("plug_value" not in variant.marks for variant in run.variants):
        return
    pairs = adjusted([_plugged(run, variant) for variant in run.variants])
    clear = [pair for pair in pairs if pair.significant]
    if clear:
        gains = [f"{escape(pair.first)} {points(pair.difference)}" for pair in clear]
        yield (
            f"With {METRICS['plug_value'].title} the accuracy is different: {some(gains)} points "
            f"({sample(run)}, largest {p_phrase(max(p.p for p in clear))} {FURTHER}). {SECONDARY}"
        )


def _plugged(run: Run, variant: Variant) -> Pair:
    names = (variant.name, variant.name)
    marks = variant.marks["plug_value"], variant.correct
    return make_pair(names, PairedDifference.of(*marks, run.groups, same_models=True))


def _failure_kinds(comparison: Comparison) -> Iterator[str]:
    """Failures of one kind that a variant has more or less often than the baseline.

    wrong_result is left out: it is what remains, and mirrors the accuracy.
    """
    run = comparison.run
    named = {v.name: np.array([own.verdicts for own in v.seeds]) for v in run.variants}
    if len(named) < 2:
        return
    occurring = set(np.concatenate([verdicts.ravel() for verdicts in named.values()]))
    kinds = sorted(occurring - {"correct", "wrong_result"})
    marks = {
        kind: marks_of_all(run, {name: own == kind for name, own in named.items()})
        for kind in kinds
    }
    tests = [
        (kind, make_pair(names, marks[kind].difference(*names, run.groups)))
        for names in ((name, run.baseline) for name in named if name != run.baseline)
        for kind in kinds
    ]
    found = adjusted([pair for _, pair in tests])
    told = []
    claimed: list[Pair] = []
    for kind in kinds:
        clear = [
            pair
            for (own, _), pair in zip(tests, found, strict=True)
            if own == kind and pair.significant
        ]
        for pairs in _by_direction(clear):
            names = [pair.first for pair in pairs]
            claimed += pairs
            counts = [(named[name] == kind).sum(axis=1).mean() for name in (*names, run.baseline)]
            told.append(
                f"{others(comparison, names)} {'has' if len(names) == 1 else 'have'} "
                f"{'more' if pairs[0].difference > 0 else 'fewer'} {kind} verdicts than the baseline: "
                f"{_range(counts[:-1])} against {amount(counts[-1])} ({sample(run, *names, run.baseline)}, "
                f"{largest([pair.p for pair in pairs])})"
            )
    if told:
        start = at_the_start(trained_here(comparison, claimed) + "; ".join(told))
        yield f"{start}, {FURTHER}. {may_turn(comparison, claimed)}{FAILURES}"


def _range(counts: Sequence[float]) -> str:
    """The least and the greatest of some numbers of questions."""
    return " to ".join(dict.fromkeys([amount(min(counts)), amount(max(counts))]))


def _databases(comparison: Comparison) -> Iterator[str]:
    """Whether the first variant's accuracy differs between databases (chi-squared test)."""
    run, top = comparison.run, comparison.ranking[0]
    counts = {
        name: count(top.correct, chosen, run.groups) for name, chosen in run.by_database.items()
    }
    if len(counts) < 2:
        return
    p = equal_shares_p(
        [own.answers.mean(axis=0) for own in counts.values()],
        [own.groups for own in counts.values()],
    )
    if p is not None and p < ALPHA:
        order = sorted(counts, key=lambda name: counts[name].correct / counts[name].n)
        ends = [f"{rate(counts[d].rate)} ({escape(d)}, n = {counts[d].n})" for d in _ends(order)]
        yield (
            f"The accuracy of {escape(top.name)} differs between the {len(counts)} databases, from "
            f"{ends[0]} to {ends[1]} ({sample(run, top.name)}, {p_phrase(p)} for further questions on them). "
            f"{BY_DATABASE}"
        )


def _ends(order: Sequence[str]) -> tuple[str, str]:
    return order[0], order[-1]


PARTS = {
    "baseline": _baseline,
    "no difference": _unclear,
    "baseline by level": _baseline_by_level,
    "easy and extra": _easy_and_extra,
    "none or all": _none_or_all,
    "oracle values": _oracle_values,
    "kinds of failure": _failure_kinds,
    "databases": _databases,
}
"""The kinds of observation, the most important first."""
