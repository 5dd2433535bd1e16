"""Column descriptions: from Spider's tables.json and BIRD's folders, matched to the database's names."""

import json
import sqlite3
from contextlib import closing

import pytest

from sqladder.databases.schema import read_schema
from sqladder.databases.sql_comments import column_comments
from sqladder.errors import InputError
from sqladder.prompts.descriptions import read_descriptions


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "school"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "school.sqlite")) as connection:
        connection.execute("CREATE TABLE Student (fname TEXT, last_name TEXT, gpa REAL)")
    return folder


def spider_file(path, db_id="school"):
    entry = {
        "db_id": db_id,
        "table_names_original": ["student"],
        "column_names_original": [[-1, "*"], [0, "fname"], [0, "last_name"], [0, "gone"]],
        "column_names": [[-1, "*"], [0, "first name"], [0, "last name"], [0, "not there"]],
    }
    path.write_text(json.dumps([entry]))
    return path


def bird_file(folder, text):
    (folder / "database_description").mkdir()
    (folder / "database_description" / "student.csv").write_bytes(text.encode("utf-8-sig"))


def read(folder, tables_json=None):
    return read_descriptions(folder, read_schema(folder / "school.sqlite"), tables_json)


def test_spiders_names_are_taken_where_they_say_more_than_the_column(folder, tmp_path):
    assert read(folder, spider_file(tmp_path / "tables.json")) == {
        ("Student", "fname"): "first name"
    }


def test_a_database_that_spiders_file_lacks_has_no_descriptions(folder, tmp_path):
    assert read(folder, spider_file(tmp_path / "tables.json", "other")) == {}


def test_birds_files_are_found_beside_the_database_and_go_first(folder, tmp_path):
    bird_file(
        folder,
        "original_column_name,column_name,column_description,data_format,value_description\n"
        'FNAME ,first name,name given at birth,text,"may be\nempty"\n'
        "gpa,,,real,\n",
    )
    assert read(folder, spider_file(tmp_path / "tables.json")) == {
        ("Student", "fname"): "first name; name given at birth; may be\nempty"
    }


def test_files_in_another_format_are_refused_with_their_name(folder, tmp_path):
    path = tmp_path / "tables.json"
    path.write_text('[{"db_id": "school"}]')
    with pytest.raises(InputError, match=r"tables\.json"):
        read(folder, path)
    bird_file(folder, "name,meaning\nfname,x\n")
    with pytest.raises(InputError, match=r"student\.csv"):
        read(folder)


def test_a_folder_without_descriptions_gives_none(folder):
    assert read(folder) == {}


def test_comments_of_the_database_are_read_and_give_way_to_the_data_sets_words(folder, tmp_path):
    path = folder / "school.sqlite"
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE Student (fname TEXT, -- given name\n last_name TEXT, gpa REAL -- 0 to 4\n)"
        )
    assert read(folder) == {("Student", "fname"): "given name", ("Student", "gpa"): "0 to 4"}
    described = read(folder, spider_file(tmp_path / "tables.json"))
    assert described["Student", "fname"] == "first name"


@pytest.mark.parametrize(
    ("statement", "comments"),
    [
        ("CREATE TABLE t (a INT, -- one\n b INT -- two\n)", {"a": "one", "b": "two"}),
        ("CREATE TABLE t ( -- the table\n a INT /* x\n y */ )", {"a": "x y"}),
        ("CREATE TABLE t (a DECIMAL(5, 2)\n DEFAULT 1, -- far\n-- alone\n b INT)", {"a": "far"}),
        ("CREATE TABLE t (a INT, b INT -- the last\n)", {"b": "the last"}),
        (
            'CREATE TABLE t ("a ""b" TEXT, -- q\n [c d] INT, -- r\n `e` INT -- s\n)',
            {'a "b': "q", "c d": "r", "e": "s"},
        ),
        ("CREATE TABLE t (a TEXT DEFAULT '-- no', b INT CHECK (b > 0) -- yes\n)", {"b": "yes"}),
        ("CREATE TABLE t (a INT", {}),
    ],
)
def test_a_comment_belongs_to_the_column_before_it_on_its_line(statement, comments):
    assert column_comments(statement) == comments
