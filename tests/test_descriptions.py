"""Column descriptions: from Spider's tables.json and BIRD's folders, matched to the database's names."""

import json
import sqlite3
from contextlib import closing

import pytest

from sqladder.descriptions import read_descriptions
from sqladder.errors import InputError
from sqladder.schema import read_schema


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
