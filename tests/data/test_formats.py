import csv
import json

import pyarrow
import pyarrow.parquet
import pytest
import yaml

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
            "difficulty": "simple",
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
        ("spider", '[{"question": "Q", "sql": {}}]', r"no column 'query'.*columns: \{sql: sql\}"),
        ("spider", '[{"question": "Q", "query": {}}]', "'query' is {}"),
        ("csv", "question,sql,question\nQ,select 1,P\n", "two columns 'question' in its header"),
        ("csv", "question,sql,db_id\nHow, many?,select 1,a\n", "line 2 has more cells"),
        ("csv", 'question,sql,db_id\n"Q"x,select 1,a\n', "line 2 is not valid CSV"),
        ("parquet", "no parquet", "not a readable Parquet file"),
        (
            "jsonl",
            '{"question": "Q", "sql": "select 1", "sql": "select 2"}',
            "line 1 has 'sql' twice",
        ),
        ("spider", '[{"query": "select 1", "query": "select 2"}]', "has 'query' twice"),
        pytest.param("spider", "[" * 100_000, "is not valid JSON", id="too deep"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_its_place(tmp_path, form, text, message):
    path = write(tmp_path / "q", text)
    with pytest.raises(InputError, match=message):
        list(read_questions(path, form))


def test_text_that_is_not_utf_8_is_refused_with_how_to_convert_it(tmp_path):
    (tmp_path / "q.csv").write_bytes(b"question,sql,db_id\nWho?,select 1,a\nCaf\xe9?,select 1,a\n")
    with pytest.raises(
        InputError, match=r"line 3 is not UTF-8.*0xe9 is 'é' .*iconv -f WINDOWS-1252"
    ):
        list(read_questions(tmp_path / "q.csv", "csv"))


@pytest.mark.parametrize("form", ["csv", "jsonl", "spider"])
@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (b"\x1f\x8b\x08rest", "is no text but a gzip archive; unpack it"),
        (b"PK\x03\x04rest of a sheet", "save the sheet as CSV"),
        (b"SQLite format 3\0rest", "is no text but a SQLite database"),
    ],
)
def test_a_file_that_only_is_called_a_text_is_refused_as_what_it_is(
    tmp_path, form, packed, message
):
    (tmp_path / "q").write_bytes(packed)
    with pytest.raises(InputError, match=message):
        list(read_questions(tmp_path / "q", form))


def test_lines_without_a_name_before_a_header_are_none(tmp_path):
    path = write(tmp_path / "q.csv", "\n  \n;;\nquestion;sql;db_id\nWho?;select 1;a\n")
    (row,) = read_questions(path, "csv")
    assert (row["question"], row["sql"], row["db_id"]) == ("Who?", "select 1", "a")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_of_other_programs_is_read_as_it_is(tmp_path, delimiter, encoding):
    path = tmp_path / "q.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        rows = [
            ("question ", "sql"),
            ("Wie viele, Café;\t\nbitte?", "select 1"),
            (),
            ("Wer?", "select 2"),
        ]
        csv.writer(file, delimiter=delimiter).writerows(rows)
    read = list(read_questions(path, "csv", only_database="a"))
    assert [(row["id"], row["question"], row["sql"]) for row in read] == [
        ("1", "Wie viele, Café;\t\nbitte?", "select 1"),
        ("2", "Wer?", "select 2"),
    ]


@pytest.mark.parametrize(
    ("header", "entry"),
    [
        ("Question,Query", "{question: Question, sql: Query}"),
        ("prompt;gold answer;answer", "{question: prompt, sql: answer}"),
        ("id,question,GOLD", "{sql: GOLD}"),
        ("frage,abfrage", "{question: <column of the question>, sql: <column of the sql>}"),
        ("no header at all", "{question: <column of the question>, sql: <column of the sql>}"),
    ],
)
def test_a_header_with_other_names_is_shown_with_the_entry_to_write(tmp_path, header, entry):
    path = write(tmp_path / "q.csv", f"{header}\nQ\n")
    with pytest.raises(InputError) as error:
        list(read_questions(path, "csv", only_database="a"))
    assert f"columns: {entry}" in str(error.value)
    for name in header.replace(";", ",").split(","):
        assert repr(name) in str(error.value)


