"""Contexts: what a prompt gets of schema, values, tables and examples, through the program that renders it."""

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from conftest import ROOT
from published_texts import FLAGS, published_messages
from sqladder.errors import InputError
from sqladder.prompts.contexts import ContextWriter
from sqladder.prompts.rendering import check_user_template
from sqladder.prompts.schema_forms import FORMS
from sqladder.prompts.settings import SchemaSettings
from sqladder.settings.problems import settings_of

BLOCK = {"place": "block", "per_column": 3, "at_most": 10}
VALUES = ["--values-per-column=3", "--values-at-most=10"]

SCRIPT = """
CREATE TABLE singer (id INTEGER PRIMARY KEY, fname TEXT, country TEXT);
CREATE TABLE song (title TEXT, singer INT REFERENCES singer (id));
INSERT INTO singer VALUES (1, 'Ann', 'France'), (2, 'Bob', 'Spain');
INSERT INTO song VALUES ('Sun', 1);
"""
QUESTION = "How many singers are from France?"


def settings(form, **entries):
    return settings_of(SchemaSettings, {"schema": form, **entries})


@pytest.fixture
def databases(tmp_path):
    folder = tmp_path / "databases" / "music"
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "music.sqlite")) as connection:
        connection.executescript(SCRIPT)
    (folder / "database_description").mkdir()
    (folder / "database_description" / "singer.csv").write_text(
        "original_column_name,column_name,column_description\nfname,,first name\n"
    )
    return folder.parent


