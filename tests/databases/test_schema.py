import sqlite3

import pytest

from sqladder.databases.schema import (
    RESERVED,
    Column,
    Database,
    ForeignKey,
    Table,
    ddl,
    quoted,
    read_schema,
)
from sqladder.errors import InputError
from sqladder.prompts.schema_forms import FORMS, Notes

# Every keyword of SQLite's grammar (sqlite.org/lang_keywords.html).
_KEYWORD_TEXT = """
abort action add after all alter always analyze and as asc attach autoincrement before begin between by
cascade case cast check collate column commit conflict constraint create cross current current_date
current_time current_timestamp database default deferrable deferred delete desc detach distinct do drop each
else end escape except exclude exclusive exists explain fail filter first following for foreign from full
generated glob group groups having if ignore immediate in index indexed initially inner insert instead
intersect into is isnull join key last left like limit match materialized natural no not nothing notnull null
nulls of offset on or order others outer over partition plan pragma preceding primary query raise range
recursive references regexp reindex release rename replace restrict returning right rollback row rows
savepoint select set table temp temporary then ties to transaction trigger unbounded union unique update using
vacuum values view virtual when where window with without
"""
KEYWORDS = _KEYWORD_TEXT.split()

# Statements in which a table and a column of the same name stand; {0} is the name.
USES = (
    "SELECT {0} FROM {0}",
    "SELECT {0}.{0} FROM {0} WHERE {0} = 'x' AND NOT {0} = 'y' GROUP BY {0} ORDER BY {0}",
    "SELECT t.{0}, count({0}) FROM other JOIN {0} AS t ON t.{0} = other.child",
)

HOSTILE = [
    "two words",
    'quo"te',
    "it's",
    "new\nline",
    "semi;colon",
    "<|im_end|>",
    "18_49",
    "a-b",
    "ü b",
]


def make(path, script):
    with sqlite3.connect(path) as connection:
        connection.executescript(script)
    connection.close()
    return path


def reloaded(database, path):
    return read_schema(make(path, ddl(database)))


def read(tmp_path, script):
    return read_schema(make(tmp_path / "x.sqlite", script))


