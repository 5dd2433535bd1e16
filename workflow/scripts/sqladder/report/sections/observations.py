"""Sentences about the numbers of this run, each printed only where its test supports it.

An observation is a fact about these verdicts with its n and p. None of them speaks about methods in
general.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from sqladder.report.comparison import ALPHA, Comparison, Pair, adjusted, make_pair
from sqladder.report.metrics import LEVELS, METRICS
from sqladder.report.results import Run, Variant, count, level_count
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.statistics.groups import equal_shares_p
from sqladder.statistics.ranks import holm
from sqladder.statistics.seeds import groups_p
from sqladder.texts.markdown import escape
from sqladder.texts.numbers import amount, listing, number, p_phrase, point_interval, points, rate

RANKING = "[Ranking](#ranking)"
PAIRS = "[Paired differences](#paired-differences)"
BY_LEVEL = "[Accuracy by level](#accuracy-by-level)"
BY_DATABASE = "[Accuracy by database](#accuracy-by-database)"
SECONDARY = "[Secondary metrics](#secondary-metrics)"
FAILURES = "[What failed](#what-failed)"


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    lines = "\n".join(f"- {sentence}" for sentence in observations(inputs.comparison))
    return f"""## Observations

Facts about the numbers of this run. A difference is named only where its test supports it at 5 %;
p-values are adjusted by Holm within each kind of observation.

