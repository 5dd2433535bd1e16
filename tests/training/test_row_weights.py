"""A set's weight is how often its rows are seen in one pass."""

from collections import Counter
from itertools import pairwise

import pytest

from sqladder.errors import InputError
from sqladder.training.row_weights import (
    parse_weights,
    rows_of_sets,
    weighted_rows,
    write_weights,
)

ROWS = [
    {"id": f"{name}/q{n}"} for name, count in (("demo", 50), ("shop", 10)) for n in range(count)
]


def seen(weights, seed=1):
    return Counter(row["id"] for row in weighted_rows(ROWS, weights, seed))


@pytest.mark.parametrize(
    ("weights", "rows"),
    [
        ({"demo": 1.0, "shop": 4.0}, {"demo": 50, "shop": 40}),
        ({"demo": 0.3, "shop": 1.0}, {"demo": 15, "shop": 10}),
        ({"demo": 0.001, "shop": 2.5}, {"demo": 1, "shop": 25}),
    ],
)
def test_rows_are_multiples_of_a_sets_own(weights, rows):
    assert rows_of_sets(weighted_rows(ROWS, weights, 1)) == rows


def test_a_larger_weight_sees_all_that_a_smaller_one_sees():
    found = [seen({"demo": weight, "shop": 1.0}) for weight in (0.2, 0.7, 1.0, 1.4, 2.0, 2.6)]
    for smaller, larger in pairwise(found):
        assert smaller < larger
    assert seen({"demo": 0.5, "shop": 1.0}) != seen({"demo": 0.5, "shop": 1.0}, seed=2)


def test_the_order_of_the_config_changes_nothing():
    orders = [{"shop": 1.5, "demo": 0.5}, {"demo": 0.5, "shop": 1.5}]
    written = [write_weights(own) for own in orders]
    assert written[0] == written[1] == ["demo=0.5", "shop=1.5"]
    found = [weighted_rows(ROWS, parse_weights(own), 1) for own in written]
    assert found[0] == found[1]


def test_without_weights_rows_are_as_they_are():
    assert weighted_rows(ROWS, {}, 1) == ROWS


def test_a_set_of_which_nothing_is_left_is_named():
    with pytest.raises(InputError, match=r"train_mix\.gone: none of its rows is left"):
        weighted_rows(ROWS, {"demo": 1.0, "gone": 2.0}, 1)
