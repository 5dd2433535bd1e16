"""The file of pairs that use makes: what a data set's `questions:` reads."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from sqladder.asking.kept_pairs import Pairs
from sqladder.data.formats import read_questions
from sqladder.errors import InputError


def kept(path):
    return [(row["question"], row["sql"], row["db_id"]) for row in read_questions(path, "csv")]


def test_texts_with_quotes_commas_and_line_breaks_come_back_as_they_were(tmp_path):
    path = tmp_path / "pairs.csv"
    texts = [('Who, "A" or B?', "SELECT ',';"), ("Two\nlines?", "SELECT 1\n  AS x")]
    for question, sql in texts:
        assert Pairs(path, "shop").add(question, sql)
    assert kept(path) == [(*pair, "shop") for pair in texts]


def test_a_file_that_an_editor_left_without_its_last_line_break_is_gone_on_with(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("question,sql,db_id\nA?,SELECT 1,shop")
    assert Pairs(path, "shop").add("B?", "SELECT 2")
    assert kept(path) == [("A?", "SELECT 1", "shop"), ("B?", "SELECT 2", "shop")]


def test_a_pair_that_many_give_at_once_is_kept_once(tmp_path):
    path = tmp_path / "pairs.csv"
    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(lambda n: Pairs(path, "shop").add("A?", f"SELECT {n % 2}"), range(40)))
    assert sorted(kept(path)) == [("A?", "SELECT 0", "shop"), ("A?", "SELECT 1", "shop")]
    assert sum(new) == 2


def test_a_file_that_is_made_but_still_empty_is_taken_for_a_new_one(tmp_path):
    # Another server is between opening its file and writing the first pair.
    path = tmp_path / "pairs.csv"
    path.touch()
    assert Pairs(path, "shop").add("A?", "SELECT 1")
    assert kept(path) == [("A?", "SELECT 1", "shop")]


def test_a_file_of_something_else_is_left_as_it_is(tmp_path):
    path = tmp_path / "pairs.csv"
    pairs = Pairs(path, "shop")
    path.write_text("name,age\n")
    with pytest.raises(InputError, match="is no file of pairs: it begins with 'name,age'"):
        pairs.add("A?", "SELECT 1")
    assert path.read_text() == "name,age\n"


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    pairs = Pairs(tmp_path / "pairs.csv", "shop")
    (tmp_path / "pairs.csv").mkdir()
    with pytest.raises(InputError, match=r"cannot write .*pairs\.csv: Is a directory"):
        pairs.add("A?", "SELECT 1")
