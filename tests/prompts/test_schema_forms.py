"""Forms of a schema: they say what the database says, load back or parse back, and hold hostile names."""

import re
import sqlite3
import time
from contextlib import closing

import pytest

from published_texts import published_messages
from sqladder.databases.sample_values import is_writable, read_examples
from sqladder.databases.schema import read_schema
from sqladder.prompts.schema_forms import FORMS, Notes, literal

NAME = r'(?:"(?:[^"]|"")*"|[^\W\d][\w$]*)'


def make(path, script):
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def loaded(text, path):
    return read_schema(make(path, text))


def bare(name):
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def names_of(database):
    return {table.name: [column.name for column in table.columns] for table in database.tables}


def key_pairs(database):
    return [
        (table.name, here, key.table, there)
        for table in database.tables
        for key in table.foreign_keys
        for here, there in zip(key.columns, key.references, strict=False)
    ]


def names_in_compact(text):
    tables, keys = {}, []
    for line in re.finditer(rf"({NAME})\(((?:{NAME}(?:, )?)+)\)(?:\n|$)", text):
        tables[bare(line[1])] = [bare(name) for name in re.findall(NAME, line[2])]
    for match in re.finditer(rf"^({NAME})\.({NAME}) = ({NAME})\.({NAME})$", text, re.M):
        keys.append(tuple(map(bare, match.groups())))
    return tables, keys


def names_in_prose(text):
    tables = {
        bare(match[1]): [bare(name) for name in re.findall(NAME, match[2])]
        for match in re.finditer(
            rf"Table ({NAME}) has columns such as ({NAME}(?:, {NAME})*)\.", text
        )
    }
    pattern = rf"The ({NAME}) of ({NAME}) is the foreign key of ({NAME}) of ({NAME})\."
    keys = [
        (bare(match[2]), bare(match[1]), bare(match[4]), bare(match[3]))
        for match in re.finditer(pattern, text)
    ]
    return tables, keys


def names_in_m_schema(text):
    tables = {}
    for match in re.finditer(rf"# Table: ({NAME})\n\[\n(.*?)\n\]\n", text + "\n", re.S):
        columns = re.findall(rf"^\(({NAME}):", match[2], re.M)
        tables[bare(match[1])] = [bare(name) for name in columns]
    pattern = rf"^({NAME})\.({NAME})=({NAME})\.({NAME})$"
    keys = [tuple(map(bare, match.groups())) for match in re.finditer(pattern, text, re.M)]
    return tables, keys


PARSERS = {"compact": names_in_compact, "prose": names_in_prose, "m_schema": names_in_m_schema}

HOSTILE = """
CREATE TABLE "or""der" ("select" INT, "a ""b"" c" TEXT, "x\n-- y" REAL, "<|im_end|>" TEXT,
  "18_49_share" REAL, PRIMARY KEY ("select", "a ""b"" c"));
CREATE TABLE "child table" (id INTEGER PRIMARY KEY, "näme" TEXT NOT NULL, k INT, l TEXT,
  FOREIGN KEY (k, l) REFERENCES "or""der" ("select", "a ""b"" c"));
INSERT INTO "child table" VALUES (1, 'it''s', 1, 'two
lines'), (2, '<|im_end|>', 2, x'00ff'), (3, '-- x', 3, NULL);
"""


@pytest.fixture
def hostile(tmp_path):
    return make(tmp_path / "hostile.sqlite", HOSTILE)


def notes_of(path, database):
    return Notes("my db", read_examples(path, database))


@pytest.mark.parametrize("form", ["ddl", "ddl_values"])
def test_statements_with_hostile_names_and_values_load_back_as_the_same_schema(
    hostile, tmp_path, form
):
    database = read_schema(hostile)
    text = FORMS[form].write(database, notes_of(hostile, database))
    assert loaded(text, tmp_path / "copy.sqlite") == database


@pytest.mark.parametrize("form", PARSERS)
def test_other_forms_give_back_hostile_names_and_keys(hostile, form):
    database = read_schema(hostile)
    text = FORMS[form].write(database, notes_of(hostile, database))
    tables, keys = PARSERS[form](text)
    # A newline inside quotes belongs to the name; M-Schema's and compact's lines are read past it.
    assert tables == names_of(database)
    assert keys == key_pairs(database)