def test_the_entry_that_a_message_shows_can_be_written(tmp_path):
    path = write(tmp_path / "q.csv", "Question,SQL\nHow many?,select 1\n")
    with pytest.raises(InputError) as error:
        list(read_questions(path, "csv", only_database="a"))
    shown = yaml.safe_load(str(error.value).split("columns: ")[1])
    assert len(list(read_questions(path, "csv", shown, only_database="a"))) == 1


def test_a_file_of_which_no_row_can_be_used_holds_no_question(tmp_path):
    path = write(tmp_path / "q.csv", "frage,sql\nQ,select 1\n")
    with pytest.raises(
        InputError, match=r"holds no question; each of its 1 rows .*'question' is None"
    ):
        list(read_questions(path, "csv", only_database="a", incomplete=Incomplete()))


def bird_file(tmp_path, *ids):
    rows = [{**BIRD[0], "question_id": key, "question": f"Q{n}?"} for n, key in enumerate(ids)]
    return write(tmp_path / "dev.json", json.dumps(rows))


def test_whole_numbers_that_a_table_made_floats_are_names_without_a_point(tmp_path):
    """As pandas does where a cell is empty, which it writes as NaN into JSON."""
    lines = [
        '{"id": 7.0, "db_id": 0, "question": "Q", "sql": "select 1", "group": 3.0}',
        '{"id": NaN, "db_id": 1.0, "question": "P", "sql": "select 1", "group": NaN}',
        '{"id": 1.5, "db_id": NaN, "question": "R", "sql": "select 1", "group": 0}',
    ]
    path = write(tmp_path / "q.jsonl", "\n".join(lines))
    rows = list(read_questions(path, "jsonl", only_database="mine"))
    assert [(row["id"], row["db_id"], row.get("group")) for row in rows] == [
        ("7", "0", "3"),
        ("row 2", "1", None),
        ("1.5", "mine", "0"),
    ]


def test_blank_ids_do_not_collide_with_each_other_nor_with_others(tmp_path):
    for ids in (["2", "", " "], ["", None, "\t"]):
        path = bird_file(tmp_path, *ids)
        found = [row["id"] for row in read_questions(path, "bird")]
        assert len(set(found)) == 3
    assert found == ["1", "2", "3"]


def test_doubled_ids_are_refused_with_a_way_out_that_works(tmp_path):
    path = bird_file(tmp_path, 7, 7)
    with pytest.raises(InputError, match="id '7' occurs twice, in rows 1 and 2") as error:
        list(read_questions(path, "bird"))
    shown = yaml.safe_load(str(error.value).split("columns: ")[1])
    assert "format: spider" in str(error.value)
    read = list(read_questions(path, "spider", shown))
    assert [(row["id"], row["evidence"]) for row in read] == [
        ("1", "which means 2"),
        ("2", "which means 2"),
    ]


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


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_several_golds_and_what_is_forgiven_come_from_each_form(tmp_path, form):
    path = tmp_path / f"questions.{form}"
    more = {
        "alternatives": ["select 2"],
        "optional": ["n", "2"],
        "any_order": True,
        "tolerance": 0.1,
    }
    row = {"question": "Which?", "sql": "select 1", **more}
    if form == "jsonl":
        path.write_text(json.dumps(row) + "\n")
    elif form == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), path)
    else:
        cells = {
            key: json.dumps(value) if isinstance(value, list) else value
            for key, value in row.items()
        }
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
            writer.writerow(cells)
            writer.writerow({"question": "None?", "sql": "select 3"})
    first, *others = read_questions(path, form, only_database="mine")
    assert first == {
        "id": "1",
        "db_id": "mine",
        "question": "Which?",
        "sql": "select 1",
        "alternatives": ["select 2"],
        "optional": ["n", 2],
        "any_order": True,
        "tolerance": 0.1,
    }
    assert all(own.keys() == {"id", "db_id", "question", "sql"} for own in others)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"alternatives": ["select 1", 2]}, "alternatives hold 2"),
        ({"any_order": "sometimes"}, "any_order is 'sometimes'"),
        ({"tolerance": 7}, "tolerance is 7"),
        ({"sql": []}, "'sql' is []"),
    ],
)
def test_what_cannot_be_right_is_refused_by_its_row(tmp_path, more, told):
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps({"question": "?", "sql": "select 1", **more}))
    with pytest.raises(InputError, match="row 1") as raised:
        list(read_questions(path, "jsonl", only_database="mine"))
    assert told in str(raised.value)
