import itertools
import random
from collections import Counter

import pytest

from sqladder.metric.equality import TooHardError, results_equal


@pytest.mark.parametrize(
    ("gold", "predicted", "ordered", "equal"),
    [
        ([], [], False, True),
        ([(1,)], [], False, False),
        ([(1,), (2,)], [(2,), (1,)], False, True),
        ([(1,), (2,)], [(2,), (1,)], True, False),
        ([(1,), (1,), (2,)], [(1,), (2,), (2,)], False, False),
        ([(1, "a")], [("a", 1)], False, True),
        ([(1, "a"), (2, "b")], [("a", 1), ("b", 2)], True, True),
        ([(1, 2), (2, 1)], [(1, 1), (2, 2)], False, False),
        ([(1,)], [(1, 1)], False, False),
        ([(1,)], [(1.0,)], False, True),
        ([(0.1 + 0.2,)], [(0.3,)], False, False),
        ([("1",)], [(1,)], False, False),
        ([(None,)], [(None,)], False, True),
        ([("",)], [(None,)], False, False),
        ([(b"a",)], [("a",)], False, False),
        ([("a",)], [("A",)], False, False),
        ([(-0.0,)], [(0.0,)], False, True),
        ([(float("inf"),)], [(float("inf"),)], False, True),
        ([(2**53,)], [(float(2**53) + 2,)], False, False),
    ],
)
def test_values_rows_and_columns_compare_as_documented(gold, predicted, ordered, equal):
    assert results_equal(gold, predicted, ordered) is equal


def test_printed_form_decides_the_order_within_a_row():
    assert not results_equal([(1, 10)], [(1.0, 10)])
    assert results_equal([(1, 2)], [(1.0, 2.0)])


def test_number_keys_repairs_the_printed_form():
    assert results_equal([(1, 10)], [(1.0, 10)], number_keys=True)


def exhaustive(gold, predicted, ordered):
    """All column orders, one by one: slow and obviously right."""
    for order in itertools.permutations(range(len(gold[0]))):
        permuted = [tuple(row[i] for i in order) for row in predicted]
        if gold == permuted if ordered else Counter(gold) == Counter(permuted):
            return True
    return False


@pytest.mark.parametrize("seed", range(300))
def test_search_agrees_with_trying_all_column_orders(seed):
    rng = random.Random(seed)
    columns, rows, ordered = rng.randint(1, 5), rng.randint(1, 6), rng.random() < 0.5
    gold = [tuple(rng.randint(0, 2) for _ in range(columns)) for _ in range(rows)]
    predicted = [list(row) for row in gold]
    if rng.random() < 0.7:
        order = rng.sample(range(columns), columns)
        predicted = [[row[i] for i in order] for row in predicted]
    if rng.random() < 0.5:
        rng.shuffle(predicted)
    if rng.random() < 0.3:
        predicted[rng.randrange(rows)][rng.randrange(columns)] = rng.randint(0, 2)
    predicted = [tuple(row) for row in predicted]
    assert results_equal(gold, predicted, ordered) is exhaustive(gold, predicted, ordered)


def test_many_equal_columns_need_no_enumeration():
    gold = [(0,) * 30 + (1, 2)] * 50 + [(0,) * 30 + (2, 1)] * 50
    assert results_equal(gold, [row[::-1] for row in gold])


def test_a_table_built_to_be_symmetric_is_given_up():
    # Edges of a ring and of triangles: alike around every vertex, and no order of vertices fits.
    size = 60
    ring = [(i, (i + 1) % size) for i in range(size)]
    triangles = [(i, i - i % 3 + (i + 1) % 3) for i in range(size)]
    far_apart = sorted(range(size), key=lambda i: (i % 2, i))

    def incidence(edges):
        return [tuple(int(i in edge) for i in far_apart) for edge in edges]

    with pytest.raises(TooHardError):
        results_equal(incidence(ring), incidence(triangles))
