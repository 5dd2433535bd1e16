"""What may be claimed of many tests at once: adjusted p-values, and ranks that are shared where nothing is shown."""

from collections.abc import Sequence

import numpy as np


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