def works_as_a_name(word):
    """Whether SQLite takes the bare word as a name and gives back the column's value."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute(f"CREATE TABLE {word} ({word} TEXT PRIMARY KEY)")
        connection.execute(f"CREATE TABLE other (child TEXT REFERENCES {word} ({word}))")
        connection.execute(f"INSERT INTO {word} ({word}) VALUES ('x')")
        connection.execute("INSERT INTO other VALUES ('x')")
        return all(connection.execute(use.format(word)).fetchone()[0] == "x" for use in USES)
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()


def test_tables_columns_and_keys_are_read(tmp_path):
    database = read(
        tmp_path,
        "CREATE TABLE town (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL);"
        "CREATE TABLE road (a INT, b INT, km, PRIMARY KEY (b, a),"
        " FOREIGN KEY (b) REFERENCES town (id), FOREIGN KEY (a) REFERENCES town (id));",
    )
    town = Table(
        "town",
        (Column("id", "INTEGER", False), Column("name", "VARCHAR(20)", True)),
        ("id",),
        (),
    )
    road = Table(
        "road",
        (Column("a", "INT", False), Column("b", "INT", False), Column("km", "", False)),
        ("b", "a"),
        (ForeignKey(("a",), "town", ("id",)), ForeignKey(("b",), "town", ("id",))),
    )
    assert database == Database((town, road))


def test_ddl_reads_as_a_person_would_write_it(tmp_path):
    script = (
        "CREATE TABLE town (\n  id INTEGER PRIMARY KEY,\n  name TEXT NOT NULL\n);\n"
        'CREATE TABLE "order" (\n  town_id INTEGER NOT NULL REFERENCES town (id),\n'
        '  "group" TEXT,\n  key TEXT,\n  PRIMARY KEY (town_id, "group")\n);'
    )
    assert ddl(read(tmp_path, script)) == script


def test_compact_names_every_table_column_and_link(tmp_path):
    database = read(
        tmp_path,
        "CREATE TABLE town (id INTEGER PRIMARY KEY, name TEXT);"
        'CREATE TABLE road (town_id INT REFERENCES town, "to where" TEXT);',
    )
    assert FORMS["compact"].write(database, Notes()) == (
        'town(id, name)\nroad(town_id, "to where")\nroad.town_id = town.id'
    )


def test_a_reference_without_columns_means_the_key_of_the_parent(tmp_path):
    database = read(
        tmp_path,
        "CREATE TABLE Town (id INTEGER PRIMARY KEY);"
        "CREATE TABLE road (a INT REFERENCES town, b INT REFERENCES nowhere);",
    )
    assert database.tables[1].foreign_keys == (
        ForeignKey(("a",), "town", ("id",)),
        ForeignKey(("b",), "nowhere", ()),
    )
    assert reloaded(database, tmp_path / "again.sqlite") == database


def test_a_key_of_several_columns_survives(tmp_path):
    database = read(
        tmp_path,
        "CREATE TABLE p (a INT, b INT, PRIMARY KEY (a, b));"
        "CREATE TABLE c (x INT REFERENCES p (a), y INT, FOREIGN KEY (x, y) REFERENCES p (a, b));",
    )
    assert reloaded(database, tmp_path / "again.sqlite") == database
    assert FORMS["compact"].write(database, Notes()).splitlines()[2:] == [
        "c.x = p.a",
        "c.x = p.a",
        "c.y = p.b",
    ]


def test_generated_columns_are_listed_and_sqlite_tables_are_not(tmp_path):
    database = read(
        tmp_path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a INT, b INT AS (a + 1));"
        "CREATE VIEW v AS SELECT a FROM t; CREATE TABLE sqlitest (x);",
    )
    assert [table.name for table in database.tables] == ["t", "sqlitest"]
    assert [column.name for column in database.tables[0].columns] == ["id", "a", "b"]


def test_where_a_virtual_table_keeps_its_rows_is_no_table(tmp_path):
    found = read(tmp_path, "CREATE VIRTUAL TABLE note USING fts5(text); CREATE TABLE note_of (id)")
    assert [table.name for table in found.tables] == ["note", "note_of"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_survive(name, tmp_path):
    column = Column(name, name, True)
    parent = Table(name, (column,), (name,), ())
    child = Table(f"{name} 2", (column,), (), (ForeignKey((name,), name, (name,)),))
    database = Database((parent, child))
    assert reloaded(database, tmp_path / "x.sqlite") == database


@pytest.mark.parametrize("name", ["book", "Book_2", "_x", "größe", "a$", "名前"])
def test_ordinary_names_stay_bare(name, tmp_path):
    assert quoted(name) == name
    database = Database((Table(name, (Column(name, "TEXT", False),), (), ()),))
    assert reloaded(database, tmp_path / "x.sqlite") == database


@pytest.mark.parametrize("word", KEYWORDS)
def test_a_keyword_is_quoted_exactly_if_sqlite_needs_it(word):
    assert (word in RESERVED) == (not works_as_a_name(word))
    assert works_as_a_name(quoted(word))
    assert works_as_a_name(quoted(word.upper()))


@pytest.mark.parametrize(
    "kind", ["DECIMAL(19,4)", "double precision", "varchar ( 20 )", "PRIMARY KEY", "a,b"]
)
def test_declared_types_survive(kind, tmp_path):
    database = Database((Table("t", (Column("c", kind, False),), (), ()),))
    again = reloaded(database, tmp_path / "x.sqlite").tables[0]
    assert again.columns[0].type.replace(" ", "") == kind.replace(" ", "")
    assert again.primary_key == ()


@pytest.mark.parametrize("name", ["50% of it?.sqlite", "a#b.sqlite", "ä ö.sqlite", "a%20b.sqlite"])
def test_odd_file_names_open_the_right_file(name, tmp_path):
    path = make(tmp_path / name, "CREATE TABLE t (a)")
    assert read_schema(path).tables[0].name == "t"
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_reading_changes_nothing(tmp_path):
    path = make(tmp_path / "x.sqlite", "PRAGMA journal_mode=WAL; CREATE TABLE t (a);")
    before = path.read_bytes()
    read_schema(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["x.sqlite"]


def test_a_missing_file_is_an_error_and_is_not_created(tmp_path):
    with pytest.raises(InputError, match=r"none\.sqlite does not exist"):
        read_schema(tmp_path / "none.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_kind_is_an_error(tmp_path):
    path = tmp_path / "x.sqlite"
    path.write_text("not a database, but long enough to be looked at" * 40)
    with pytest.raises(InputError, match="not a readable SQLite database"):
        read_schema(path)


def test_a_database_without_tables_is_an_error(tmp_path):
    with pytest.raises(InputError, match="has no table"):
        read_schema(make(tmp_path / "x.sqlite", "CREATE VIEW v AS SELECT 1"))


def test_every_form_names_all_tables_and_columns_of_spider(spider_databases):
    folders = sorted(path for path in spider_databases.iterdir() if path.is_dir())
    assert len(folders) == 19
    for folder in folders:
        database = read_schema(folder / f"{folder.name}.sqlite")
        for table in database.tables:
            for name in (table.name, *(column.name for column in table.columns)):
                for form in FORMS.values():
                    assert quoted(name) in form.write(database, Notes(folder.name)), (
                        folder.name,
                        name,
                    )


def test_ddl_of_spider_databases_loads_back_to_the_same_schema(spider_databases, tmp_path):
    for folder in sorted(path for path in spider_databases.iterdir() if path.is_dir()):
        database = read_schema(folder / f"{folder.name}.sqlite")
        assert reloaded(database, tmp_path / folder.name) == database, folder.name
