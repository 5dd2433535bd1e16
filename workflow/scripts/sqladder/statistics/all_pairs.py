"""All pairs of many variants with one seed each, computed together: with 300 variants there are 44,850.

Each number is the one that `PairedDifference` gives of the pair alone. Only what takes time is computed for all at
once, a variant and those behind it at a time: what a pair's groups add up to. From there on the code is the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sqladder.statistics.groups import (
    Groups,
    VarianceComponent,
    effective_number,
    jackknife_variances,
)
from sqladder.statistics.paired import Discordance, flipped_p
from sqladder.statistics.paired_difference import Difference, Estimate, PairedDifference, add_two
from sqladder.statistics.seeds import Marks


@dataclass(frozen=True)
class AllPairs:
    """Marks of several variants with one seed each on the same questions, one or more.

    Attributes:
        marks: shape (variants, n).
        groups: of the questions.
    """

    marks: Marks
    groups: Groups

    def __iter__(self) -> Iterator["PairOfMany"]:
        """Yield the pairs in the order of itertools.combinations."""
        for place, counts in enumerate(self.counts):
            yield PairOfMany(counts, self.groups, self, place)

    @cached_property
    def sides(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Of each pair, the places of its first and of its second variant."""
        return np.triu_indices(len(self.marks), 1)

    @cached_property
    def counts(self) -> list[Discordance]:
        """Of each pair, how many questions only the first and only the second answers right."""
        marks = self.marks.astype(float)
        right, both = marks.sum(axis=1), marks @ marks.T
        first, second = self.sides
        wins, losses = (right[own] - both[first, second] for own in (first, second))
        found = zip(wins.astype(int).tolist(), losses.astype(int).tolist(), strict=True)
        return [Discordance(*counts) for counts in found]

    def blocks(self, groups: Groups) -> Iterator[NDArray[np.float64]]:
        """Yield sums of the groups' differences of each variant and those behind it, shape (pairs, groups)."""
        own = np.array([groups.sums(marks) for marks in self.marks])
        for place in range(len(own) - 1):
            yield own[place] - own[place + 1 :]

    @cached_property
    def squares(self) -> list[float]:
        """Of each pair, the sum over groups of the squared sum of differences."""
        return _joined((sums**2).sum(axis=-1) for sums in self.blocks(self.groups))

    @cached_property
    def p(self) -> list[float]:
        """Of each pair, p by sign flips of whole groups."""
        found: list[float] = []
        for sums in self.blocks(self.groups):
            apart = np.abs(sums)
            sizes = range(1, int(apart.max()) + 1)
            steps = np.array([(apart == size).sum(axis=-1) for size in sizes]).T.tolist()
            totals = sums.sum(axis=-1).astype(int).tolist()
            # Where nobody differs from anybody, there is no step.
            found += map(flipped_p, map(_trimmed, steps or [[]] * len(totals)), totals)
        return found

    @cached_property
    def with_two_added(self) -> tuple[list[float], float]:
        """Of each pair, the variance between groups with one question more for either; its degrees of freedom."""
        sizes = np.append(self.groups.sizes, (1, 1))
        variances = _joined(
            jackknife_variances(*add_two(sums, self.groups.sizes, 1.0))
            for sums in self.blocks(self.groups)
        )
        return variances, max(1.0, effective_number(sizes) - 1)

    def between(self, groups: Groups) -> tuple[list[float], float]:
        """Of each pair, the variance of the mean between groups of questions; its degrees of freedom."""
        known = self._between.get(id(groups))
        if known is None:
            variances = _joined(
                jackknife_variances(sums, groups.sizes) for sums in self.blocks(groups)
            )
            known = groups, variances, max(1.0, groups.effective - 1)
            self._between[id(groups)] = known
        return known[1:]

    @cached_property
    def _between(self) -> dict[int, tuple[Groups, list[float], float]]:
        """By the identity of the groups, which are kept so that no others get it."""
        return {}


@dataclass(frozen=True)
class PairOfMany(Difference):
    """One of all pairs.

    Attributes:
        counts: questions that only the first and that only the second answers right.
        groups: of the questions.
        pairs: all of them.
        place: of this pair among them.
        seeds: none, as each variant has one.
    """

    counts: Discordance
    groups: Groups
    pairs: AllPairs
    place: int
    seeds: None = None

    @property
    def mean(self) -> float:
        """The first variant's accuracy less the second's."""
        wins, losses = self.counts
        return (wins - losses) / self.n

    @property
    def agreed(self) -> bool:
        """Whether the difference is the same for all questions."""
        wins, losses = self.counts
        return wins + losses == 0 or self.n in (wins, losses)

    @property
    def squares(self) -> float:
        """Sum over groups of the squared sum of differences."""
        return self.pairs.squares[self.place]

    @property
    def sign_flip_p(self) -> float:
        """P by sign flips of whole groups."""
        return self.pairs.p[self.place]

    def between(self, groups: Groups) -> VarianceComponent:
        """Variance of the mean between groups of questions, two or more, which may be the databases."""
        variances, freedom = self.pairs.between(groups)
        return VarianceComponent(variances[self.place], freedom)

    def with_two_added(self) -> Estimate:
        """The mean and its variance between groups, with one question more for either variant."""
        variances, freedom = self.pairs.with_two_added
        wins, losses = self.counts
        centre = (wins - losses) / (self.n + 2)
        return Estimate(centre, VarianceComponent(variances[self.place], freedom))

    def reversed(self) -> PairedDifference:
        """The same difference seen from the second variant."""
        first, second = (own[self.place] for own in self.pairs.sides)
        marks = self.pairs.marks
        return PairedDifference.of(marks[second][None], marks[first][None], self.groups)


def _joined(blocks: Iterator[NDArray]) -> list[float]:
    """The numbers of all blocks."""
    return [number for block in blocks for number in block.tolist()]


def _trimmed(steps: list[int]) -> tuple[int, ...]:
    """Steps without those at the end that no group takes."""
    last = max((place for place, count in enumerate(steps, start=1) if count), default=0)
    return tuple(steps[:last])
