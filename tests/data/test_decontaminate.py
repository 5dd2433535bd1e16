"""Decontamination: planted duplicates are found, clean rows are not, and the report counts what was done."""

import json
import subprocess
import sys
from collections import Counter

import pytest

from conftest import ROOT
from planted import EXPECTED, planted
from sqladder.data.decontamination import RULES, Evaluation, character_grams, word_ngrams
from sqladder.demo.databases import build
from sqladder.demo.questions import generate
from sqladder.files import read_jsonl

QUESTION_RULES = [rule for rule in RULES if rule != "schema"]


def row(key, question, sql="SELECT 1", **more):
    return {"id": key, "db_id": "music", "question": question, "sql": sql, **more}


LONG = "What are the names of all singers that were born after the year two thousand in France"
EVALUATION = [
    row("q1", "How many singers are there?", "SELECT count(*) FROM singer"),
    row("q2", LONG, "SELECT T1.name FROM singer AS T1 WHERE T1.born > 2000"),
]
MUSIC = frozenset({("singer", "id"), ("singer", "name"), ("singer", "born"), ("song", "title")})


def hits(training_row, rules=RULES):
    return Evaluation(EVALUATION, {"music": MUSIC}, rules).hits(training_row)


# One rule at a time


@pytest.mark.parametrize(
    ("question", "rules"),
    [
        ("How many singers are there?", {"exact_question", "folded_question", "near_duplicate"}),
        ("  How many singers are there? ", {"exact_question", "folded_question", "near_duplicate"}),
        ("how many SINGERS are there", {"folded_question", "near_duplicate"}),
        ("So how many singers are there?", {"near_duplicate"}),
        ("How many songs are there?", set()),
        (
            "Tell me what are the names of all singers that were born yesterday",
            {"ngram_8"},
        ),
        (
            "names of all singers that were born after the year two thousand in Spain, please now",
            {"ngram_8", "ngram_13"},
        ),
    ],
)
def test_a_question_meets_the_rules_that_its_words_meet(question, rules):
    assert set(hits(row("t", question, "SELECT nothing"), QUESTION_RULES)) == rules


def test_sql_hits_whatever_the_question_says():
    found = hits(row("t", "Völlig anders gefragt", 'select name from "Singer" where born > 1990'))
    assert found == {"sql": ["q2"]}


@pytest.mark.parametrize(
    ("schema", "is_hit"),
    [
        ("CREATE TABLE Singer (ID int, Name text, Born int)", True),
        ("CREATE TABLE singer (id int, name text, born int, city text, fee int)", False),
        ("CREATE TABLE singer (id int, name text)", False),
        ("CREATE TABLE poet (id int, name text, born int)", False),
    ],
)
def test_a_schema_hits_by_its_share_of_an_evaluation_database(schema, is_hit):
    found = hits(row("t", "?", "SELECT nothing", schema=schema), ["schema"])
    assert found == ({"schema": ["q1", "q2"]} if is_hit else {})


def test_grams_of_short_texts():
    assert word_ngrams(["a", "b"], 8) == set()
    assert word_ngrams(list("abcdefgh"), 8) == {"a b c d e f g h"}
    assert character_grams("abc") == {"abc"}
    assert character_grams("") == {""}


# Recall and false hits


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory):
    """Questions on half of the demonstration's databases as the evaluation, on the other half as clean rows."""
    folder = tmp_path_factory.mktemp("demo")
    halves = [], []
    for number, script in enumerate(sorted((ROOT / "resources/demo/schemas").glob("*.sql"))):
        path = build(script, folder / script.stem, 0, 1)[0]
        for kind, questions in sorted(generate(path, 25, 1).items()):
            halves[number % 2].extend(
                {
                    "id": f"{script.stem} {kind} {n}",
                    "db_id": script.stem,
                    "question": each.question,
                    "sql": each.sql,
                }
                for n, each in enumerate(questions)
            )
    return halves


def recall(evaluation, copies):
    """Share of planted copies that each expected rule finds with the right question."""
    return {
        (kind, rule): sum(
            each["source"] in evaluation.hits(each).get(rule, ()) for each in copies[kind]
        )
        / len(copies[kind])
        for kind, rules in EXPECTED.items()
        for rule in rules
    }


def false_hits(evaluation, rows):
    return Counter(rule for each in rows for rule in evaluation.hits(each))


def test_every_planted_duplicate_of_the_demonstration_is_found(demonstration):
    questions, _ = demonstration
    found = recall(Evaluation(questions, {}, QUESTION_RULES), planted(questions, 200))
    assert {key: share for key, share in found.items() if share < 1} == {}


def test_clean_rows_of_the_demonstration_meet_no_rule_of_whole_questions(demonstration):
    questions, clean = demonstration
    counts = false_hits(Evaluation(questions, {}, QUESTION_RULES), clean)
    assert len(clean) > 2000
    assert counts["exact_question"] == counts["folded_question"] == counts["sql"] == 0
    assert counts["near_duplicate"] / len(clean) < 0.01


def test_recall_and_false_hits_on_spider(spider):
    # The figures of docs/data.md; odd and even databases share no schema.
    rows = read_jsonl(spider / "dev.jsonl")
    names = sorted({each["db_id"] for each in rows})
    questions = [each for each in rows if names.index(each["db_id"]) % 2 == 0]
    clean = [each for each in rows if names.index(each["db_id"]) % 2 == 1]
    evaluation = Evaluation(questions, {}, QUESTION_RULES)
    found = recall(evaluation, planted(questions, 300))
    counts = false_hits(evaluation, clean)
    print(len(questions), len(clean), found, counts)
    assert min(found.values()) >= 0.97
    assert counts["exact_question"] == counts["folded_question"] == 0
    assert counts["near_duplicate"] <= 3


