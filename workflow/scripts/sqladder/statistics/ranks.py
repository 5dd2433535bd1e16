"""What may be claimed of many tests at once: adjusted p-values, and ranks that are shared where nothing is shown."""

from collections.abc import Sequence

import numpy as np

from sqladder.statistics.intervals import Interval


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that the chance of any false claim among them stays at the level.

    Source: S. Holm (1979), "A simple sequentially rejective multiple test procedure",
    Scandinavian Journal of Statistics 6, 65-70. Order and length stay those of the input.
    """
    adjusted = [1.0] * len(p_values)
    floor = 0.0
    for position, index in enumerate(np.argsort(p_values, kind="stable")):
        floor = max(floor, min(1.0, (len(p_values) - position) * p_values[index]))
        adjusted[index] = floor
    return adjusted


def rank_ranges(
    names: Sequence[str], significant: set[tuple[str, str]]
) -> dict[str, tuple[int, int]]:
    """The best and the worst rank that each name may have.

    `significant` holds (better, worse) pairs. A name ranks behind those shown to be better and
    before those shown to be worse, and shares the ranks between. When the pairs come from tests
    that together keep a 5 % error, all ranges hold together with 95 %.

    Source: D. Al Mohamad, E. van Zwet, A. Solari, J. Goeman (2021), "Simultaneous confidence
    intervals for ranks using the partitioning principle", Electronic Journal of Statistics 15.
    """
    better = dict.fromkeys(names, 0)
    worse = dict.fromkeys(names, 0)
    for winner, loser in significant:
        better[loser] += 1
        worse[winner] += 1
    return {name: (1 + better[name], len(names) - worse[name]) for name in names}


def simultaneous(interval: Interval, significant: bool) -> Interval:
    """An interval of a family that agrees with the adjusted test: off 0 exactly where that finds a difference.

    Intervals at 1 - alpha / m of m comparisons hold all true values together with 1 - alpha (C. E. Bonferroni, 1936).
    Holm's test finds all that these exclude from 0, and sometimes more: the interval then ends at 0. Where an exact
    test finds nothing that the interval would, it is extended to 0.

    Args:
        interval: at the family's level divided by its number of comparisons.
        significant: whether the adjusted test finds a difference.
    """
    if not significant:
        return interval.hull(Interval(0.0, 0.0))
    if interval.holds_0:
        above = interval.high >= -interval.low
        return Interval(0.0, interval.high) if above else Interval(interval.low, 0.0)
    return interval
