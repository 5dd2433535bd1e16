"""Choose the contents that together tell the most neighbours from gold: greedily, as for a set cover."""

from collections import Counter
from collections.abc import Sequence

from sqladder.suites.judging import Seen

_AGAIN = 0.25
"""What telling a neighbour apart once more is worth, of what the time before was worth."""


def choose(seen: Sequence[Seen], most: int) -> list[int]:
    """Positions of the chosen contents, the most useful one first.

    Those come first on which no gold's result is a matter of chance: on the others a right answer could be rejected.

    Args:
        seen: what each content shows.
        most: number of contents.
    """
    told = [
        frozenset((at, number) for at, numbers in enumerate(own.told) for number in numbers)
        for own in seen
    ]
    chosen: list[int] = []
    times: Counter[tuple[int, int]] = Counter()
    waiting = set(range(len(seen)))
    while waiting and len(chosen) < most:
        # Of equal ones the first, so that the choice is the same everywhere.
        best = max(
            sorted(waiting),
            key=lambda place: (
                -len(seen[place].chance),
                sum(_AGAIN ** times[pair] for pair in told[place]),
            ),
        )
        waiting.remove(best)
        chosen.append(best)
        times.update(told[best])
    return chosen
