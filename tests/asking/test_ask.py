"""`sqladder ask`: a variant answers as it did in its run, on its own database and on others."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import toy_models
from asked_runs import DATABASE, QUESTION, make_database, make_run
from conftest import ROOT
from mariadb_server import mariadb_server
from sqladder.asking.ask_command import run
from sqladder.asking.database import laid_out
from sqladder.asking.settings import read_asking
from sqladder.asking.shown_answers import as_json
from sqladder.asking.variant import AskedVariant, GivenAnswer
from sqladder.cli import parse_arguments
from sqladder.errors import InputError
from sqladder.files import write_jsonl
from sqladder.generation import tokens
from sqladder.metric.asked_rows import AskedRows, fetch
from sqladder.metric.limits import Limits


@pytest.fixture(scope="module")
def a_run(tmp_path_factory):
    """A run and its config."""
    root = tmp_path_factory.mktemp("run")
    return root, make_run(root)


@pytest.fixture
def ask(a_run, tmp_path):
    """Loads a variant of the run for a database."""
    root, _ = a_run
    with laid_out(str(root / DATABASE)) as database:
        yield lambda name: AskedVariant(root / "results" / name, database, tmp_path)


def prompt_of_the_run(root, config, context):
    """The prompt of the run's question, by the programs and flags of its own jobs."""
    from sqladder.experiment.context_jobs import prompt_flags, retrieval_flags

    questions = root / "resources/datasets/demo/test.jsonl"
    programs = [("render_prompts.py", "examples", prompt_flags(config, context, "test"), "p.jsonl")]
    if "examples" in config["contexts"][context]:
        found = f"resources/retrieval/{context}/test.jsonl"
        flags = [
            *retrieval_flags(config, context, "test"),
            "--pool=resources/decontaminated/train.jsonl",
        ]
        programs.insert(0, ("retrieve_examples.py", "questions", flags, found))
    for program, name, flags, output in programs:
        command = [sys.executable, ROOT / "workflow/scripts" / program, f"--{name}={questions}"]
        subprocess.run([*command, *flags, f"--output={output}"], cwd=root, check=True)
    return toy_models.read_lines(root / "p.jsonl")[0]


@pytest.mark.parametrize(("variant", "context"), [("full", "published"), ("shots", "few_shot")])
def test_a_question_of_the_run_is_asked_with_the_same_token_ids(a_run, ask, variant, context):
    root, config = a_run
    model = root / "results/full/model"
    of_run = prompt_of_the_run(root, config, context)
    asked = ask(variant).prompt(QUESTION["question"])
    sent, wanted = (tokens.encode(model, [row], 40).prompts for row in (asked, of_run))
    assert sent == wanted
    assert ("SELECT 0" in asked["messages"][-1]["content"]) == (context == "few_shot")


def test_a_question_of_the_run_gets_the_answer_of_the_run(a_run, ask):
    root, config = a_run
    write_jsonl(root / "prompts.jsonl", [prompt_of_the_run(root, config, "published")])
    from sqladder.experiment.generation_jobs import decoding_flags

    folder = root / "resources/datasets/demo"
    places = [f"--examples={folder}/test.jsonl", f"--databases={folder}/databases"]
    flags = [
        f
        for f in decoding_flags(config, "votes")
        if not f.startswith(("--examples=", "--databases="))
    ]
    command = [sys.executable, ROOT / "workflow/scripts/generate_repaired.py", *places, *flags]
    files = {"model": "results/full/model", "prompts": "prompts.jsonl", "output": "samples.jsonl"}
    options = [f"--{name}={path}" for name, path in {**files, "facts": "facts.json"}.items()]
    subprocess.run([*command, *options], cwd=root, check=True)
    chosen = [sys.executable, ROOT / "workflow/scripts/choose_answers.py", *places]
    chosen += ["--samples=samples.jsonl", "--choose=vote", "--output=predictions.jsonl"]
    chosen += ["--quirks=repaired"]
    subprocess.run(chosen, cwd=root, check=True)
    (row,) = toy_models.read_lines(root / "predictions.jsonl")
    answer = ask("votes").ask(QUESTION["question"])
    assert (answer.sql, answer.text) == (row["sql"], row["text"])


