"""Compare the variants of a run pair by pair, and rank them as far as the data allow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from sqladder.report.metrics import LEVELS
from sqladder.report.results import Run, Variant
from sqladder.statistics.all_pairs import AllPairs
from sqladder.statistics.groups import Groups
from sqladder.statistics.intervals import Interval
from sqladder.statistics.paired import Discordance
from sqladder.statistics.paired_difference import Difference
from sqladder.statistics.power import seeds_needed
from sqladder.statistics.ranks import holm, rank_ranges, simultaneous
from sqladder.statistics.seeds import Answers
from sqladder.statistics.variant_marks import VariantMarks

ALPHA = 0.05
"""Chance of any false claim within one family of tests."""

MOST = 12
"""Variants of which each can still be told from the others in a chart, and has a column that can be read."""


@dataclass(frozen=True)
class Pair:
    """Two variants on the same n questions.

    Attributes:
        first: its accuracy less that of the second is the difference.
        second: the other.
        paired: the difference of their marks.
        p_alone: of this pair alone.
        p: adjusted for the family of comparisons that the pair is in.
        comparisons: in that family; intervals are simultaneous over them.
    """

    first: str
    second: str
    paired: Difference
    p_alone: float
    p: float
    comparisons: int = 1

    @property
    def n(self) -> int:
        """Number of questions."""
        return self.paired.n

    @property
    def counts(self) -> Discordance:
        """Questions that only one of the two gets right; means over pairs of their seeds."""
        return self.paired.counts

    @property
    def difference(self) -> float:
        """Accuracy of the first less that of the second."""
        return (self.counts.wins - self.counts.losses) / self.n if self.n else 0.0

    @property
    def discordant_share(self) -> float:
        """Share of questions that only one of the two gets right."""
        return sum(self.counts) / self.n if self.n else 0.0

    @property
    def significant(self) -> bool:
        """Whether the difference is significant at the family's level."""
        return self.p < ALPHA

    @cached_property
    def interval(self) -> Interval:
        """Interval of the difference, for further questions on the same databases; 95 % for all of its family."""
        return simultaneous(self.paired.interval(self._alpha), self.significant)

    def on_new_databases(self, databases: Groups) -> Interval | None:
        """The same for questions on further databases, never narrower; None with one database."""
        return self.paired.on_new_databases(databases, self._alpha, self.interval)

    @cached_property
    def detectable(self) -> float | None:
        """Smallest true difference that this run finds with a chance of 80 %, all comparisons corrected for."""
        return self.paired.detectable(self._alpha)

    def seeds_needed(self, seed_sd: float, variants: int) -> int | None:
        """Seeds of each of so many variants with which this difference would be found, if seeds scattered by this."""
        return seeds_needed(
            abs(self.difference), self.paired.null_questions, seed_sd, variants, self._alpha
        )

    @property
    def _alpha(self) -> float:
        return ALPHA / self.comparisons

    def reversed(self) -> "Pair":
        """The same comparison seen from the second variant."""
        return replace(self, first=self.second, second=self.first, paired=self.paired.reversed())


