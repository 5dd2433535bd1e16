"""Exact set match: hand-made cases, and counts that the official script gives on real predictions."""

import json
import lzma
import sqlite3
from contextlib import closing

import pytest
from test_metric_parity import gold_and_predictions

from sqladder.metric.input_error import InputError
from sqladder.metric.inputs import Gold, Item
from sqladder.metric.match import Matcher, declared_keys, read_key_maps, read_schema
from sqladder.metric.scoring import Task, score, with_exact_match

SCHEMA = {"pet": ["id", "name", "age", "owner_id"], "person": ["id", "name"]}
# Both columns of the foreign key count as the one with the smaller index in tables.json.
KEYS = {"__pet.owner_id__": "__pet.owner_id__", "__person.id__": "__pet.owner_id__"}
JOIN = "select t1.name from pet as t1 join person as t2 on t1.owner_id = t2.id"


def match(gold, predicted):
    return Matcher(SCHEMA, KEYS).match(gold, predicted)


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        ("select name from pet", "SELECT pet.name FROM pet"),
        ("select name, age from pet", "select age, name from pet"),
        ("select name from pet", "select distinct name from pet"),
        ("select name from pet where age > 3", "select name from pet where age > 9"),
        (
            "select name from pet where age > 3 and name = 'a'",
            "select name from pet where name = 'b' and age > 1",
        ),
        ("select name from pet order by age limit 3", "select name from pet order by age limit 1"),
        (JOIN + " where t1.owner_id = 2", JOIN + " where t2.id = 1"),
        (
            "select name from pet union select name from person",
            "select name from pet union select distinct name from person",
        ),
        (
            "select name from pet where id in (select id from person where name = 'a')",
            "select name from pet where id in (select id from person where name = 'b')",
        ),
    ],
)
def test_these_match(gold, predicted):
    found = match(gold, predicted)
    assert found.exact
    assert all(part.whole for part in found.parts.values())


@pytest.mark.parametrize(
    ("gold", "predicted", "differing"),
    [
        ("select name from pet", "select age from pet", {"select", "select(no AGG)"}),
        ("select max(age) from pet", "select min(age) from pet", {"select"}),
        ("select name from pet where age > 3", "select name from pet where age < 3", {"where"}),
        (
            "select name from pet where age > 3",
            "select name from pet where id > 3",
            {"where", "where(no OP)"},
        ),
        (
            "select name from pet group by name",
            "select name from pet group by age",
            {"group(no Having)", "group"},
        ),
        (
            "select name from pet group by name having count(*) > 1",
            "select name from pet group by name",
            {"group", "keywords"},
        ),
        (
            "select name from pet order by age",
            "select name from pet order by age desc",
            {"order", "keywords"},
        ),
        (
            "select name from pet where age > 3 and id > 2",
            "select name from pet where age > 3 or id > 2",
            {"and/or", "keywords", "where"},
        ),
        (
            "select name from pet union select name from person",
            "select name from pet except select name from person",
            {"IUEN", "keywords"},
        ),
    ],
)
def test_a_difference_is_found_in_its_parts(gold, predicted, differing):
    found = match(gold, predicted)
    assert not found.exact
    names = {name for name, part in found.parts.items() if not part.whole}
    assert differing - {"where"} <= names <= differing | {"where(no OP)"}


def test_other_tables_do_not_match_though_all_parts_do():
    found = match("select count(*) from pet", "select count(*) from person")
    assert all(part.whole for part in found.parts.values())
    assert not found.exact


def test_a_prediction_outside_the_grammar_is_an_empty_query():
    found = match("select name from pet", "select name from nowhere")
    assert (found.parts["select"].predicted, found.exact) == (0, False)


def test_sub_queries_of_from_keep_their_values():
    nested = "select count(*) from (select name from pet where age > {})"
    assert match(nested.format(1), nested.format(1)).exact
    assert not match(nested.format(1), nested.format(2)).exact


def test_schema_is_read_from_the_file_with_any_table_name(tmp_path):
    with sqlite3.connect(tmp_path / "x.sqlite") as connection:
        connection.execute('create table "Two Words"(A, "b C")')
    assert read_schema(tmp_path / "x.sqlite") == {"two words": ["a", "b c"]}