def test_another_database_is_read_and_its_file_stays_as_it_is(a_run, tmp_path):
    root, _ = a_run
    shop = make_database(tmp_path / "shop.sqlite", "CREATE TABLE parcel (weight REAL)")
    before = shop.read_bytes()
    with laid_out(str(shop)) as database:
        variant = AskedVariant(root / "results/full", database, tmp_path)
        assert "parcel" in variant.prompt("How heavy?")["messages"][-1]["content"]
        variant.ask("How heavy?", rows=5)
        variant.ask("How light?", rows=5)
    assert shop.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["shop.sqlite"]


def test_a_file_that_cannot_be_read_is_refused_by_its_own_name(tmp_path):
    whole, broken = tmp_path / "whole.sqlite", tmp_path / "broken.sqlite"
    with closing(sqlite3.connect(whole)) as connection:
        connection.executescript(
            "CREATE TABLE a (x); CREATE TABLE b (y); INSERT INTO a VALUES (1);"
        )
    broken.write_bytes(whole.read_bytes()[:5000])
    with pytest.raises(InputError, match=str(broken)), laid_out(str(broken)):
        pass


def test_rows_that_a_writer_has_only_in_its_log_are_seen(tmp_path):
    file = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE t (a)")
        writer.execute("INSERT INTO t VALUES (5)")
        writer.commit()
        with laid_out(str(file)) as database:
            assert fetch(database.file, "SELECT a FROM t", Limits(), 9).rows == [(5,)]


def test_a_database_of_a_server_is_asked_in_a_copy(caplog):
    pymysql = pytest.importorskip("pymysql")
    with mariadb_server() as url:
        port = urlsplit(url).port
        with (
            closing(pymysql.connect(host="127.0.0.1", port=port, user="owner")) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("CREATE DATABASE shop")
            cursor.execute("CREATE TABLE shop.parcel (weight DOUBLE)")
            cursor.execute("INSERT INTO shop.parcel VALUES (1.5)")
            connection.commit()
        with laid_out(f"{url}shop") as database:
            found = fetch(database.file, "SELECT weight FROM parcel", Limits(), 9)
    assert (database.name, found.rows) == ("shop", [(1.5,)])
    assert "1 table with 1 row copied into SQLite: answers are of this moment" in caplog.text


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("DROP TABLE t", "not allowed: delete; a query may only read"),
        ("ATTACH 'x' AS y", "not allowed: attach; a query may only read"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("SELECT b FROM t", "no such column: b"),
        (
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
            "more than 100000 steps (limit max_vm_steps)",
        ),
    ],
)
def test_what_is_no_reading_query_has_no_rows_and_a_reason(tmp_path, sql, problem):
    file = make_database(tmp_path / "t.sqlite", "CREATE TABLE t (a)")
    before = file.read_bytes()
    limits = Limits(max_vm_steps=100_000)
    assert fetch(str(file), sql, limits, 9) == AskedRows([], [], True, problem)
    assert file.read_bytes() == before


def test_a_query_that_needs_too_much_time_or_memory_is_ended(tmp_path):
    file = make_database(tmp_path / "t.sqlite", "CREATE TABLE t (a)")
    # A single step of SQLite's, which no count of steps can end.
    slow = "SELECT hex(zeroblob(9000000)) LIKE '%' || hex(zeroblob(100)) || '1'"
    done = fetch(str(file), slow, Limits(timeout=0.05), 9)
    assert done.problem == "more than 0.05 s (limit timeout)"


def test_a_file_that_is_gone_while_it_is_asked_is_said_to_be(tmp_path):
    link = tmp_path / "link.sqlite"
    link.symlink_to(tmp_path / "shop.sqlite")
    problem = fetch(str(link), "SELECT 1", Limits(), 9).problem
    assert problem.startswith("the database shop.sqlite cannot be opened any more (unable to open")


def test_no_more_rows_than_asked_for_are_fetched(tmp_path):
    file = make_database(
        tmp_path / "t.sqlite", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1), (2), (3)"
    )
    assert fetch(str(file), "SELECT a FROM t", Limits(), 2) == AskedRows(["a"], [(1,), (2,)], False)
    assert fetch(str(file), "SELECT a FROM t", Limits(), 3).complete


