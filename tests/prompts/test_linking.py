"""Schema linking: the tables of a question stay within the budget, and the gold's mostly survive."""

import json
import sqlite3
from contextlib import closing

import pytest

from sqladder.databases.question_values import ValueIndex
from sqladder.databases.schema import read_schema
from sqladder.prompts.linking import Linker
from sqladder.prompts.schema_forms import FORMS, Notes
from tables_read import tables_read

SCRIPT = """
CREATE TABLE singer (singer_id INTEGER PRIMARY KEY, country TEXT);
CREATE TABLE performance (singer_id INT REFERENCES singer (singer_id), hall_id INT REFERENCES hall (hall_id));
CREATE TABLE hall (hall_id INTEGER PRIMARY KEY, capacity INT);
CREATE TABLE invoice (number INTEGER PRIMARY KEY, total REAL);
CREATE TABLE reminder (number INT REFERENCES invoice (number), sent TEXT);
"""


def length(database):
    return len(FORMS["ddl"].write(database, Notes()))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "m.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCRIPT)
    return path


def kept(path, question, budget, mentioned=(), descriptions=None):
    linker = Linker(read_schema(path), descriptions or {})
    return [t.name for t in linker.link(question, mentioned, budget, length).tables]


def test_a_schema_within_the_budget_stays_whole(path):
    database = read_schema(path)
    assert Linker(database, {}).link("Anything?", [], 10_000, length) is database


def test_named_tables_stay_with_the_table_that_joins_them(path):
    assert kept(path, "In which halls do singers appear?", 280) == ["singer", "performance", "hall"]


def test_a_mentioned_value_or_a_description_speaks_for_its_table(path):
    assert kept(path, "Who was asked?", 90, mentioned=[("reminder", "sent")]) == ["reminder"]
    words = {("invoice", "total"): "amount to pay"}
    assert kept(path, "What amount is open?", 90, descriptions=words) == ["invoice"]


@pytest.mark.parametrize(
    ("question", "table"),
    [("请列出所有学生的姓名。", "学生信息"), ("哪门课程的学分最高？", "课程")],
)
def test_names_without_spaces_speak_for_their_tables(tmp_path, question, table):
    path = tmp_path / "school.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE 教师 (编号 INT, 职称 TEXT); CREATE TABLE 课程 (课号 INT, 学分 INT);"
            "CREATE TABLE 学生信息 (学号 INT, 姓名 TEXT);"
        )
    assert kept(path, question, 50) == [table]


def test_the_written_schema_keeps_to_the_budget_and_names_no_dropped_table(path):
    for budget in range(60, 500, 20):
        linked = Linker(read_schema(path), {}).link("Which singers?", [], budget, length)
        names = {table.name for table in linked.tables}
        assert length(linked) <= budget or len(names) == 1
        assert {key.table for table in linked.tables for key in table.foreign_keys} <= names


def test_one_table_stays_however_small_the_budget(path):
    assert kept(path, "Which country is the singer from?", 1) == ["singer"]


def test_the_tables_of_a_statement_are_those_that_sqlite_reads(path):
    sql = (
        "SELECT count(*) FROM Singer WHERE singer_id IN (SELECT p.singer_id FROM performance AS p)"
    )
    assert tables_read(path, sql) == {"singer", "performance"}


@pytest.mark.parametrize(("budget", "cut", "right"), [(1000, 164, 154), (1500, 164, 163)])
def test_the_golds_tables_mostly_survive_on_spider(spider, spider_databases, budget, cut, right):
    shortened = survived = 0
    known = {}
    for line in (spider / "dev.jsonl").open():
        row = json.loads(line)
        path = spider_databases / row["db_id"] / f"{row['db_id']}.sqlite"
        if not path.is_file():
            continue
        if path not in known:
            database = read_schema(path)
            known[path] = Linker(database, {}), ValueIndex(path, database), database
        linker, values, database = known[path]
        mentioned = values.mentioned(row["question"])
        linked = linker.link(row["question"], mentioned, budget, length)
        if linked is not database:
            shortened += 1
            survived += tables_read(path, row["sql"]) <= {t.name.lower() for t in linked.tables}
    assert shortened == cut
    # A margin of two questions, so that a better rule for one does not fail for another.
    assert survived >= right - 2
