"""Few-shot examples: what is found, what is hidden, how it is scored, and how it is written."""

import sqlite3
from contextlib import closing

import pytest

from conftest import ROOT
from sqladder.errors import InputError
from sqladder.files import read_jsonl
from sqladder.retrieval import keys, references
from sqladder.retrieval.example_pool import Pool
from sqladder.retrieval.search import bm25_examples, random_examples, tokens


def example(number, question, sql="SELECT 1", db_id="d"):
    return {"id": f"e{number}", "db_id": db_id, "question": question, "sql": sql}


POOL = [
    example(0, "How many singers are there?", "SELECT count(*) FROM singer"),
    example(1, "List the names of all stadiums.", "SELECT name FROM stadium"),
    example(2, "What is the average age of singers?", "SELECT avg(age) FROM singer"),
    example(3, "Which stadium has the largest capacity?", "SELECT max(capacity) FROM stadium"),
    example(4, "how many Singers are there", "SELECT count(*) FROM singer"),
]


def by_question(row):
    return row["question"]


def ids(found):
    return [POOL[hit.position]["id"] for hit in found]


def query(question, id_="q"):
    return {"id": id_, "db_id": "d", "question": question}


def test_a_question_never_sees_itself_nor_the_same_question_again():
    pool = Pool(POOL)
    assert pool.hidden_from(POOL[0]) == {0, 4}
    assert pool.hidden_from(query("HOW many singers are there ?")) == {0, 4}
    assert pool.hidden_from(query("Anything else?")) == set()
    for found in (
        next(bm25_examples(pool, [POOL[0]], 5, by_question, by_question)),
        next(random_examples(pool, [POOL[0]], 5, seed=1)),
    ):
        assert found
        assert {"e0", "e4"}.isdisjoint(ids(found))


def test_an_id_of_another_data_set_hides_nothing():
    assert Pool(POOL).hidden_from(query("Which stadium is the newest?", "e3")) == set()


def test_bm25_puts_shared_rare_words_first_and_gives_no_example_without_one():
    found = next(
        bm25_examples(Pool(POOL), [query("Average singer age?")], 4, by_question, by_question)
    )
    assert ids(found)[0] == "e2"
    assert all(hit.score > 0 for hit in found)
    assert found == sorted(found, key=lambda hit: -hit.score)
    assert next(bm25_examples(Pool(POOL), [query("Zebra?")], 4, by_question, by_question)) == []


def test_equal_scores_keep_the_pools_order_and_the_count():
    pool = Pool([example(number, f"apples {number}") for number in range(50)])
    found = next(bm25_examples(pool, [query("apples")], 7, by_question, by_question))
    assert [hit.position for hit in found] == list(range(7))
    assert len({hit.score for hit in found}) == 1


def test_bm25_by_sql_compares_the_question_with_statements():
    text = keys.example_text("sql", None)
    found = next(bm25_examples(Pool(POOL), [query("capacity of a stadium")], 1, by_question, text))
    assert ids(found) == ["e3"]


def test_random_examples_hang_on_seed_and_question_only():
    pool = Pool([example(number, f"question {number}") for number in range(100)])
    queries = [query("a", "q1"), query("b", "q2"), query("c", "q3")]
    draws = list(random_examples(pool, queries, 4, seed=7))
    assert all(len({hit.position for hit in draw}) == 4 for draw in draws)
    assert list(random_examples(pool, queries[::-1], 4, seed=7)) == draws[::-1]
    assert list(random_examples(pool, queries, 4, seed=8)) != draws


def test_a_pool_smaller_than_the_count_gives_all_it_has():
    assert len(next(random_examples(Pool(POOL), [query("new")], 9, seed=0))) == 5


def test_masks_stand_for_names_and_values_of_the_questions_database(tmp_path):
    (tmp_path / "d").mkdir()
    with closing(sqlite3.connect(tmp_path / "d" / "d.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE singer (song_name TEXT, age INT, country TEXT)")
        connection.execute("INSERT INTO singer VALUES ('Hey Oh', 20, 'New Zealand')")
    masker = keys.Masker(tmp_path)
    question = "How many Singers from new zealand are older than 30 and sang 'Hey'?"
    masked = "How many <name> from <value> are older than <value> and sang <value>?"
    assert masker.mask(question, "d") == masked
    assert masker.mask("Which song names are there?", "d") == "Which <name> are there?"
    assert keys.query_text("masked_question", masker)(query(question)) == masked
    assert tokens(masked)[2:4] == ["<name>", "from"]


def test_masks_stand_where_there_are_no_spaces(tmp_path):
    path = tmp_path / "d" / "d.sqlite"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE 歌手 (姓名 TEXT, 国籍 TEXT)")
        connection.execute("INSERT INTO 歌手 VALUES ('周杰伦', 'France')")
    masker = keys.Masker(tmp_path)
    masked = "有多少<name>来自<value>并且<name>是<value>？"
    assert masker.mask("有多少歌手来自France并且姓名是周杰伦？", "d") == masked
    assert "<name>" in tokens(masked)


@pytest.mark.parametrize(("language", "least"), [("zh", 43), ("ja", 45)])
def test_bm25_finds_the_same_question_in_other_words_without_spaces(language, least):
    rows = read_jsonl(ROOT / "benchmarks/translated_questions.jsonl")
    rows = [{**row, "question": row[language]} for row in rows]
    found = bm25_examples(Pool(rows), rows, 1, by_question, by_question)
    firsts = [rows[first[0].position]["id"] for first in found]
    right = sum(first[:2] == row["id"][:2] for row, first in zip(rows, firsts, strict=True))
    assert right >= least


def test_masking_without_databases_is_refused():
    with pytest.raises(InputError, match="masked_question"):
        keys.query_text("masked_question", None)


def test_the_reference_list_is_the_published_one():
    rows = [example(0, "How many\nsingers?", "SELECT  1"), example(1, "Which?", "SELECT 2")]
    assert references.reference_list(rows) == (
        '<reference_list> <reference_item id="0"> [QUESTION] How many singers? [ANSWER] SELECT 1 '
        '</reference_item> <reference_item id="1"> [QUESTION] Which? [ANSWER] SELECT 2 '
        "</reference_item> </reference_list>"
    )


def test_commented_sql_is_sql_whatever_the_question_holds():
    text = references.commented_sql([example(0, "a\nb", "SELECT 1 ;"), example(1, "c", "SELECT 2")])
    assert (
        text == "-- a b\nSELECT 1;\n\n-- c\nSELECT 2;"
        or text == "-- a b\nSELECT 1 ;\n\n-- c\nSELECT 2;"
    )
