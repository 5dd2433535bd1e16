"""Shares of the training rows: nested, by the seed, of the right size."""

import pytest

from sqladder.training.nested_sample import nested_sample

ROWS = [{"id": f"q{number}"} for number in range(30)]


def ids(share, seed=1, rows=ROWS):
    return [row["id"] for row in nested_sample(rows, share, seed)]


@pytest.mark.parametrize(("share", "size"), [(0.001, 1), (0.1, 3), (0.3, 9), (0.31, 10), (1.0, 30)])
def test_a_share_has_its_rows_and_at_least_one(share, size):
    assert len(set(ids(share))) == size


def test_a_larger_share_holds_the_smaller_one_in_the_order_of_the_rows():
    small, large = ids(0.1), ids(0.5)
    assert set(small) < set(large)
    order = [row["id"] for row in ROWS]
    assert large == sorted(large, key=order.index)


def test_another_seed_draws_other_rows_and_their_order_draws_the_same():
    assert ids(0.3, seed=1) != ids(0.3, seed=2)
    assert set(ids(0.3, rows=ROWS[::-1])) == set(ids(0.3))


def test_a_row_more_changes_at_most_one_of_a_sample():
    before, after = set(ids(0.3)), set(ids(0.3, rows=[*ROWS, {"id": "new"}]))
    assert len(before - after) <= 1