def test_foreign_keys_map_to_the_smallest_column(tmp_path):
    entry = {
        "db_id": "pets",
        "table_names_original": ["Pet", "Person"],
        "column_names_original": [[-1, "*"], [0, "Owner_Id"], [1, "Id"], [1, "Boss_Id"]],
        "foreign_keys": [[1, 2], [3, 2]],
    }
    (tmp_path / "tables.json").write_text(json.dumps([entry]))
    assert read_key_maps(tmp_path / "tables.json") == {
        "pets": {
            "__pet.owner_id__": "__pet.owner_id__",
            "__person.id__": "__pet.owner_id__",
            "__person.boss_id__": "__pet.owner_id__",
        }
    }


@pytest.mark.parametrize("text", ["not JSON", "[3]", '[{"db_id": 1}]'])
def test_a_file_that_is_no_tables_json_is_named(tmp_path, text):
    (tmp_path / "tables.json").write_text(text)
    with pytest.raises(InputError, match=r"is no tables\.json of Spider"):
        read_key_maps(tmp_path / "tables.json")


def test_a_database_that_declares_its_keys_needs_no_tables_json(tmp_path):
    path = tmp_path / "pets.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE Pet (id, Owner_Id REFERENCES person, gone REFERENCES nowhere (id));"
            "CREATE TABLE Person (Boss_Id REFERENCES Person (Id), Id INTEGER PRIMARY KEY);"
        )
    assert declared_keys(path) == {
        "__pet.owner_id__": "__pet.owner_id__",
        "__person.id__": "__pet.owner_id__",
        "__person.boss_id__": "__pet.owner_id__",
    }


def test_no_gold_and_no_file_stops_exact_match(tmp_path):
    """Gold outside Spider's grammar, and a file that is no database, match nothing."""
    for name in ("pets", "torn"):
        (tmp_path / name).mkdir()
    with closing(sqlite3.connect(tmp_path / "pets" / "pets.sqlite")) as connection:
        connection.execute("CREATE TABLE pet (name)")
    (tmp_path / "torn" / "torn.sqlite").write_bytes(b"no database" * 1000)
    sqls = [
        "select name from pet",
        "select case name when 1 then 2 end from pet",
        "select name from pet",
    ]
    databases = ("pets", "pets", "torn")
    items = [
        Item(f"q{number}", db_id, sql, session=number, turn=0)
        for number, (db_id, sql) in enumerate(zip(databases, sqls, strict=True))
    ]
    task = Task(tmp_path)
    scores = with_exact_match(score(Gold(items, 3), {"arm": sqls}, task)["arm"], task)
    assert [row.matched for row in scores.rows] == [True, False, False]


def test_spiders_databases_declare_the_keys_of_its_tables_json(spider, spider_databases, tmp_path):
    tables = tmp_path / "tables.json"
    tables.write_bytes(lzma.decompress((spider / "tables.json.xz").read_bytes()))
    keys = read_key_maps(tables)
    names = [folder.name for folder in spider_databases.iterdir()]
    assert len(names) == 19
    for name in names:
        assert declared_keys(spider_databases / name / f"{name}.sqlite") == keys[name]


# Counted with the official functions on the same files (NLTK's word tokeniser, no sentence split).
@pytest.mark.parametrize(("arm", "exact"), [("lora_32r", 231), ("tse_1", 388), ("tse_3", 401)])
def test_as_many_match_as_officially(spider, spider_databases, tmp_path, arm, exact):
    tables = tmp_path / "tables.json"
    tables.write_bytes(lzma.decompress((spider / "tables.json.xz").read_bytes()))
    gold, predictions, _ = gold_and_predictions(spider, arm)
    task = Task(spider_databases, etype="match", tables=tables)
    rows = score(gold, {arm: predictions}, task)[arm].rows
    assert (len(rows), sum(row.matched for row in rows)) == (972, exact)
    bare = with_exact_match(score(gold, {arm: predictions}, task)[arm], Task(spider_databases))
    assert [row.matched for row in bare.rows] == [row.matched for row in rows]
