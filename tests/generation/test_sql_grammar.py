"""The grammars of answers: they admit every gold query, and no name that the database does not hold."""

import json
import random
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing

import pytest
import sqlglot
import xgrammar
from sqlglot import exp

from conftest import ROOT
from sqladder.generation.extraction import extract_sql
from sqladder.generation.grammars import tables_of
from sqladder.generation.spacing import with_ends
from sqladder.generation.sql_grammar import any_names, own_names
from sqladder.metric.database_files import suite_files
from sqladder.metric.grammar import GrammarError, parse

# Every byte is a token, as in any model whose tokenizer can write all texts; the last ones are ends.
END, OTHER_END = 256, 257
BYTES = [bytes([number]) for number in range(256)]
COMPILER = xgrammar.GrammarCompiler(
    xgrammar.TokenizerInfo([*BYTES, b"</s>", b"<end>"], stop_token_ids=[END]), max_threads=1
)


def matcher(grammar):
    return xgrammar.GrammarMatcher(COMPILER.compile_grammar(grammar))


def admits(grammar, text):
    own = matcher(grammar)
    return own.accept_string(text) and own.accept_token(END)


def refused_golds(rows, databases):
    """Gold queries that the metric's parser and SQLite take and a grammar does not."""
    grammars, refused, count, any_grammar = {}, [], 0, any_names()
    # Wordings of one query share it.
    asked = Counter((row["db_id"], row["sql"]) for row in rows)
    for (db_id, sql), wordings in asked.items():
        if not (databases / db_id).is_dir():
            continue
        if db_id not in grammars:
            grammars[db_id] = own_names(tables_of(databases, db_id))
        try:
            parse(sql)
        except GrammarError:
            continue
        count += wordings
        for grammar in (grammars[db_id], any_grammar):
            if not admits(grammar, sql) and prepares(databases, db_id, sql):
                refused.append((db_id, sql))
    return count, refused


def prepares(databases, db_id, sql):
    with closing(sqlite3.connect(suite_files(databases, db_id)[0])) as connection:
        try:
            connection.execute(f"EXPLAIN {sql}")
        except sqlite3.Error:
            return False
    return True


def read_rows(path):
    return [json.loads(line) for line in path.open()]


def test_every_gold_query_of_spiders_development_questions_is_admitted(spider, spider_databases):
    assert refused_golds(read_rows(spider / "dev.jsonl"), spider_databases) == (972, [])


def test_every_gold_query_of_spiders_training_questions_is_admitted(spider_train):
    found = refused_golds(read_rows(spider_train / "train.jsonl"), spider_train / "database")
    # 96 of the 7,000 are on databases that are not there.
    assert found == (6904, [])


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory):
    """The demonstration's databases and its questions."""
    folder = tmp_path_factory.mktemp("demonstration")
    for program, *options in (
        ("build_demo_databases", "--schemas", ROOT / "resources/demo/schemas", "--variations", 0),
        ("make_demo_examples", "--databases", folder / "build_demo_databases"),
    ):
        script = ROOT / f"workflow/scripts/{program}.py"
        flags = [*options, "--output", folder / program, "--seed", 42]
        subprocess.run([sys.executable, str(script), *map(str, flags)], check=True)
    return folder / "build_demo_databases", folder / "make_demo_examples"


def test_every_gold_query_of_the_demonstration_is_admitted(demonstration):
    databases, examples = demonstration
    rows = [row for path in examples.glob("*.jsonl") for row in read_rows(path)]
    count, refused = refused_golds(rows, databases)
    assert count > 12_000
    assert refused == []


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    """A database with a view, and with names that need quotation marks."""
    folder = tmp_path_factory.mktemp("databases")
    with closing(sqlite3.connect(folder / "music.sqlite")) as connection:
        connection.executescript(
            """
            CREATE TABLE singer (id INTEGER, name TEXT, "first album" TEXT, "order" INTEGER);
            CREATE TABLE concert (singer_id INTEGER, Année INTEGER);
            CREATE TABLE "song list" (title TEXT, "a""b" TEXT);
            CREATE VIEW old AS SELECT name AS who FROM singer;
            """
        )
    return folder