{lines}"""


def observations(comparison: Comparison) -> list[str]:
    """All sentences that this run supports, the most important first."""
    parts = (
        _best,
        _baseline,
        _baseline_by_level,
        _easy_and_extra,
        _none_or_all,
        _oracle_values,
        _failure_kinds,
        _databases,
        _power,
    )
    return [sentence for part in parts for sentence in part(comparison)]


def _sample(run: Run, *names: str) -> str:
    """How much a sentence about all questions rests on: their number, and that of the seeds."""
    return f"n = {number(run.n)}{_seeds(run, *names)}"


def _seeds(run: Run, *names: str) -> str:
    """The number of seeds of the named variants, or of all, with a comma; "" where each has one."""
    numbers = [len(v.seeds) for v in run.variants if not names or v.name in names]
    if max(numbers) == 1:
        return ""
    seeds = " to ".join(map(str, sorted({min(numbers), max(numbers)})))
    return f", {seeds} seeds{' each' * (len(numbers) > 1)}"


def _best(comparison: Comparison) -> Iterator[str]:
    n = _sample(comparison.run)
    if len(comparison.ranking) == 1:
        yield f"Only one variant was scored ({n}), so nothing is compared. {RANKING}"
        return
    top = comparison.ranking[0]
    pairs = [pair for pair in comparison.pairs if pair.first == top.name]
    if all(pair.significant for pair in pairs):
        nearest = max(pairs, key=lambda pair: pair.p)
        yield (
            f"**{escape(top.name)} is the best of the {len(comparison.ranking)} variants on these "
            f"questions**: it differs significantly from each of the others ({n}, largest "
            f"{p_phrase(nearest.p)}). {PAIRS}"
        )
        return
    # Nobody is shown to be better than a leader, so two leaders never differ significantly.
    leaders = [v for v in comparison.ranking if comparison.ranks[v.name][0] == 1]
    names = {variant.name for variant in leaders}
    p = min(pair.p for pair in comparison.pairs if {pair.first, pair.second} <= names)
    rates = [f"{escape(v.name)} ({rate(v.correct.mean())})" for v in leaders]
    yield (
        f"**No single variant is shown to be best**: {listing(rates)} do not differ significantly "
        f"from each other ({n}, smallest {p_phrase(p)}). {PAIRS}"
    )


def _baseline(comparison: Comparison) -> Iterator[str]:
    pairs = list(comparison.against_baseline())
    for pair in pairs:
        if pair.significant:
            yield (
                f"{escape(pair.first)} is {_direction(pair)} the baseline by "
                f"{_size(pair)} points ({_sample(comparison.run, pair.first, pair.second)}, "
                f"{p_phrase(pair.p)}; "
                f"{_elsewhere(comparison, pair)}). {RANKING}"
            )
    unclear = [pair for pair in pairs if not pair.significant]
    if unclear:
        gaps = [f"{escape(p.first)} ({points(p.difference)}, {p_phrase(p.p)})" for p in unclear]
        yield (
            f"Not significantly different from the baseline: {listing(gaps)}, {_sample(comparison.run)}. "
            f"{RANKING}"
        )


def _elsewhere(comparison: Comparison, pair: Pair) -> str:
    interval = comparison.on_new_databases(pair)
    if interval is None:
        return "one database, so nothing is known about others"
    holds = "excludes" if interval.low > 0 or interval.high < 0 else "includes"
    return f"the interval clustered by database, {point_interval(interval)}, {holds} 0"


def _direction(pair: Pair) -> str:
    return "above" if pair.difference > 0 else "below"


def _size(pair: Pair) -> str:
    return points(abs(pair.difference)).lstrip("+")


def _baseline_by_level(comparison: Comparison) -> Iterator[str]:
    for variant in comparison.ranking:
        if comparison.run.baseline in (None, variant.name):
            continue
        pairs = {
            level: comparison.pair(variant.name, comparison.run.baseline, level) for level in LEVELS
        }
        clear = [
            f"{_direction(pair)} on {level} (n = {number(pair.n)}"
            f"{_seeds(comparison.run, pair.first, pair.second)}, {points(pair.difference)} "
            f"points, {p_phrase(pair.p)})"
            for level, pair in pairs.items()
            if pair.significant
        ]
        if clear:
            yield (
                f"By level, {escape(variant.name)} differs significantly from the baseline: "
                f"{listing(clear)}. {BY_LEVEL}"
            )


def _easy_and_extra(comparison: Comparison) -> Iterator[str]:
    run = comparison.run
    drops = []
    for variant in run.variants:
        easy, extra = (level_count(run, variant, level) for level in ("easy", "extra"))
        if not easy.n or not extra.n:
            return
        drops.append((variant, easy, extra, groups_p(easy.by_seed, easy.n, extra.by_seed, extra.n)))
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
            f"{who} answered extra questions right less often than easy ones: {listing([*fallen])} "
            f"(n = {easy.n} and {extra.n}{_seeds(run)}, {_group_test(run)}, largest "
            f"{p_phrase(max(fallen.values()))}). "
            f"{BY_LEVEL}"
        )


def _group_test(run: Run) -> str:
    return "t-test over questions and seeds" if run.has_seeds else "Fisher's exact test"


def _none_or_all(comparison: Comparison) -> Iterator[str]:
    run = comparison.run
    n = run.n
    for variant in run.variants:
        total = level_count(run, variant, "all")
        correct, interval = total.correct, total.interval
        of = f" with any of its {len(variant.seeds)} seeds" * (len(variant.seeds) > 1)
        if correct == 0:
            yield (
                f"{escape(variant.name)} answered none of the {number(n)} questions right{of}; an "
                f"accuracy up to {rate(interval.high)} would still be compatible with that. "
                f"{RANKING}"
            )
        elif correct == n:
            yield (
                f"{escape(variant.name)} answered all {number(n)} questions right"
                f"{of.replace('any', 'each')}; an accuracy "
                f"down to {rate(interval.low)} would still be compatible with that. {RANKING}"
            )


def _oracle_values(comparison: Comparison) -> Iterator[str]:
    run = comparison.run
    if any("plug_value" not in variant.marks for variant in run.variants):
        return
    pairs = adjusted([_plugged(run, variant) for variant in run.variants])
    clear = [pair for pair in pairs if pair.significant]
    if clear:
        gains = [f"{escape(pair.first)} {points(pair.difference)}" for pair in clear]
        yield (
            f"With {METRICS['plug_value'].title} the accuracy is different: {listing(gains)} points "
            f"({_sample(run)}, largest {p_phrase(max(p.p for p in clear))}). {SECONDARY}"
        )


def _plugged(run: Run, variant: Variant) -> Pair:
    names = (variant.name, variant.name)
    marks = variant.marks["plug_value"], variant.correct
    return make_pair(names, *marks, run.select("all"), same_models=True)


def _failure_kinds(comparison: Comparison) -> Iterator[str]:
    """Failures of one kind that a variant has more or less often than the baseline.

    wrong_result is left out: it is what remains, and mirrors the accuracy.
    """
    run = comparison.run
    named = {v.name: np.array([own.verdicts for own in v.seeds]) for v in run.variants}
    if run.baseline is None or len(named) < 2:
        return
    reference = named[run.baseline]
    occurring = set(np.concatenate([verdicts.ravel() for verdicts in named.values()]))
    kinds = sorted(occurring - {"correct", "wrong_result"})
    lone = {v.name for v in run.variants if v.single_seed_varies}
    tests = [
        (
            kind,
            make_pair(
                (name, run.baseline),
                own == kind,
                reference == kind,
                run.select("all"),
                single_seed_varies=bool(lone & {name, run.baseline}),
            ),
        )
        for name, own in named.items()
        if name != run.baseline
        for kind in kinds
    ]
    found = adjusted([pair for _, pair in tests])
    for (kind, _), pair in zip(tests, found, strict=True):
        if pair.significant:
            more = "more" if pair.difference > 0 else "fewer"
            names = (pair.first, pair.second)
            counts = [amount((named[name] == kind).sum(axis=1).mean()) for name in names]
            yield (
                f"{escape(pair.first)} has {more} {kind} verdicts than the baseline: {counts[0]} "
                f"against {counts[1]} ({_sample(run, *names)}, {p_phrase(pair.p)}). {FAILURES}"
            )


def _databases(comparison: Comparison) -> Iterator[str]:
    """Whether the first variant's accuracy differs between databases (chi-squared test)."""
    run, top = comparison.run, comparison.ranking[0]
    counts = {name: count(top.correct, chosen) for name, chosen in run.by_database.items()}
    if len(counts) < 2:
        return
    p = equal_shares_p([c.correct for c in counts.values()], [c.n for c in counts.values()])
    if p is not None and p < ALPHA:
        order = sorted(counts, key=lambda name: counts[name].correct / counts[name].n)
        ends = [f"{rate(counts[d].rate)} ({escape(d)}, n = {counts[d].n})" for d in _ends(order)]
        yield (
            f"The accuracy of {escape(top.name)} differs between the {len(counts)} databases, from "
            f"{ends[0]} to {ends[1]} ({_sample(run, top.name)}, {p_phrase(p)}). "
            f"{BY_DATABASE}"
        )


