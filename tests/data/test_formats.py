import json

import pyarrow
import pyarrow.parquet
import pytest

from sqladder.data.formats import Incomplete, read_questions
from sqladder.errors import InputError

SPIDER = [{"db_id": "a", "question": "How many?", "query": "select 1", "query_toks": ["select"]}]
BIRD = [
    {
        "question_id": 7,
        "db_id": "b",
        "question": "Which?",
        "SQL": "select 2",
        "evidence": "which means 2",
        "difficulty": "simple",
    }
]


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_spider_questions_get_their_place_as_id(tmp_path):
    path = write(tmp_path / "dev.json", json.dumps(SPIDER))
    assert list(read_questions(path, "spider")) == [
        {"id": "1", "db_id": "a", "question": "How many?", "sql": "select 1"}
    ]


def test_bird_questions_keep_their_evidence(tmp_path):
    path = write(tmp_path / "dev.json", json.dumps(BIRD))
    assert list(read_questions(path, "bird")) == [
        {
            "id": "7",
            "db_id": "b",
            "question": "Which?",
            "sql": "select 2",
            "evidence": "which means 2",
        }
    ]


def test_an_empty_evidence_is_none(tmp_path):
    path = write(tmp_path / "dev.json", json.dumps([{**BIRD[0], "evidence": "  "}]))
    assert "evidence" not in next(read_questions(path, "bird"))


def test_csv_columns_are_named_by_the_config_and_cells_may_hold_line_breaks(tmp_path):
    path = write(tmp_path / "q.csv", '\ufefffrage,abfrage\n"Wie viele,\nbitte?",select 1\n')
    columns = {"question": "frage", "sql": "abfrage"}
    assert list(read_questions(path, "csv", columns, only_database="mine")) == [
        {"id": "1", "db_id": "mine", "question": "Wie viele,\nbitte?", "sql": "select 1"}
    ]


def test_parquet_rows_with_a_schema_of_their_own_need_no_database(tmp_path):
    rows = [
        {"prompt": f"Q{n}?", "context": "CREATE TABLE t (a)", "answer": "select a from t"}
        for n in (1, 2)
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "train.parquet")
    columns = {"question": "prompt", "schema": "context", "sql": "answer"}
    first, second = read_questions(tmp_path, "parquet", columns)
    assert first["schema"] == "CREATE TABLE t (a)"
    assert first["db_id"] == second["db_id"] != ""
    assert (first["id"], second["id"]) == ("1", "2")


@pytest.mark.parametrize(
    ("form", "text", "message"),
    [
        ("jsonl", '{"question": "Q"\n', "line 1 is not valid JSON"),
        ("jsonl", "[1]\n", "line 1 is not a JSON object but list"),
        ("jsonl", "", "holds no question"),
        ("jsonl", '{"question": "Q", "sql": ""}', r"row 1 .*'sql' is ''"),
        ("jsonl", '{"question": "Q", "sql": "select 1"}', "names no database"),
        ("spider", "{}", "is not a JSON list but dict"),
        ("spider", '[{"question": "Q", "sql": {}}]', "'query' is None"),
        ("csv", "question,sql,db_id\nHow, many?,select 1,a\n", "line 2 has more cells"),
        ("csv", 'question,sql,db_id\n"Q"x,select 1,a\n', "line 2 is not valid CSV"),
        ("parquet", "no parquet", "not a readable Parquet file"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_its_place(tmp_path, form, text, message):
    path = write(tmp_path / "q", text)
    with pytest.raises(InputError, match=message):
        list(read_questions(path, form))


def test_text_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "q.csv").write_bytes(b"question,sql,db_id\nCaf\xe9?,select 1,a\n")
    with pytest.raises(InputError, match="not UTF-8"):
        list(read_questions(tmp_path / "q.csv", "csv"))


def test_a_column_that_the_config_names_and_the_file_lacks_is_an_error_with_those_it_has(tmp_path):
    path = write(tmp_path / "q.jsonl", '{"frage": "Q", "sql": "select 1"}')
    with pytest.raises(InputError, match="has no column 'question_text'; it has 'frage', 'sql'"):
        list(read_questions(path, "jsonl", {"question": "question_text"}, only_database="a"))


def test_incomplete_rows_can_be_counted_instead(tmp_path):
    lines = ['{"question": "Q", "sql": "x"}', '{"question": null, "sql": "x"}', '{"sql": "x"}']
    path = write(tmp_path / "q.jsonl", "\n".join(lines))
    incomplete = Incomplete()
    rows = list(read_questions(path, "jsonl", only_database="a", incomplete=incomplete))
    assert [row["id"] for row in rows] == ["1"]
    assert incomplete.count == 2
    assert "row 2: 'question' is None" in incomplete.first