@dataclass(frozen=True)
class Comparison:
    """The ranking and every pair, overall and by level.

    Pairs are ordered as the ranking: the first variant of a pair never has the lower accuracy over
    all questions. The pairs over all questions are one family of tests, the pairs of the four
    levels together another: which of them are shown, those with the best of a level, the numbers
    decide, so each might have been. Those with the baseline, which they do not decide, are a family
    of their own.
    """

    run: Run
    ranking: Sequence[Variant]
    pairs: Sequence[Pair]

    @cached_property
    def marks(self) -> VariantMarks:
        """The marks of all questions."""
        return marks_of_all(self.run, {own.name: own.correct for own in self.run.variants})

    @cached_property
    def charted(self) -> list[Variant]:
        """All variants in the order of the ranking; of more than `MOST` the first ones and the baseline."""
        first = list(self.ranking[:MOST])
        baseline = self.run.baseline
        if baseline is not None and baseline not in {variant.name for variant in first}:
            first[-1] = self.run.named(baseline)
        return first

    @cached_property
    def shown_pairs(self) -> list[Pair]:
        """The pairs of the charted variants: all, unless there are many."""
        names = {variant.name for variant in self.charted}
        return [pair for pair in self.pairs if {pair.first, pair.second} <= names]

    @cached_property
    def level_pairs(self) -> dict[str, list[Pair]]:
        """Every pair of the charted variants on each level."""
        found = [
            (level, pair) for level in LEVELS for pair in _pairs(self.charted, self.run, level)
        ]
        return _by_level(found)

    @cached_property
    def ranks(self) -> dict[str, tuple[int, int]]:
        """Best and worst rank that each variant may have."""
        significant = {(pair.first, pair.second) for pair in self.pairs if pair.significant}
        return rank_ranges([variant.name for variant in self.ranking], significant)

    def rank(self, name: str) -> str:
        """The rank as printed: "1", or "1-2" where the data do not decide."""
        best, worst = self.ranks[name]
        return str(best) if best == worst else f"{best}-{worst}"

    def pair(self, first: str, second: str, level: str = "all") -> Pair:
        """The comparison of two variants, seen from the first; on a level, of two charted ones."""
        pairs = self._over_all if level == "all" else self._by_level[level]
        if found := pairs.get((first, second)):
            return found
        return pairs[second, first].reversed()

    @cached_property
    def _over_all(self) -> dict[tuple[str, str], Pair]:
        return _by_names(self.pairs)

    @cached_property
    def _by_level(self) -> dict[str, dict[tuple[str, str], Pair]]:
        return {level: _by_names(pairs) for level, pairs in self.level_pairs.items()}

    def against_baseline(self, level: str = "all") -> Iterator[Pair]:
        """Every other variant compared with the baseline, in the order of the ranking; on a level, the charted ones."""
        baseline = self.run.baseline
        for variant in self.ranking if level == "all" else self.charted:
            if variant.name != baseline:
                yield self.pair(variant.name, baseline, level)

    @cached_property
    def baseline_by_level(self) -> dict[str, list[Pair]]:
        """The same on each level, corrected for these comparisons alone."""
        return _by_level(
            [(level, pair) for level in LEVELS for pair in self.against_baseline(level)]
        )

    def p_with_baseline(self, level: str, pair: Pair) -> float | None:
        """P of a pair with the baseline on a level, corrected for these comparisons alone; None of other pairs."""
        return self._p_with_baseline.get((level, frozenset((pair.first, pair.second))))

    @cached_property
    def _p_with_baseline(self) -> dict[tuple[str, frozenset[str]], float]:
        return {
            (level, frozenset((pair.first, pair.second))): pair.p
            for level, pairs in self.baseline_by_level.items()
            for pair in pairs
        }

    def of_models(self, pair: Pair) -> bool:
        """Whether a difference is one of the models trained here, of which another seed would have given others.

        With several seeds of one of the two, a single one of the other is taken to vary as much: then it is of methods.
        """
        names = (pair.first, pair.second)
        varies = any(self.run.named(name).single_seed_varies for name in names)
        return varies and pair.paired.seeds is None

    def on_new_databases(self, pair: Pair) -> Interval | None:
        """Interval of a pair's difference for questions on further databases; None with one database."""
        return pair.on_new_databases(self.run.database_groups)


def compare(run: Run) -> Comparison:
    """Rank a run's variants by accuracy over all questions and test every pair."""
    ranking = sorted(run.variants, key=lambda variant: -variant.correct.mean())
    return Comparison(run, ranking, adjusted(_pairs(ranking, run, "all")))


def make_pair(names: tuple[str, str], paired: Difference) -> Pair:
    """A comparison that is not yet adjusted for any family."""
    p = paired.p
    return Pair(*names, paired, p, p)


def marks_of_all(run: Run, answers: Mapping[str, Answers]) -> VariantMarks:
    """Marks of all variants of a run, by variant, with what says how their seeds are compared."""
    return VariantMarks(
        answers,
        {variant.name: run.models_of(variant) for variant in run.variants},
        {variant.name for variant in run.variants if variant.single_seed_varies},
    )


def _by_names(pairs: Sequence[Pair]) -> dict[tuple[str, str], Pair]:
    return {(pair.first, pair.second): pair for pair in pairs}


def adjusted(pairs: Sequence[Pair]) -> list[Pair]:
    """The same pairs with p-values adjusted as one family of tests, to which those without questions do not count."""
    tested = [pair for pair in pairs if pair.n]
    p_values = iter(holm([pair.p_alone for pair in tested]))
    return [
        replace(pair, p=next(p_values), comparisons=len(tested)) if pair.n else pair
        for pair in pairs
    ]


def _by_level(found: Sequence[tuple[str, Pair]]) -> dict[str, list[Pair]]:
    """Pairs of each level, adjusted as one family of tests."""
    pairs = adjusted([pair for _, pair in found])
    levels: dict[str, list[Pair]] = {level: [] for level in LEVELS}
    for (level, _), pair in zip(found, pairs, strict=True):
        levels[level].append(pair)
    return levels


def _pairs(ranking: Sequence[Variant], run: Run, level: str) -> list[Pair]:
    """Every pair of some variants on a level; how far seeds scatter is told by those of all variants."""
    chosen = run.select(level)
    own = run.groups.select(chosen)
    names = list(combinations([variant.name for variant in ranking], 2))
    if chosen.any() and not run.has_seeds:
        marks = np.array([variant.correct[0, chosen] for variant in ranking])
        return list(map(make_pair, names, AllPairs(marks, own)))
    marked = marks_of_all(
        run, {variant.name: variant.correct[:, chosen] for variant in run.variants}
    )
    return [make_pair(pair, marked.difference(*pair, own)) for pair in names]