def _ends(order: Sequence[str]) -> tuple[str, str]:
    return order[0], order[-1]


def _power(comparison: Comparison) -> Iterator[str]:
    if not comparison.pairs:
        return
    run = comparison.run
    widest = max(comparison.pairs, key=lambda pair: pair.discordant_share)
    disagreement = f"{100 * widest.discordant_share:.0f} %"
    # With one seed the pair that disagrees most is the hardest to separate; with several the seeds count.
    hardest = (
        max(comparison.pairs, key=lambda pair: pair.detectable or 1) if run.has_seeds else widest
    )
    if widest.discordant_share == 0:
        yield (
            f"All variants are right on the same questions ({_sample(run)}): no test can "
            f"separate them. {PAIRS}"
        )
    elif hardest.detectable is None:
        few = f"{number(run.n)} questions"
        few += " with these seeds" * run.has_seeds
        yield (
            f"{few} are too few: at the observed disagreement of "
            f"{disagreement}, no difference has an 80 % chance to be found. {PAIRS}"
        )
    else:
        yield (
            f"With {_sample(run)} and pairs that disagree on up to {disagreement} of the "
            f"questions, a single test finds a true difference of {100 * hardest.detectable:.1f} points "
            f"with a chance of 80 %; smaller ones are likelier to be missed. {PAIRS}"
        )
