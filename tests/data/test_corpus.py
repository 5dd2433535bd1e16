import json

import pytest

from sqladder.data.corpus import (
    import_predictions,
    read_examples,
    replace_gold,
    without_missing,
)
from sqladder.data.database_folders import find_databases
from sqladder.errors import InputError

QUESTIONS = [
    {"id": "q1", "db_id": "a", "question": "How many?", "sql": "select 1"},
    {"id": "q2", "db_id": "b", "question": "Which?", "sql": "select 2"},
    {"id": "q3", "db_id": "a", "question": "Who?", "sql": "select 3"},
]


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_examples_are_read_as_written(tmp_path):
    assert read_examples(write_rows(tmp_path / "q.jsonl", QUESTIONS)) == QUESTIONS


@pytest.mark.parametrize("value", [None, "", "  ", 7])
def test_a_field_without_text_is_named_with_its_example(tmp_path, value):
    rows = [QUESTIONS[0], {**QUESTIONS[1], "sql": value}]
    with pytest.raises(InputError, match=r"example 2 \(id 'q2'\): 'sql' is"):
        read_examples(write_rows(tmp_path / "q.jsonl", rows))


def test_an_empty_file_of_examples_is_an_error(tmp_path):
    with pytest.raises(InputError, match="holds no example"):
        read_examples(write_rows(tmp_path / "q.jsonl", []))


def test_gold_is_replaced_in_order_across_session_breaks(tmp_path):
    (tmp_path / "gold.sql").write_text("select 10\ta\n\nselect 20\tb\n\nselect 30\ta\n")
    replaced = replace_gold(QUESTIONS, tmp_path / "gold.sql")
    assert [row["sql"] for row in replaced] == ["select 10", "select 20", "select 30"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("select 1\ta\nselect 2\tb\n", "2 statements for 3 questions"),
        ("select 1\ta\nselect 2\ta\nselect 3\ta\n", "line 2 names database 'a'"),
        ("select 1\nselect 2\tb\nselect 3\ta\n", "line 1 names database ''"),
    ],
)
def test_gold_that_does_not_fit_is_an_error(tmp_path, text, message):
    (tmp_path / "gold.sql").write_text(text)
    with pytest.raises(InputError, match=message):
        replace_gold(QUESTIONS, tmp_path / "gold.sql")


def test_databases_are_found_at_any_depth_and_suites_stay_together(tmp_path):
    for name in ("x/database/a/a.sqlite", "x/database/a/a_v1.sqlite", "b/b.sqlite"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    suite = [tmp_path / "x/database/a" / name for name in ("a.sqlite", "a_v1.sqlite")]
    assert find_databases(tmp_path) == {"a": suite, "b": [tmp_path / "b/b.sqlite"]}


SQLITE = b"SQLite format 3\0"


def test_flat_databases_are_found_where_there_are_no_others(tmp_path):
    flat = tmp_path / "mine"
    flat.mkdir()
    for name, content in {
        "a.sqlite": SQLITE,
        "b.db": SQLITE,
        "c.sqlite3": SQLITE,
        "Thumbs.db": b"something else",
        "._a.sqlite": b"",
    }.items():
        (flat / name).write_bytes(content)
    found = {name[0]: [flat / name] for name in ("a.sqlite", "b.db", "c.sqlite3")}
    assert find_databases(tmp_path) == find_databases(flat) == found


def test_what_is_of_no_suite_is_left_out_aloud(tmp_path, caplog):
    (tmp_path / "a").mkdir()
    for name in ("a/a.sqlite", "stray.sqlite"):
        (tmp_path / name).touch()
    assert list(find_databases(tmp_path)) == ["a"]
    assert "1 database files are no <db_id>/<db_id>.sqlite" in caplog.text
    assert "stray.sqlite" in caplog.text


def test_links_to_files_and_folders_keep_their_suites(tmp_path):
    store = tmp_path / "store"
    (store / "b").mkdir(parents=True)
    for name in ("b/b.sqlite", "b/b_v1.sqlite", "0001", "0002"):
        (store / name).touch()
    mine = tmp_path / "mine"
    (mine / "a").mkdir(parents=True)
    (mine / "a/a.sqlite").symlink_to(store / "0001")
    (mine / "a/a_v1.sqlite").symlink_to(store / "0002")
    (mine / "b").symlink_to(store / "b")
    (mine / "round").symlink_to(mine)
    suites = {name: [path.name for path in files] for name, files in find_databases(mine).items()}
    assert suites == {"a": ["a.sqlite", "a_v1.sqlite"], "b": ["b.sqlite", "b_v1.sqlite"]}


def test_a_database_found_twice_is_an_error(tmp_path):
    for name in ("x/a/a.sqlite", "y/a/a.sqlite"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    with pytest.raises(InputError, match="'a' is there twice"):
        find_databases(tmp_path)


def test_a_folder_without_databases_is_an_error(tmp_path):
    with pytest.raises(InputError, match="holds no database"):
        find_databases(tmp_path)


def test_questions_without_database_stop_the_run_and_are_counted():
    with pytest.raises(InputError, match="1 of 3 questions have no database: b"):
        without_missing(QUESTIONS, {"a"}, allow_missing=False)


def test_questions_without_database_are_left_out_when_allowed():
    kept, left_out = without_missing(QUESTIONS, {"a"}, allow_missing=True)
    assert [row["id"] for row in kept] == ["q1", "q3"]
    assert [row["id"] for row in left_out] == ["q2"]


def test_a_run_without_any_database_stops_even_when_some_may_be_missing():
    with pytest.raises(InputError, match="3 of 3"):
        without_missing(QUESTIONS, {"c"}, allow_missing=True)


def test_official_predictions_pair_by_position_with_all_questions(tmp_path):
    (tmp_path / "p.sql").write_text("select 'x'\tignored\n\nselect 2\n\nselect\f3\n")
    rows = import_predictions(tmp_path / "p.sql", QUESTIONS, [QUESTIONS[2], QUESTIONS[0]])
    assert [(row["id"], row["sql"]) for row in rows] == [("q3", "select\f3"), ("q1", "select 'x'")]
    assert all(row["finish_reason"] == "imported" for row in rows)


def test_too_few_official_predictions_are_an_error_not_a_smaller_test(tmp_path):
    (tmp_path / "p.sql").write_text("select 1\nselect 2\n")
    with pytest.raises(InputError, match="2 statements for 3 questions"):
        import_predictions(tmp_path / "p.sql", QUESTIONS, QUESTIONS)


def test_jsonl_predictions_join_by_id(tmp_path):
    rows = [{"id": row["id"], "sql": row["question"]} for row in reversed(QUESTIONS)]
    path = write_rows(tmp_path / "p.jsonl", rows)
    imported = import_predictions(path, QUESTIONS, QUESTIONS)
    assert [row["sql"] for row in imported] == ["How many?", "Which?", "Who?"]


def test_a_jsonl_prediction_for_no_question_is_an_error(tmp_path):
    rows = [{"id": key, "sql": ""} for key in ("q1", "q2", "q3", "q4")]
    with pytest.raises(InputError, match="'q4'"):
        import_predictions(write_rows(tmp_path / "p.jsonl", rows), QUESTIONS, QUESTIONS)


def test_a_jsonl_prediction_without_sql_is_an_error(tmp_path):
    rows = [{"id": "q1"}, {"id": "q2", "sql": ""}, {"id": "q3", "sql": ""}]
    with pytest.raises(InputError, match=r"prediction 1 .*'q1'.* has no text in 'sql'"):
        import_predictions(write_rows(tmp_path / "p.jsonl", rows), QUESTIONS, QUESTIONS)