def render(databases, tmp_path, *flags, rows=None):
    rows = rows or [{"id": "q1", "db_id": "music", "question": QUESTION, "sql": "SELECT 1"}]
    (tmp_path / "examples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    program = ROOT / "workflow/scripts/render_prompts.py"
    output = tmp_path / "prompts.jsonl"
    arguments = ["--examples", tmp_path / "examples.jsonl"]
    arguments += ["--databases", databases] if databases else []
    done = subprocess.run(
        [sys.executable, program, *arguments, "--output", output, "--schema=ddl", *FLAGS, *flags],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return done.stderr
    lines = output.read_text().splitlines()
    return [[turn["content"] for turn in json.loads(line)["messages"]] for line in lines]


def test_values_stand_in_the_schema_or_in_a_block_after_it(databases, tmp_path):
    template = "{schema}\n{values}\n{question}"
    [[_, inside]] = render(databases, tmp_path, "--values-place=in_schema", *VALUES)
    assert "country TEXT -- in the question: 'France'" in inside
    [[_, block]] = render(
        databases, tmp_path, "--values-place=block", *VALUES, f"--user={template}"
    )
    assert block.endswith(f");\nsinger.country: 'France'\n{QUESTION}")


def test_a_block_leaves_the_schemas_text_the_same_for_all_questions(databases):
    options = settings("ddl_values", values=BLOCK)
    writer = ContextWriter(databases, options)
    first, second = (writer.write("music", text) for text in (QUESTION, "How many from Spain?"))
    assert first.schema == second.schema
    assert first.values != second.values
    assert len(writer) == 1


def test_linking_keeps_to_its_budget_and_shows_no_value_of_a_dropped_table(databases):
    options = settings("ddl", values=BLOCK, linking={"budget": 90})
    written = ContextWriter(databases, options).write("music", "Who sang Sun in France?")
    assert "CREATE TABLE singer" in written.schema
    assert "CREATE TABLE song" not in written.schema
    assert written.values == "singer.country: 'France'"


def test_descriptions_are_read_only_where_a_context_asks_for_them(databases):
    plain = ContextWriter(databases, settings("ddl")).write("music", QUESTION).schema
    described = ContextWriter(databases, settings("ddl", descriptions={}))
    assert "first name" not in plain
    assert "fname TEXT, -- first name" in described.write("music", QUESTION).schema


def test_examples_stand_where_the_template_says_also_in_the_system_text(databases, tmp_path):
    references = tmp_path / "references.jsonl"
    found = [{"id": "e1", "question": "How many songs?", "sql": "SELECT 2", "score": 1.0}]
    references.write_text(json.dumps({"id": "q1", "examples": found}) + "\n")
    flags = [f"--references={references}", "--examples-template=reference_list"]
    item = '<reference_item id="0"> [QUESTION] How many songs? [ANSWER] SELECT 2 </reference_item>'
    [[system, _]] = render(databases, tmp_path, *flags, "--system=Examples:\n{examples}")
    assert system == f"Examples:\n<reference_list> {item} </reference_list>"
    template = "{examples}\n{schema}\n{question}"
    [[_, user]] = render(databases, tmp_path, *flags, f"--user={template}")
    assert user.startswith("<reference_list>")


def test_a_question_without_its_examples_is_an_error_that_names_it(databases, tmp_path):
    (tmp_path / "r.jsonl").write_text('{"id": "other", "examples": []}\n')
    flags = [f"--references={tmp_path / 'r.jsonl'}", "--examples-template=commented_sql"]
    flags.append("--system={examples}")
    assert "no examples for question 'q1'" in render(databases, tmp_path, *flags)


def test_evidence_and_schemas_that_the_data_bring_are_used(tmp_path):
    row = {"id": "a", "db_id": "none", "question": "Q?", "sql": "SELECT 1"}
    row |= {"schema": "CREATE TABLE t (a INT)", "evidence": "a is b"}
    template = "{schema}\n{evidence}\n{question}"
    [[_, user]] = render(None, tmp_path, f"--user={template}", rows=[row])
    assert user == "CREATE TABLE t (a INT)\na is b\nQ?"
    del row["schema"]
    assert "example 'a' brings no 'schema'" in render(None, tmp_path, rows=[row])


def test_a_part_that_an_example_lacks_is_empty():
    messages = published_messages("S", "Q", user_template="{schema}{values}{evidence}{question}")
    assert messages[-1]["content"] == "SQ"


def test_text_in_braces_is_left_alone_in_data_and_in_the_system_text():
    parts = {"examples": "{question}"}
    system = '{"a": 1} {schema} {examples}'
    messages = published_messages("{values}", "{schema}", system_text=system, parts=parts)
    assert messages[0]["content"] == '{"a": 1} {schema} {question}'
    assert "{values}" in messages[1]["content"]
    assert "{schema}" in messages[1]["content"]


def test_a_control_token_in_a_value_an_example_or_evidence_is_broken():
    parts = dict.fromkeys(("values", "examples", "evidence"), "x<|im_end|>")
    template = "{schema}{question}{values}{examples}{evidence}"
    messages = published_messages(
        "S", "Q", user_template=template, system_text="{examples}", parts=parts
    )
    assert "<|im_end|>" not in str(messages)


@pytest.mark.parametrize(
    "template", ["{schema}", "{schema}{question}{table}", "{values}{examples}"]
)
def test_a_template_with_wrong_placeholders_is_refused(template):
    with pytest.raises(InputError, match="placeholders"):
        check_user_template(template)


def test_a_missing_database_is_named(databases, tmp_path):
    rows = [{"id": "q", "db_id": "gone", "question": "Q", "sql": "S"}]
    assert "gone.sqlite does not exist" in render(databases, tmp_path, rows=rows)


@pytest.mark.parametrize("form", FORMS)
def test_all_972_prompts_of_spider_render_in_seconds(spider, spider_databases, tmp_path, form):
    rows = [json.loads(line) for line in (spider / "dev.jsonl").open()]
    rows = [row for row in rows if (spider_databases / row["db_id"]).is_dir()]
    assert len(rows) == 972
    options = settings(
        form, descriptions={}, values={**BLOCK, "place": "in_schema"}, linking={"budget": 1500}
    )
    writer = ContextWriter(spider_databases, options)
    start = time.process_time()
    texts = {row["id"]: writer.write(row["db_id"], row["question"]).schema for row in rows}
    prompts = [published_messages(texts[row["id"]], row["question"])[-1]["content"] for row in rows]
    # 0.4 to 0.7 s were measured; the rest is room for a slow machine.
    assert time.process_time() - start < 10
    assert len(texts) == len(prompts) == 972
    assert all(row["question"] in text for row, text in zip(rows, prompts, strict=True))
    assert max(map(len, texts.values())) <= 1500
    assert len(writer) == 19


@pytest.fixture
def with_views(tmp_path):
    (tmp_path / "shop").mkdir()
    with closing(sqlite3.connect(tmp_path / "shop/shop.sqlite")) as connection:
        connection.executescript(
            "CREATE VIEW cheap AS SELECT name AS item, price FROM product WHERE price < 9;"
            "CREATE TABLE product (name TEXT, price INT); INSERT INTO product VALUES ('lamp', 5);"
            "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
            " SELECT max(i) AS most FROM n; CREATE VIEW broken AS SELECT x FROM gone;"
        )
    return tmp_path


@pytest.mark.parametrize("form", FORMS)
def test_views_stand_in_every_form_behind_the_tables(with_views, form, caplog):
    text = ContextWriter(with_views, settings(form)).write("shop", "Which items are cheap?").schema
    assert -1 < text.index("product") < text.index("cheap") < text.index("endless")
    assert "item" in text
    assert "most" in text
    assert "broken" not in text
    assert "view 'broken' is left out" in caplog.text
    said = {"ddl": 2, "ddl_values": 2, "m_schema": 2}.get(form, 0)
    assert text.count("-- a view") + text.count("# View: ") == said


def test_values_and_linking_know_views_without_computing_them(with_views):
    options = settings("ddl", values=BLOCK, linking={"budget": 50})
    written = ContextWriter(with_views, options).write("shop", "What does the lamp cost?")
    assert written.values == "product.name: 'lamp'"
    linked = ContextWriter(with_views, settings("ddl", linking={"budget": 60}))
    assert linked.write("shop", "Which cheap item is there?").schema.endswith(" -- a view")
