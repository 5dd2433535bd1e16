"""The program that renders prompts: the published form, answers, and refusals."""

import sqlite3
from contextlib import closing

import pytest

import toy_models
from published_texts import SYSTEM_TEXT, USER_TEMPLATE
from sqladder.files import write_jsonl

EXAMPLES = [
    {
        "id": "b",
        "db_id": "music",
        "question": "How many singers?",
        "sql": "SELECT count(*) FROM singer",
    },
    {"id": "a", "db_id": "music", "question": "Who is “Ann”?", "sql": "SELECT 1"},
]


def render(folder, examples=EXAMPLES, **options):
    database = folder / "databases" / "music" / "music.sqlite"
    database.parent.mkdir(parents=True)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE singer (id INTEGER PRIMARY KEY, name TEXT)")
    write_jsonl(folder / "examples.jsonl", examples)
    return toy_models.run(
        "render_prompts.py",
        examples=folder / "examples.jsonl",
        databases=folder / "databases",
        output=folder / "prompts.jsonl",
        **{"schema": "ddl", "system": SYSTEM_TEXT, "user": USER_TEMPLATE} | options,
    )


def messages(folder):
    return {row["id"]: row["messages"] for row in toy_models.read_lines(folder / "prompts.jsonl")}


def test_a_prompt_has_the_texts_and_the_schema_of_the_database_file(tmp_path):
    assert render(tmp_path).returncode == 0
    found = messages(tmp_path)
    assert list(found) == ["b", "a"]
    assert found["b"] == [
        {"role": "system", "content": SYSTEM_TEXT},
        {
            "role": "user",
            "content": "[SCHEMA]\nCREATE TABLE singer (\n  id INTEGER PRIMARY KEY,\n  name TEXT\n);\n"
            "[QUESTION]\nHow many singers?",
        },
    ]


def test_the_answer_is_added_for_training_only(tmp_path):
    assert render(tmp_path, with_answer=True).returncode == 0
    answer = messages(tmp_path)["b"][-1]
    assert answer == {"role": "assistant", "content": "SELECT count(*) FROM singer"}


def test_texts_and_form_come_from_the_options(tmp_path):
    options = {
        "system": "",
        "user": "{question} -- {schema}",
        "schema": "compact",
    }
    assert render(tmp_path, **options).returncode == 0
    assert messages(tmp_path)["b"] == [
        {"role": "user", "content": "How many singers? -- singer(id, name)"}
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"question": ""}, "'b' has no 'question'"),
        ({"sql": ""}, "'b' has no 'sql'"),
        ({"db_id": "art"}, "art.sqlite does not exist"),
    ],
)
def test_an_example_that_cannot_be_rendered_is_named(tmp_path, change, message):
    done = render(tmp_path, [EXAMPLES[0] | change], with_answer=True)
    assert done.returncode == 1
    assert message in done.stdout
    assert not (tmp_path / "prompts.jsonl").exists()
