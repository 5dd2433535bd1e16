"""One spelling for queries: what it looks like, that it means the same, and what is left as it was written."""

import sqlite3
from contextlib import closing

import pytest

import toy_models
from sqladder.databases.schema import read_schema
from sqladder.files import read_jsonl, write_jsonl
from sqladder.prompts.canonical import Canonical

SCHEMA = """
    CREATE TABLE Singer (Singer_ID INTEGER PRIMARY KEY, Name TEXT, Age INT, boss INT);
    CREATE TABLE concert (id INTEGER PRIMARY KEY, Singer_ID INT REFERENCES Singer, "Fee paid" INT, "order" INT);
"""


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "databases" / "music" / "music.sqlite"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)
    return tmp_path


@pytest.fixture
def canonical(folder):
    path = folder / "databases" / "music" / "music.sqlite"
    return Canonical(path, read_schema(path))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select  count(*) from SINGER", "SELECT COUNT(*) FROM Singer"),
        ("SELECT T1.name FROM singer AS T1", "SELECT Name FROM Singer"),
        (
            "SELECT T1.name , id FROM singer T1 JOIN Concert AS t2 ON T1.singer_id = T2.singer_id",
            "SELECT Singer.Name, concert.id FROM Singer JOIN concert ON Singer.Singer_ID = concert.Singer_ID",
        ),
        (
            'SELECT name FROM singer WHERE name = "Ann"',
            "SELECT Name FROM Singer WHERE Name = 'Ann'",
        ),
        ("SELECT `fee PAID`, [order] FROM concert", 'SELECT "Fee paid", "order" FROM concert'),
        (
            "SELECT name FROM singer WHERE age != 3 AND singer_id not in (SELECT singer_id FROM concert AS c)",
            "SELECT Name FROM Singer WHERE Age != 3 AND Singer_ID NOT IN (SELECT Singer_ID FROM concert)",
        ),
        (
            "SELECT name FROM singer WHERE name NOT LIKE '%a' OR age NOT BETWEEN 1 AND 2 OR age is not null",
            "SELECT Name FROM Singer WHERE Name NOT LIKE '%a' OR Age NOT BETWEEN 1 AND 2 OR Age IS NOT NULL",
        ),
        (
            "SELECT count(*) AS n FROM singer GROUP BY age ORDER BY n",
            "SELECT COUNT(*) AS n FROM Singer GROUP BY Age ORDER BY n",
        ),
        # A table that stands there twice, and a subquery that looks outside, need their aliases.
        (
            "SELECT a.name, b.name FROM singer a JOIN singer b ON a.boss = b.singer_id",
            "SELECT a.Name, b.Name FROM Singer AS a JOIN Singer AS b ON a.boss = b.Singer_ID",
        ),
        (
            "SELECT name FROM singer AS a WHERE age > (SELECT avg(age) FROM singer AS b WHERE b.boss = A.boss)",
            "SELECT Name FROM Singer AS a WHERE Age > (SELECT AVG(Age) FROM Singer AS b WHERE b.boss = A.boss)",
        ),
        (
            "SELECT name FROM singer UNION SELECT t.id FROM concert AS t",
            "SELECT Name FROM Singer UNION SELECT id FROM concert",
        ),
    ],
)
def test_a_query_is_written_in_one_way(canonical, sql, expected):
    assert canonical.write(sql) == expected
    assert canonical.write(expected) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT nothing FROM singer",
        "SELECT name FROM nowhere",
        "no query",
        "",
        "SELECT " + "(" * 3000,
        "DELETE FROM singer",
    ],
)
def test_what_cannot_be_compiled_or_read_has_no_canonical_spelling(canonical, sql):
    assert canonical.write(sql) is None


