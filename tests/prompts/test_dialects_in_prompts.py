"""A prompt names the dialect that its answer is executed in, and shows the schema as that engine does."""

import json
import sqlite3

import pytest

from sqladder.databases.schema import Column, Database, ForeignKey, Table
from sqladder.databases.shown import Shown, Spelling, read_shown, shown_path, write_shown
from sqladder.errors import InputError
from sqladder.prompts.contexts import ContextWriter
from sqladder.prompts.settings import ContextSettings, SchemaSettings
from sqladder.prompts.writing import PromptFiles, PromptWriter

SHOWN = Shown(
    Database(
        (
            Table("Song", (Column("the id", "bigint", True),), ("the id",), ()),
            Table(
                "hit",
                (
                    Column("song", "bigint", False),
                    Column("at", "timestamp(3) without time zone", False),
                ),
                (),
                (ForeignKey(("song",), "Song", ("the id",)),),
            ),
            Table("top", (Column("at", "text[]", False),), (), (), is_view=True),
        )
    ),
    Spelling("postgres", {"Song": '"Song"', "the id": '"the id"'}, "PostgreSQL"),
)
DDL = """CREATE TABLE "Song" (
  "the id" bigint NOT NULL PRIMARY KEY
);
CREATE TABLE hit (
  song bigint REFERENCES "Song" ("the id"),
  at timestamp(3) without time zone
);
CREATE TABLE top (
  at text[]
); -- a view"""


@pytest.fixture
def databases(tmp_path):
    folder = tmp_path / "databases/music"
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / "music.sqlite") as connection:
        connection.executescript(
            'CREATE TABLE "Song" ("the id" bigint PRIMARY KEY); CREATE TABLE hit (song bigint, at text);'
            'INSERT INTO "Song" VALUES (7);'
        )
    return folder.parent


def rows(tmp_path, databases, with_answer=False, **context):
    examples = tmp_path / "examples.jsonl"
    example = {"id": "a", "db_id": "music", "question": "Which?", "sql": "SELECT 1", "schema": "x"}
    examples.write_text(json.dumps(example))
    settings = ContextSettings.model_validate(
        {"schema": "ddl", "system": "", "user": "{schema} {question}", **context}
    )
    writer = PromptWriter(settings, PromptFiles(examples, databases), with_answer)
    return [message["content"] for row in writer.rows() for message in row["messages"]]


def test_the_schema_is_what_the_engine_shows(databases):
    write_shown(shown_path(databases / "music"), SHOWN)
    assert read_shown(databases / "music") == SHOWN
    written = ContextWriter(databases, SchemaSettings.model_validate({"schema": "ddl"}))
    assert written.write("music", "Which?").schema == DDL


@pytest.mark.parametrize("form", ["compact", "prose", "m_schema", "ddl_values"])
def test_every_form_quotes_as_the_engine_does(databases, form):
    write_shown(shown_path(databases / "music"), SHOWN)
    writer = ContextWriter(databases, SchemaSettings.model_validate({"schema": form}))
    text = writer.write("music", "Which?").schema
    assert '"Song"' in text
    assert '"the id"' in text
    assert '"timestamp' not in text


def test_the_dialect_is_named_where_the_context_wants_it(tmp_path, databases):
    texts = {"system": "Write {dialect}.", "user": "{dialect}: {schema} {question}"}
    system, user = rows(tmp_path, databases, **texts)
    assert system == "Write SQLite."
    assert user.startswith("SQLite: CREATE TABLE")
    write_shown(shown_path(databases / "music"), SHOWN)
    system, user = rows(tmp_path, databases, **texts)
    assert system == "Write PostgreSQL."
    assert user.startswith("PostgreSQL: CREATE TABLE")


def test_a_schema_that_comes_as_text_has_no_dialect_to_name(tmp_path):
    with pytest.raises(InputError, match=r"a context with \{dialect\} cannot be written"):
        rows(tmp_path, None, system="Write {dialect}.")


def test_a_damaged_file_of_a_schema_is_an_error_with_its_name(databases):
    shown_path(databases / "music").write_text('{"dialect": "postgres"}')
    with pytest.raises(InputError, match=r"music\.schema\.json holds no schema"):
        ContextWriter(databases, SchemaSettings.model_validate({"schema": "ddl"})).write(
            "music", "?"
        )
