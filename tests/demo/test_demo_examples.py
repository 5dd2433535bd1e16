import re
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from itertools import combinations

import pytest

from conftest import ROOT
from sqladder.databases.schema import read_schema
from sqladder.demo.databases import build
from sqladder.demo.questions import LEVELS, TYPES, generate
from sqladder.demo.split import (
    EVERYWHERE,
    OTHER_TYPE_SCHEMAS,
    SCARCE,
    SCARCE_TYPE_SCHEMAS,
    SPLITS,
    in_pretraining,
)
from sqladder.files import read_jsonl
from sqladder.metric import hardness

LEVEL_OF = {source: level for level, types in LEVELS.items() for source in types}
LITERAL = re.compile(r"'((?:[^']|'')*)'|(?<![\w.])(\d+(?:\.\d+)?)(?!\w)")


def run(program, *options):
    """Run a program of the workflow; give its output, or its error text if it fails."""
    script = ROOT / "workflow/scripts" / program
    command = [sys.executable, script, *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True)


def make(folder, seed=42):
    databases = folder / "databases"
    schemas = ROOT / "resources/demo/schemas"
    built = run(
        *("build_demo_databases.py", "--schemas", schemas, "--output", databases),
        *("--variations", 5, "--seed", seed),
    )
    assert built.returncode == 0, built.stderr
    made = run(
        *("make_demo_examples.py", "--databases", databases, "--output", folder, "--seed", seed)
    )
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return make(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def examples(demo):
    return {name: read_jsonl(demo / f"{name}.jsonl") for name in SPLITS}


@pytest.fixture(scope="module")
def everything(examples):
    return [row for rows in examples.values() for row in rows]


@pytest.fixture(scope="module")
def schemas(demo):
    folders = sorted((demo / "databases").iterdir())
    return {path.name: read_schema(path / f"{path.name}.sqlite") for path in folders}


def names_of(database):
    for table in database.tables:
        yield table.name
        yield from (column.name for column in table.columns)


def literals(sql):
    """Texts and numbers of a query, as written but for doubled quotes."""
    return [text.replace("''", "'") or number for text, number in LITERAL.findall(sql)]


def key(row):
    """What no two splits may share, read off the written example: schema, type and literals."""
    values = literals(row["sql"])
    counts = row["source"] in ("having", "join_having", "top", "join_group_top")
    ordered = re.sub(r" LIMIT \d+$", "", row["sql"])
    values = [row["sql"]] if counts or not values else literals(ordered) or [row["sql"]]
    return row["db_id"], row["source"], *values


def test_sizes_fit_the_toy_run(examples):
    assert 8000 <= len(examples["pretrain"]) <= 13000
    assert 2000 <= len(examples["train"]) <= 4000
    assert len(examples["test"]) == 360
    assert len(examples["validation"]) == 100


def test_examples_have_the_fields_of_the_file_format(everything):
    assert len({row["id"] for row in everything}) == len(everything)
    for row in everything:
        assert list(row) == ["id", "db_id", "question", "sql", "source"]


@pytest.mark.parametrize("what", ["schema, type and values", "query", "question"])
def test_no_two_splits_share(what, examples):
    read = {
        "schema, type and values": key,
        "query": lambda row: (row["db_id"], row["sql"]),
        "question": lambda row: (row["db_id"], row["question"].lower()),
    }[what]
    found = {name: {read(row) for row in rows} for name, rows in examples.items()}
    for one, other in combinations(SPLITS, 2):
        assert not found[one] & found[other], (one, other)


def test_no_query_is_tested_twice(examples):
    for name in ("test", "validation"):
        queries = Counter((row["db_id"], row["sql"]) for row in examples[name])
        assert max(queries.values()) == 1


def test_every_type_has_the_level_that_the_metric_gives_it(everything):
    for row in everything:
        assert hardness(row["sql"]) == LEVEL_OF[row["source"]], row


def test_the_test_set_is_balanced_by_level_type_and_schema(examples):
    rows = examples["test"]
    assert set(Counter(LEVEL_OF[row["source"]] for row in rows).values()) == {90}
    assert {row["source"] for row in rows} == set(TYPES)
    for level, types in LEVELS.items():
        counts = Counter(row["source"] for row in rows if LEVEL_OF[row["source"]] == level)
        assert max(counts.values()) <= 2 * 90 / len(types), counts
    by_schema = Counter(row["db_id"] for row in rows)
    assert len(by_schema) == 8
    assert min(by_schema.values()) >= 30


def test_every_gold_query_runs_and_has_an_answer(demo, everything):
    by_database = {}
    for row in everything:
        by_database.setdefault(row["db_id"], set()).add(row["sql"])
    for db_id, queries in by_database.items():
        with closing(sqlite3.connect(demo / f"databases/{db_id}/{db_id}.sqlite")) as connection:
            for sql in queries:
                rows = connection.execute(sql).fetchall()
                assert any(value is not None for row in rows for value in row), sql


def test_every_gold_query_runs_on_every_variation(demo, examples):
    for row in examples["test"]:
        for path in (demo / "databases" / row["db_id"]).glob("*.sqlite"):
            with closing(sqlite3.connect(path)) as connection:
                connection.execute(row["sql"]).fetchall()


def test_a_question_names_its_values_literally(everything):
    for row in everything:
        for value in literals(row["sql"]):
            implied = f"LIMIT {value}" in row["sql"] and value == "1"
            assert value.strip("%") in row["question"] or implied, row


def test_a_question_names_the_columns_it_shows_or_filters_by(everything, schemas):
    for row in everything:
        words = re.sub(r"'(?:[^']|'')*'", "", row["sql"]).replace(".", " ").split()
        columns = {c.name for t in schemas[row["db_id"]].tables for c in t.columns}
        asked = {name for name in columns if not name.endswith("id")} & set(words)
        for name in asked:
            stem = name[:-1] if name[-1] in "sy" else name
            assert stem in row["question"], row


def test_the_base_sees_every_name_and_every_keyword(examples, schemas):
    for db_id, database in schemas.items():
        text = " ".join(row["sql"] for row in examples["pretrain"] if row["db_id"] == db_id)
        words = Counter(re.findall(r"\w+", text))
        for name in names_of(database):
            assert words[name] >= 20, (db_id, name)
    keywords = Counter(re.findall(r"\b[A-Z]+\b", " ".join(r["sql"] for r in examples["pretrain"])))
    wanted = set(re.findall(r"\b[A-Z]{2,}\b", " ".join(r["sql"] for r in examples["test"])))
    for keyword in wanted - {word for r in examples["test"] for word in literals(r["sql"])}:
        assert keywords[keyword] >= 20, keyword


def test_fine_tuning_has_what_the_base_lacks(examples, schemas):
    seen = {(row["db_id"], row["source"]) for row in examples["pretrain"]}
    tuned = {(row["db_id"], row["source"]) for row in examples["train"]}
    unseen = {(db_id, source) for db_id in schemas for source in TYPES} - seen
    assert len(unseen) > 100
    assert len(unseen & tuned) > 0.95 * len(unseen)
    assert {source for _, source in tuned} == set(TYPES)
    assert seen & tuned


def test_the_base_sees_some_types_everywhere_and_each_other_one_somewhere(schemas):
    names = sorted(schemas)
    seen = {(d, source) for d in names for source in TYPES if in_pretraining(d, source, names)}
    by_type = Counter(source for _, source in seen)
    for source in TYPES:
        expected = SCARCE_TYPE_SCHEMAS if source in SCARCE else OTHER_TYPE_SCHEMAS
        assert by_type[source] == (8 if source in EVERYWHERE else expected)
    others = Counter(db_id for db_id, source in seen if source not in EVERYWHERE)
    assert min(others[db_id] for db_id in names) >= 3


def test_answers_are_short(everything):
    assert max(len(re.findall(r"\w+|[^\w\s]", row["sql"])) for row in everything) <= 60


def test_questions_are_tidy_sentences(everything):
    for row in everything:
        question = row["question"]
        assert question[0].isupper()
        assert question[-1] in "?."
        assert "  " not in question
        assert not re.search(r"\ba [aeio]|\ban [^aeio]|(?<!and )\b1 \w+s\b", question), question


def test_the_same_seed_gives_the_same_bytes(demo, tmp_path):
    again = make(tmp_path / "again")
    for file in sorted(path for path in demo.rglob("*") if path.is_file()):
        assert file.read_bytes() == (again / file.relative_to(demo)).read_bytes(), file


def test_another_seed_gives_another_test_set_that_passes_the_same_checks(examples, tmp_path):
    other = read_jsonl(make(tmp_path, seed=7) / "test.jsonl")
    assert len(other) == 360
    assert {row["question"] for row in other} != {row["question"] for row in examples["test"]}


def test_the_generator_serves_any_schema(tmp_path):
    script = tmp_path / "zoo.sql"
    script.write_text(
        "CREATE TABLE keeper (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT);"
        "CREATE TABLE animal (id INTEGER PRIMARY KEY, name TEXT, weight REAL,"
        " keeper_id INTEGER REFERENCES keeper (id));"
        "INSERT INTO keeper VALUES (1, 'Ann', 'York'), (2, 'Bo', 'York'), (3, 'Cy', NULL);"
        "INSERT INTO animal VALUES (1, 'lion', 190.5, 1), (2, 'owl', 2, 1), (3, 'ape', NULL, 2);"
    )
    (path,) = build(script, tmp_path, 0, seed=1)
    found = generate(path, 20, seed=1)
    assert "How many animals are there?" in {q.question for q in found["count"]}
    assert {q.sql for q in found["not_in"]} <= {
        "SELECT name FROM keeper WHERE id NOT IN (SELECT keeper_id FROM animal)",
        "SELECT city FROM keeper WHERE id NOT IN (SELECT keeper_id FROM animal)",
    }


def test_a_folder_without_databases_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    made = run(
        *("make_demo_examples.py", "--databases", tmp_path / "empty"),
        *("--output", tmp_path, "--seed", 1),
    )
    assert made.returncode == 1
    assert "empty holds no database folder" in made.stderr
    built = run(
        *("build_demo_databases.py", "--schemas", tmp_path / "empty", "--output", tmp_path),
        *("--variations", 1, "--seed", 1),
    )
    assert built.returncode == 1
    assert "empty holds no .sql file" in built.stderr