@pytest.fixture(scope="module")
def music(databases):
    return own_names(tables_of(databases, "music"))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM singer",
        "select\n  T1.NAME,\n  count( * )\nfrom Singer as t1\njoin concert T2 on T1.id=T2.singer_id\ngroup by T1.name;",
        'SELECT "first album", singer."order" FROM singer ORDER BY "order" DESC LIMIT 3 OFFSET 1',
        'SELECT title, "a""b" FROM "song list"',
        "SELECT Année FROM concert",
        "SELECT who FROM old",
        "SELECT id FROM singer WHERE name != \"a\t\" OR name = 'b\t c'",
        "SELECT avg(id) FROM singer WHERE name = 'O''Hara' OR name LIKE \"%a\"",
        "SELECT T1.name FROM (SELECT name FROM singer) AS T1",
        "SELECT CASE WHEN id > 3 THEN 'a' ELSE 'b' END FROM singer",
        'SELECT name FROM singer WHERE id NOT IN (SELECT singer_id FROM concert) UNION SELECT title FROM "song list"',
        "SELECT round(CAST(sum(id) AS REAL) / count(*), 2) FROM singer WHERE id BETWEEN -1 AND 5",
    ],
)
def test_a_query_with_the_databases_own_names_is_admitted(music, databases, sql):
    assert admits(music, sql)
    assert admits(any_names(), sql) == ("Année" not in sql)
    assert prepares(databases, "music", sql)
    assert extract_sql(sql) == sql.removesuffix(";")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT age FROM singer",
        "SELECT name FROM band",
        "SELECT singer.title FROM singer",
        "SELECT T1.age FROM singer AS T1",
        'SELECT "age" FROM singer',
        "SELECT name AS age FROM singer",
        "SELECT first album FROM singer",
    ],
)
def test_a_name_that_the_database_does_not_hold_is_refused_by_its_grammar_alone(music, text):
    assert not admits(music, text)
    assert admits(any_names(), text) == (text != "SELECT first album FROM singer")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECTname FROM singer",
        "SELECT nameFROM singer",
        "SELECT name FROM singer WHERE id = 3AND name = 'a'",
        "SELECT name",
        "SELECT name FROM singer; SELECT id FROM singer",
        "SELECT name -- comment\nFROM singer",
        "SELECT id - - 3 FROM singer",
        "SELECT name FROM singer\n\nWHERE id = 3",
        "DROP TABLE singer",
        "WITH a AS (SELECT id FROM singer) SELECT id FROM a",
        "```sql\nSELECT name FROM singer\n```",
    ],
)
def test_what_is_not_one_select_is_refused_by_both_grammars(music, text):
    assert not admits(music, text)
    assert not admits(any_names(), text)


def walk(grammar, draw, longest=300):
    """A random text that a grammar admits: token by token out of what it allows; None where none ends in time."""
    own, mask = matcher(grammar), xgrammar.allocate_token_bitmask(1, 258)
    text = bytearray()
    while len(text) < longest:
        own.fill_next_token_bitmask(mask)
        bits = [int(word) & 0xFFFFFFFF for word in mask[0]]
        allowed = [number for number in range(258) if bits[number // 32] >> number % 32 & 1]
        if END in allowed and (draw.random() < 0.2 or allowed == [END]):
            return text.decode(errors="replace")
        # Texts in quotes would take most of the length.
        letters = [number for number in allowed if number < 128 and number != END]
        closing_signs = [number for number in letters if chr(number) in "'\")"]
        spaceless = [number for number in letters if chr(number) not in " \t\n"] or letters
        choice = (
            draw.choice(
                closing_signs
                if closing_signs and draw.random() < 0.3
                else spaceless
                if draw.random() < 0.7
                else letters
            )
            if letters
            else draw.choice([each for each in allowed if each != END])
        )
        assert own.accept_token(choice)
        text.append(choice)
    return None


def test_no_text_of_a_databases_grammar_names_what_it_does_not_hold(databases, music):
    draw = random.Random(1)
    held = {"id", "name", "first album", "order", "singer_id", "année", "title", 'a"b', "who"}
    tables = {"singer", "concert", "song list", "old"}
    texts = [text for _ in range(250) if (text := walk(music, draw))]
    assert len(set(texts)) > 40
    with closing(sqlite3.connect(databases / "music.sqlite")) as connection:
        for text in texts:
            assert extract_sql(text) == text.strip(" \t\n").removesuffix(";").strip()
            # What SQLite misses is a column of another table, or an alias.
            try:
                connection.execute(f"EXPLAIN {text}")
            except sqlite3.OperationalError as error:
                message, _, name = str(error).partition(": ")
                assert "syntax error" not in message, text
                if message == "no such table":
                    is_alias = re.fullmatch("[a-zA-Z][0-9]*", name)
                    assert is_alias or name.lower() in tables, text
                if message == "no such column":
                    assert name.rpartition(".")[2].lower() in held, text
            # How many operands a function wants, the grammar leaves to SQLite.
            tree = sqlglot.parse_one(text, read="sqlite", error_level=sqlglot.ErrorLevel.IGNORE)
            columns = [column.this for column in tree.find_all(exp.Column)]
            names = [each for each in columns if isinstance(each, exp.Identifier)]
            named = {each.this.lower() for each in names if not each.args.get("quoted")}
            assert named <= held, text


def test_other_ends_of_a_model_may_end_a_text_too(music):
    own = matcher(with_ends(music, [OTHER_END]))
    assert own.accept_string("SELECT name FROM singer")
    assert own.accept_token(OTHER_END)
    early = matcher(with_ends(music, [OTHER_END]))
    assert early.accept_string("SELECT name FROM")
    assert not early.accept_token(OTHER_END)