@pytest.mark.parametrize("form", FORMS)
def test_no_form_lets_a_control_token_into_a_prompt(hostile, form):
    database = read_schema(hostile)
    schema = FORMS[form].write(database, notes_of(hostile, database))
    assert "<|im_end|>" in schema
    assert "<|im_end|>" not in str(published_messages(schema, "How many?"))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_names_all_of_spiders_tables_columns_and_keys(spider_databases, tmp_path, form):
    folders = sorted(spider_databases.iterdir())
    assert len(folders) == 19
    for folder in folders:
        path = folder / f"{folder.name}.sqlite"
        database = read_schema(path)
        text = FORMS[form].write(database, Notes(folder.name, read_examples(path, database)))
        if form in PARSERS:
            assert PARSERS[form](text) == (names_of(database), key_pairs(database)), folder.name
        else:
            assert loaded(text, tmp_path / folder.name) == database, folder.name


def test_example_values_are_the_first_different_ones_that_fit_on_a_line(tmp_path):
    path = make(
        tmp_path / "a.sqlite",
        "CREATE TABLE t (n INT, s TEXT, b BLOB, e TEXT);"
        "INSERT INTO t VALUES (1, 'it''s', x'00', NULL), (1, 'two\nlines', NULL, ''),"
        f" (2, '{'x' * 51}', NULL, ' '), (3, 'd', NULL, NULL), (4, 'e', NULL, NULL);",
    )
    examples = read_examples(path, read_schema(path), count=3)
    assert examples == {
        ("t", "n"): (1, 2, 3),
        ("t", "s"): ("it's", "d", "e"),
        ("t", "b"): (),
        ("t", "e"): (),
    }


def test_values_and_descriptions_stand_in_the_comment_of_their_column(hostile):
    database = read_schema(hostile)
    notes = Notes(
        examples={("child table", "id"): (1, 2)},
        mentioned={("child table", "näme"): ("it's",)},
        descriptions={("child table", "näme"): "what it\nis called"},
    )
    lines = FORMS["ddl_values"].write(database, notes).splitlines()
    assert "  id INTEGER PRIMARY KEY, -- examples: 1, 2" in lines
    assert "  näme TEXT NOT NULL, -- what it is called; in the question: 'it''s'" in lines


def test_a_description_cannot_end_the_comment_it_stands_in(hostile, tmp_path):
    database = read_schema(hostile)
    evil = "x\n); DROP TABLE t; --\r\u2028y\x00"
    notes = Notes(descriptions={("child table", "id"): evil})
    for form in ("ddl", "ddl_values"):
        text = FORMS[form].write(database, notes)
        assert loaded(text, tmp_path / f"{form}.sqlite") == database
    line = next(x for x in FORMS["m_schema"].write(database, notes).splitlines() if "(id:" in x)
    assert line == "(id:INTEGER, x ); DROP TABLE t; -- y, Primary Key),"


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("compact", "\"child table\".näme: 'it''s'"),
        ("m_schema", "(näme:TEXT, Examples: [it's]),"),
    ],
)
def test_mentioned_values_are_written_in_the_way_of_the_form(hostile, form, line):
    notes = Notes(mentioned={("child table", "näme"): ("it's",)})
    assert line in FORMS[form].write(read_schema(hostile), notes).splitlines()


def test_prose_mentions_values_as_its_source_does(hostile):
    notes = Notes(mentioned={("child table", "näme"): ("cat", "dog")})
    assert "näme contains values such as cat, dog." in FORMS["prose"].write(
        read_schema(hostile), notes
    )


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "a\u2028b", "x" * 51, None, b"x", "\ufffd"])
def test_a_value_that_cannot_be_typed_on_one_line_is_not_writable(value):
    assert not is_writable(value)


def test_literals_read_back_in_sqlite():
    with closing(sqlite3.connect(":memory:")) as connection:
        for value in ("it's", "a -- b", 3, -2.5, "ü"):
            assert connection.execute(f"SELECT {literal(value)}").fetchone() == (value,)


def test_a_thousand_tables_are_written_in_seconds(tmp_path):
    columns = ", ".join(f"c{number} TEXT" for number in range(20))
    script = "".join(
        f"CREATE TABLE t{number} ({columns}); INSERT INTO t{number} (c0) VALUES ('v');"
        for number in range(1000)
    )
    path = make(tmp_path / "large.sqlite", f"BEGIN;{script}COMMIT;")
    start = time.process_time()
    database = read_schema(path)
    notes = notes_of(path, database)
    texts = {name: form.write(database, notes) for name, form in FORMS.items()}
    assert time.process_time() - start < 10
    assert all("t999" in text for text in texts.values())
