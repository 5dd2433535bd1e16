import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqladder.data.splits import split_examples
from sqladder.errors import InputError

SHARES = {"validation": 0.2, "test": 0.3}


def examples(count, databases=1):
    return [
        {
            "id": f"q{n}",
            "db_id": f"d{n % databases}",
            "question": f"Question {n}?",
            "sql": "select 1",
        }
        for n in range(count)
    ]


def ids(split):
    return {name: [row["id"] for row in rows] for name, rows in split.items()}


def test_shares_are_met_by_question():
    split = split_examples(examples(40), "question", SHARES, seed=1)
    assert {name: len(rows) for name, rows in split.items()} == {
        "train": 20,
        "validation": 8,
        "test": 12,
    }


def test_a_seed_gives_one_split_and_another_seed_another():
    rows = examples(40)
    first = ids(split_examples(rows, "question", SHARES, seed=1))
    shuffled = random.Random(0).sample(rows, len(rows))
    again = ids(split_examples(shuffled, "question", SHARES, seed=1))
    assert {name: sorted(keys) for name, keys in again.items()} == {
        name: sorted(keys) for name, keys in first.items()
    }
    assert ids(split_examples(rows, "question", SHARES, seed=2)) != first


def test_one_more_example_leaves_most_of_the_others_where_they_were():
    before = ids(split_examples(examples(40), "question", SHARES, seed=1))
    after = ids(split_examples(examples(41), "question", SHARES, seed=1))
    assert len(set(before["test"]) & set(after["test"])) >= 11


def test_no_database_is_in_two_splits():
    split = split_examples(examples(60, databases=12), "database", SHARES, seed=1)
    databases = Counter(db for rows in split.values() for db in {row["db_id"] for row in rows})
    assert set(databases.values()) == {1}
    assert all(split.values())


def test_equal_questions_stay_together():
    rows = examples(40) + [
        {"id": f"x{n}", "db_id": "d0", "question": f"  QUESTION {n} ", "sql": "select 2"}
        for n in range(40)
    ]
    split = split_examples(rows, "question", SHARES, seed=1)
    for part in split.values():
        keys = {row["id"] for row in part}
        assert {f"x{key[1:]}" for key in keys} | {f"q{key[1:]}" for key in keys} == keys


@given(st.integers(3, 60), st.floats(0.01, 0.45), st.floats(0.01, 0.45), st.integers(0, 99))
def test_every_example_is_in_exactly_one_split_and_none_is_empty(count, validation, test, seed):
    rows = examples(count)
    split = split_examples(rows, "question", {"validation": validation, "test": test}, seed)
    found = [key for keys in ids(split).values() for key in keys]
    assert sorted(found) == sorted(row["id"] for row in rows)
    assert all(split.values())


@given(st.lists(st.integers(1, 30), min_size=3, max_size=12), st.integers(0, 99))
def test_databases_of_any_sizes_fill_all_splits(sizes, seed):
    rows = [
        {"id": f"{db}.{n}", "db_id": f"d{db}", "question": f"{db} {n}", "sql": "x"}
        for db, size in enumerate(sizes)
        for n in range(size)
    ]
    split = split_examples(rows, "database", SHARES, seed)
    assert all(split.values())
    assert sum(map(len, split.values())) == len(rows)


def test_a_share_of_nothing_gives_an_empty_split():
    split = split_examples(examples(10), "question", {"validation": 0, "test": 0.3}, seed=1)
    assert split["validation"] == []
    assert len(split["test"]) == 3


def test_one_database_cannot_be_split_by_database():
    with pytest.raises(InputError, match=r"1 different databases: .*split by question"):
        split_examples(examples(40), "database", SHARES, seed=1)