def test_a_spelling_that_sqlite_reads_otherwise_is_not_taken(canonical, monkeypatch):
    monkeypatch.setattr(Canonical, "_rewritten", lambda *_: "SELECT Age FROM Singer")
    assert canonical.write("SELECT name FROM singer") is None
    assert canonical.write("SELECT age FROM singer AS t") == "SELECT Age FROM Singer"


def render(folder, rows, *flags, **options):
    write_jsonl(folder / "rows.jsonl", rows)
    return toy_models.run(
        "render_prompts.py",
        *flags,
        examples=folder / "rows.jsonl",
        output=folder / "prompts.jsonl",
        **{"schema": "ddl", "system": "", "user": "{schema}\n{question}"} | options,
    )


ROWS = [
    {"id": "a", "db_id": "music", "question": "Names?", "sql": "select t.name from singer t"},
    {"id": "b", "db_id": "music", "question": "Odd?", "sql": "SELECT nothing FROM singer"},
]


def test_training_is_taught_the_canonical_spelling_and_the_log_counts_the_others(folder):
    done = render(
        folder, ROWS, databases=folder / "databases", answers="canonical", with_answer=True
    )
    assert done.returncode == 0, done.stdout
    answers = [row["messages"][-1]["content"] for row in read_jsonl(folder / "prompts.jsonl")]
    assert answers == ["SELECT Name FROM Singer", "SELECT nothing FROM singer"]
    assert "1 answers stay as they were written" in done.stdout


def test_orders_of_the_schema_are_rows_of_their_own_and_the_same_again(folder):
    def written():
        done = render(
            folder, ROWS, databases=folder / "databases", schema_orders=4, with_answer=True
        )
        assert done.returncode == 0, done.stdout
        return {row["id"]: row["messages"] for row in read_jsonl(folder / "prompts.jsonl")}

    rows = written()
    assert list(rows) == ["a", "a#2", "a#3", "a#4", "b", "b#2", "b#3", "b#4"]
    assert rows == written()
    users = [messages[0]["content"] for messages in rows.values()]
    assert users[0].startswith("CREATE TABLE Singer (\n  Singer_ID INTEGER PRIMARY KEY,\n  Name")
    # Of 96 orders two may be drawn alike.
    assert len(set(users)) >= 6
    # Each order says the same: the lines are those of the first, but for their commas.
    lines = [sorted(line.strip(" ,") for line in user.splitlines()) for user in users[:4]]
    assert lines == [lines[0]] * 4
    assert {messages[1]["content"] for name, messages in rows.items() if name[0] == "a"} == {
        ROWS[0]["sql"]
    }


def test_a_prompt_that_is_asked_has_the_order_of_the_file(folder):
    done = render(
        folder, ROWS, databases=folder / "databases", schema_orders=4, answers="canonical"
    )
    assert done.returncode == 0, done.stdout
    rows = read_jsonl(folder / "prompts.jsonl")
    assert [row["id"] for row in rows] == ["a", "b"]
    assert all(len(row["messages"]) == 1 for row in rows)


@pytest.mark.parametrize("option", [{"answers": "canonical"}, {"schema_orders": 2}])
def test_what_needs_a_database_is_refused_where_schemas_come_as_text(folder, option):
    done = render(folder, [{**ROWS[0], "schema": "singer(name)"}], with_answer=True, **option)
    assert done.returncode == 1
    key = next(iter(option))
    assert key in done.stdout and "give the data set its databases" in done.stdout


@pytest.mark.slow
def test_all_but_three_gold_queries_of_spiders_training_questions_have_one(spider_train):
    """Those three are the ones that SQLite refuses, or sqlglot reads otherwise."""
    known, without = {}, []
    for row in read_jsonl(spider_train / "train.jsonl"):
        path = spider_train / "database" / row["db_id"] / f"{row['db_id']}.sqlite"
        if path.exists():
            if path not in known:
                known[path] = Canonical(path, read_schema(path))
            if known[path].write(row["sql"]) is None:
                without.append(row["sql"])
    assert len(known) == 138
    assert len(without) <= 3
