"""Several training sets as one: ids that name the set, databases that keep apart, and the same whatever the order."""

import json
import sqlite3

import pytest

from sqladder.data.mixing import MixedSet, database_names, link_databases, mixed_rows
from sqladder.errors import InputError
from sqladder.files import write_jsonl


def write_set(folder, name, databases, rows=3):
    """A training set whose databases each hold their set's name."""
    for database in databases:
        (folder / name / database).mkdir(parents=True)
        with sqlite3.connect(folder / name / database / f"{database}.sqlite") as connection:
            connection.execute("create table own(name)")
            connection.execute("insert into own values (?)", [f"{name} {database}"])
        connection.close()
        (folder / name / database / f"{database}.schema.json").write_text("{}")
        (folder / name / database / "other.sqlite").write_text("")
    path = folder / f"{name}.jsonl"
    write_jsonl(path, [example(number, databases) for number in range(rows)])
    return MixedSet(name, path, folder / name)


def example(number, databases):
    db_id = databases[number % len(databases)]
    return {"id": f"q{number}", "db_id": db_id, "question": f"Which {number}?", "sql": "select 1"}


@pytest.fixture
def sets(tmp_path):
    return [
        write_set(tmp_path, "shop", ["orders", "staff"]),
        write_set(tmp_path, "demo", ["orders", "library"]),
    ]


def test_rows_name_their_set_and_their_database_of_the_mix(sets, tmp_path):
    rows = list(mixed_rows(sets))
    assert rows == list(mixed_rows(sets[::-1]))
    assert [row["id"] for row in rows] == [
        f"{name}/q{n}" for name in ("demo", "shop") for n in range(3)
    ]
    assert [row["db_id"] for row in rows[-3:]] == ["shop_orders", "staff", "shop_orders"]
    link_databases(sets, tmp_path / "mix")
    for row in rows:
        path = tmp_path / "mix" / row["db_id"] / f"{row['db_id']}.sqlite"
        with sqlite3.connect(path) as connection:
            ((told,),) = connection.execute("select name from own").fetchall()
        connection.close()
        assert told.split()[0] == row["id"].split("/")[0]
        assert path.with_suffix(".schema.json").is_file()
        assert path.with_name("other.sqlite").is_file()
    assert len(list((tmp_path / "mix").iterdir())) == 4


def test_two_databases_that_would_have_one_name_are_refused(tmp_path):
    names = [("a", ["b", "a_b"]), ("c", ["b"])]
    with pytest.raises(InputError, match=r"two databases would be called 'a_b'"):
        database_names([write_set(tmp_path, name, own) for name, own in names])


def test_a_set_without_rows_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"train_mix\.shop: has no rows"):
        list(mixed_rows([write_set(tmp_path, "shop", ["orders"], rows=0)]))


def test_a_row_keeps_what_else_it_says(tmp_path):
    own = write_set(tmp_path, "shop", ["orders"], rows=1)
    row = {**json.loads(own.examples.read_text()), "evidence": "Orders are sales.", "group": "g"}
    write_jsonl(own.examples, [row])
    assert list(mixed_rows([own])) == [{**row, "id": "shop/q0"}]
