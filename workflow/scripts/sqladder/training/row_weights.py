"""The rows of a mix of training sets, each set as many times as its weight says.

A weight is how often a row of the set is seen in one pass: 1 is each row once, 4 each row four times, 0.3 a sample of
30 % of the rows, 2.3 each row twice and 30 % of them a third time. The sample is drawn by the seed and nested: a larger
weight sees all that a smaller one sees, and as often at least.
"""

from collections import Counter
from collections.abc import Sequence

from sqladder.data.mixing import set_of
from sqladder.errors import LOG, InputError
from sqladder.files import Row
from sqladder.training.nested_sample import nested_sample


def parse_weights(written: Sequence[str]) -> dict[str, float]:
    """Read weights as flags write them: "shop=4"."""
    return {name: float(weight) for name, _, weight in (own.partition("=") for own in written)}


def write_weights(weights: dict[str, float]) -> list[str]:
    """Write weights as flags, in the order of the names: the order of the config does not count."""
    return [f"{name}={float(weight)!r}" for name, weight in sorted(weights.items())]


def weighted_rows(rows: Sequence[Row], weights: dict[str, float], seed: int) -> list[Row]:
    """Repeat and sample rows by the weight of the set that their id names; without weights all are as they are.

    Args:
        rows: with their ids.
        weights: by set.
        seed: of the samples.

    Raises:
        InputError: a set has no row left.
    """
    if not weights:
        return list(rows)
    found = []
    for name, weight in weights.items():
        own = [row for row in rows if set_of(row["id"]) == name]
        if not own:
            raise InputError(
                f"train_mix.{name}: none of its rows is left to train on, after decontamination and the cutoff; take "
                "it out, or let fewer rules drop"
            )
        whole, part = int(weight), weight - int(weight)
        found += own * whole + (nested_sample(own, part, seed) if part else [])
    LOG.info(f"a mix of {len(found):,} rows: {described(found)}")
    return found


def rows_of_sets(rows: Sequence[Row]) -> dict[str, int]:
    """How many rows of each set there are, repeats counted."""
    return dict(Counter(set_of(row["id"]) for row in rows))


def described(rows: Sequence[Row]) -> str:
    """The same in words."""
    return ", ".join(f"{number:,} of {name}" for name, number in rows_of_sets(rows).items())