# The program


class Files:
    """The program's files in a folder."""

    def __init__(self, folder, training):
        self.folder = folder
        self.write("train.jsonl", training)
        self.write("test.jsonl", EVALUATION)
        script = folder / "music.sql"
        script.write_text("CREATE TABLE singer (id INTEGER, name TEXT, born INTEGER);")
        build(script, folder / "databases/music", 0, 1)

    def write(self, name, rows):
        (self.folder / name).write_text("".join(json.dumps(each) + "\n" for each in rows))

    def run(self, *arguments, output=True):
        names = {
            "examples": "train.jsonl",
            "evaluation": "test.jsonl",
            "evaluation-databases": "databases",
            "output": "clean.jsonl",
            "marks": "marks.jsonl",
            "evaluation-marks": "evaluation.jsonl",
            "report": "report.md",
            "facts": "facts.json",
        }
        if not output:
            del names["output"]
        paths = [f"--{name}={self.folder / file}" for name, file in names.items()]
        # Each of the two is said, if only that it has no rule.
        arguments += tuple({"--drop", "--mark"} - set(arguments))
        command = [sys.executable, ROOT / "workflow/scripts/decontaminate.py", *paths, *arguments]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True)

    def rows(self, name):
        return read_jsonl(self.folder / name)


TRAINING = [
    row("t1", "How many singers are there?", "SELECT 5", schema="CREATE TABLE x (y)"),
    row("t2", "how many singers are there", "SELECT 6", schema="CREATE TABLE x (y)"),
    row("t3", "Anything else", "SELECT 7", schema="CREATE TABLE x (y)"),
]


def test_the_published_rule_drops_what_it_did_and_no_more(tmp_path):
    files = Files(tmp_path, TRAINING)
    done = files.run("--drop", "exact_question")
    assert done.returncode == 0, done.stderr
    assert [each["id"] for each in files.rows("clean.jsonl")] == ["t2", "t3"]
    assert files.rows("clean.jsonl") == TRAINING[1:]


def test_rows_and_questions_are_marked(tmp_path):
    files = Files(tmp_path, TRAINING)
    done = files.run("--drop", "exact_question", "--mark", "folded_question", "sql")
    assert done.returncode == 0, done.stderr
    assert files.rows("marks.jsonl") == [
        {"id": "t1", "dropped": True, "rules": ["exact_question", "folded_question"]},
        {"id": "t2", "dropped": False, "rules": ["folded_question"]},
    ]
    assert files.rows("evaluation.jsonl") == [
        {"id": "q1", "mark": "suspect", "rules": ["folded_question"]},
        {"id": "q2", "mark": "clean", "rules": []},
    ]
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert facts["training_rows"] == {"seen": 3, "dropped": 1, "kept": 2}
    assert facts["evaluation_questions"] == {"all": 2, "suspect": 1}
    assert facts["rules"]["folded_question"] == {
        "action": "mark",
        "training_rows": 2,
        "evaluation_questions": 1,
    }


def test_rows_are_counted_without_a_file_of_those_that_stay(tmp_path):
    files = Files(tmp_path, TRAINING)
    done = files.run("--mark", "exact_question", output=False)
    assert done.returncode == 0, done.stderr
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert facts["kept_rows_suspect"] == 1
    refused = files.run("--drop", "exact_question", output=False)
    assert refused.returncode == 1
    assert "--output is missing" in refused.stderr


def test_a_question_whose_only_likeness_was_dropped_is_clean(tmp_path):
    files = Files(tmp_path, TRAINING)
    files.run("--drop", "folded_question")
    assert {each["mark"] for each in files.rows("evaluation.jsonl")} == {"clean"}


def test_the_report_has_counts_and_examples_that_cannot_break_its_table(tmp_path):
    hostile = row("t9", "How many | singers are there?<b>\n", schema="CREATE TABLE x (y)")
    files = Files(tmp_path, [*TRAINING, hostile])
    files.run("--drop", "exact_question", "--mark", "near_duplicate")
    text = (tmp_path / "report.md").read_text()
    assert "Of 4 training rows, 1 were dropped; 3 stay, 2 of them suspect." in text
    assert "1 are clean" in text
    assert "| exact_question | same question, space at its ends aside | drop | 1 | 1 |" in text
    assert "| training | t9 | How many \\| singers are there?\\<b\\> | SELECT 1 |" in text


def test_schemas_come_from_databases_where_rows_bring_none(tmp_path):
    files = Files(tmp_path, [row("t1", "Anything")])
    done = files.run("--mark", "schema", "--databases", tmp_path / "databases")
    assert done.returncode == 0, done.stderr
    assert files.rows("marks.jsonl") == [{"id": "t1", "dropped": False, "rules": ["schema"]}]
    assert "neither a schema" in files.run("--mark", "schema").stderr


def test_a_training_set_that_is_dropped_whole_is_an_error(tmp_path):
    done = Files(tmp_path, TRAINING[:1]).run("--drop", "exact_question")
    assert done.returncode == 1
    assert "all 1 training rows meet a rule that drops them" in done.stderr