def test_json_holds_what_json_has_no_value_for():
    row = (None, 2**60, b"\x00\xff", float("inf"), "é")
    found = as_json(
        "full", "Q?", GivenAnswer("SELECT 1", "SELECT 1", AskedRows(list("abcde"), [row], True))
    )
    assert json.loads(json.dumps(found, allow_nan=False))["rows"] == [
        [None, 2**60, {"hex": "00ff"}, {"real": "inf"}, "é"]
    ]


def call(*words, cwd=None, **more):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")}
    command = [sys.executable, "-m", "sqladder.cli", "ask", *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, **more)


def test_the_command_writes_one_json_object_to_a_pipe_and_nothing_else(a_run):
    root, _ = a_run
    file = root / DATABASE
    done = call(root / "results/votes", "--database", file, "--json", "How many singers?")
    row = json.loads(done.stdout)
    assert (row["variant"], row["question"], done.stderr) == ("votes", "How many singers?", "")
    assert done.returncode == ("problem" in row)


@pytest.mark.parametrize("question", ["", "  "])
def test_an_empty_question_is_refused(a_run, question):
    with pytest.raises(InputError, match="the question is empty"):
        run(parse_arguments(["ask", str(a_run[0] / "results/full"), "--database=x", question]))


@pytest.mark.parametrize(
    ("variant", "database", "message"),
    [
        ("results", "db", "results is no variant, but holds some: name one of "),
        ("results/none", "db", "results/none is not a folder: name that of a variant"),
        ("results/full/model", "db", "is no variant of a run: name a folder with its asking.json"),
        ("results/full", "gone.sqlite", "database gone.sqlite does not exist"),
        ("results/full", "results", "results is a folder: name one database file in it"),
        ("results/full", "p.txt", "is neither a SQLite nor a DuckDB database"),
        ("results/elsewhere", "db", "the environment variable NO_SUCH_KEY"),
        ("results/old", "db", "`snakemake --cores 1 results/old/asking.json` in the folder of the"),
        ("results/bare", "db", "is not a folder"),
        ("results/torn", "db", "results/torn/asking.json is not valid JSON"),
        ("results/typo", "db", "unknown key 'varient'"),
        ("results/lost", "db", "the index of the context's few-shot examples, is missing"),
    ],
)
def test_whatever_is_missing_is_said_in_words(a_run, monkeypatch, variant, database, message):
    root, _ = a_run
    monkeypatch.chdir(root)
    (root / "p.txt").write_text("no database")
    full = json.loads((root / "results/full/asking.json").read_text())
    shots = json.loads((root / "results/shots/asking.json").read_text())
    lost = {**shots, "few_shot": {**shots["few_shot"], "index": "resources/gone"}}
    made = {
        "bare/asking.json": json.dumps({**full, "model": "model"}),
        "torn/asking.json": "{",
        "typo/asking.json": json.dumps({**full, "varient": "x"}),
        "lost/asking.json": json.dumps(lost),
        "old/predictions.jsonl": "",
    }
    for name, text in made.items():
        (root / "results" / name).parent.mkdir(exist_ok=True)
        (root / "results" / name).write_text(text)
    file = DATABASE if database == "db" else database
    with pytest.raises(InputError) as caught:
        run(parse_arguments(["ask", variant, f"--database={file}", "How many?"]))
    assert message in str(caught.value)


def test_a_start_leaves_out_what_only_other_work_needs(a_run):
    root, _ = a_run
    program = (
        "import json, sys; from sqladder import cli; args = cli.parse_arguments(sys.argv[1:]);"
        "args.command.run(args); print(json.dumps(list(sys.modules)))"
    )
    words = ["ask", root / "results/full", "--database", root / DATABASE, "--json", "How many?"]
    command = [sys.executable, "-c", program, *map(str, words)]
    path = {**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")}
    done = subprocess.run(command, env=path, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "torch" in loaded
    assert not loaded & {"aiohttp", "bm25s", "scipy", "sklearn", "sqlglot"}


def test_without_question_and_terminal_the_way_out_is_said(a_run):
    root, _ = a_run
    done = call(root / "results/full", "--database", "x.sqlite", stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no question, and no terminal to type one at")


def test_what_the_run_leaves_names_the_model_that_a_variant_reuses(a_run):
    asking = read_asking(a_run[0] / "results/votes")
    assert (asking.model, asking.root) == (str(Path("../full/model")), "../..")
