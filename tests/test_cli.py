import json
import os
import pty
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sqladder import __version__
from sqladder.cli import parse_arguments
from terminal import shown_on

SCRIPTS = Path(__file__).resolve().parent.parent / "workflow" / "scripts"
GOLD = [
    "select count(*) from pet",
    "select name from pet where age > 3",
    "select max(age) from pet",
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "db" / "pets").mkdir(parents=True)
    with sqlite3.connect(tmp_path / "db" / "pets" / "pets.sqlite") as connection:
        connection.executescript(
            "create table pet(name, age); insert into pet values('a', 1), ('b', 5);"
        )
    connection.close()
    return tmp_path


def write_gold(folder: Path, sessions: list[list[str]]) -> Path:
    text = "\n".join("".join(f"{sql}\tpets\n" for sql in session) for session in sessions)
    (folder / "gold.sql").write_text(text)
    return folder / "gold.sql"


def write_predictions(folder: Path, sessions: list[list[str]], name: str = "pred.sql") -> Path:
    (folder / name).write_text("\n".join("".join(f"{s}\n" for s in turns) for turns in sessions))
    return folder / name


def environment_of(folder: Path, **others: str) -> dict[str, str]:
    """Results of gold are kept beside the test's files: what an earlier run kept changes the text."""
    kept = {"PYTHONPATH": str(SCRIPTS), "XDG_CACHE_HOME": str(folder / "cache")}
    return {**os.environ, **kept, **others}


def sqladder(folder: Path, *options, pred: str = "pred.sql"):
    command = [sys.executable, "-m", "sqladder.cli", "score", "--gold", "gold.sql"]
    command += ["--pred", pred, "--db", "db", "--jobs", "1", *map(str, options)]
    return subprocess.run(
        command, cwd=folder, env=environment_of(folder), capture_output=True, text=True
    )


def table_of(run: subprocess.CompletedProcess) -> list[str]:
    """Lines of the official table, without what follows it."""
    return run.stdout.partition("\n\ngold.sql:")[0].splitlines()


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_table_of_one_session_has_levels_and_no_joint_all(folder):
    write_gold(folder, [GOLD])
    write_predictions(folder, [[GOLD[0], "select name from pet", GOLD[2]]])
    run = sqladder(folder)
    assert (run.returncode, run.stderr) == (0, "")
    assert [line.split() for line in table_of(run)] == [
        ["easy", "medium", "hard", "extra", "all"],
        ["count", "3", "0", "0", "0", "3"],
        ["=====================", "EXECUTION", "ACCURACY", "====================="],
        ["execution", "0.667", "0.000", "0.000", "0.000", "0.667"],
    ]


def test_several_sessions_add_joint_all_and_turns(folder):
    write_gold(folder, [GOLD[:2], GOLD[2:]])
    write_predictions(folder, [[GOLD[0], "select 1"], GOLD[2:]])
    table = [line.split() for line in table_of(sqladder(folder))]
    assert table[0][-1] == "joint_all"
    assert table[3][-2:] == ["0.667", "0.500"]
    assert table[-1] == ["execution", "1.000", "0.000", "0.000", "0.000", "0.000"]


def test_verdicts_say_for_every_pair_what_and_why(folder):
    write_gold(folder, [GOLD])
    write_predictions(folder, [["drop table pet", "select name from pet", "select x from pet"]])
    sqladder(folder, "--verdicts", "out.jsonl")
    found = rows(folder / "out.jsonl")
    assert [row["index"] for row in found] == [0, 1, 2]
    assert [row["verdict"] for row in found] == ["refused", "wrong_result", "sql_error"]
    assert [row["detail"] for row in found] == [
        "pets.sqlite: not allowed: delete; a query may only read",
        "pets.sqlite: more rows than gold's 1",
        "pets.sqlite: no such column: x",
    ]
    assert [(row["file"], row["reason"], row["expected"], row["found"]) for row in found] == [
        ("pets.sqlite", "not_allowed", None, "delete"),
        ("pets.sqlite", "more_rows", 1, None),
        ("pets.sqlite", "error", None, "no such column: x"),
    ]
    assert {(row["db_id"], row["hardness"]) for row in found} == {("pets", "easy")}


def test_plug_value_lets_golds_values_replace_the_predictions(folder):
    write_gold(folder, [GOLD[1:2]])
    write_predictions(folder, [["select name from pet where age > 99"]])
    assert table_of(sqladder(folder))[-1].split()[-1] == "0.000"
    assert table_of(sqladder(folder, "--plug_value"))[-1].split()[-1] == "1.000"
    found = json.loads(sqladder(folder, "--plug_value", "--json").stdout)["pred.sql"]
    assert found["execution"]["all"]["correct"] == 1
    assert found["by_verdict"] == {"correct": 1}


def test_table_and_json_say_what_the_figures_are_of(folder):
    write_gold(folder, [GOLD])
    write_predictions(folder, [[*GOLD[:2], "select 5 from pet limit 1"]])
    with sqlite3.connect(folder / "db" / "pets" / "pets_v1.sqlite") as connection:
        connection.executescript("create table pet(name, age); insert into pet values('a', 7);")
    connection.close()
    options = ("--keep_distinct", "--repair", "literals", "--max-rows", 99)
    assert sqladder(folder, *options).stdout.splitlines()[-6:] == [
        "",
        "gold.sql: official format in 1 session",
        "pred.sql: official format in 1 session",
        "options: etype exec, keep_distinct, repair literals, max_rows 99",
        f"2 database files, SQLite {sqlite3.sqlite_version}",
        "on the original database alone: 3 of 3 (1.000)",
    ]
    again = sqladder(folder, *options).stdout.splitlines()
    assert (
        again[-2]
        == f"6 results of gold known from earlier runs, kept in {folder}/cache/sqladder/gold"
    )
    found = json.loads(sqladder(folder, *options, "--json").stdout)["pred.sql"]
    assert found["original_database"]["all"]["correct"] == 3
    assert found["execution"]["all"]["correct"] == 2
    assert (found["database_files"], found["sqlite"]) == (2, sqlite3.sqlite_version)
    assert found["options"] == {
        "etype": "exec",
        "plug_value": False,
        "keep_distinct": True,
        "repairs": ["literals"],
    }
    assert found["limits"]["max_rows"] == 99


def test_the_word_value_is_read_as_1_or_left_alone_and_said(folder):
    asked = ["select 'value' from pet"]
    write_gold(folder, [asked])
    write_predictions(folder, [asked])
    official, repaired = sqladder(folder), sqladder(folder, "--quirks", "repaired")
    assert table_of(official)[-1].split()[-1] == "0.000"
    assert "\nthe word value in 1 of 1 predictions was read as 1" in official.stdout
    assert "options: etype exec, quirks official\n" in official.stdout
    assert table_of(repaired)[-1].split()[-1] == "1.000"
    assert "the word value" not in repaired.stdout
    assert "options: etype exec, quirks repaired\n" in repaired.stdout
    for options, number in (((), 1), (("--quirks", "repaired"), 0)):
        found = json.loads(sqladder(folder, "--json", *options).stdout)["pred.sql"]
        assert found["value_read_as_1"] == number


SQLS = ["select count(*) from pet", "select 'a,b;c'", ""]


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        (
            "a.json",
            "\n".join(json.dumps({"id": i, "sql": sql}) for i, sql in enumerate(SQLS)),
            "JSON Lines",
        ),
        ("a.json", json.dumps([{"sql": sql} for sql in SQLS]), "a JSON list"),
        (
            "predict_dev.json",
            json.dumps({str(i): f"{sql}\t----- bird -----\tpets" for i, sql in enumerate(SQLS)}),
            "BIRD's predictions",
        ),
        ("a.csv", f'id,sql\n2,\n1,"{SQLS[1]}"\n0,{SQLS[0]}\n', "CSV"),
        ("a.csv", f'id;sql\n2;\n1;"{SQLS[1]}"\n0;{SQLS[0]}\n', "CSV"),
        ("a.txt", f"id\tsql\r\n2\t\r\n1\t{SQLS[1]}\r\n0\t{SQLS[0]}\r\n", "CSV"),
    ],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_format_is_told_by_content_and_said(folder, name, text, kind, mark):
    (folder / "gold.sql").write_text(mark + "".join(f"{sql or 'select 1'}\tpets\n" for sql in SQLS))
    (folder / name).write_text(mark + text)
    run = sqladder(folder, "--verdicts", "v.jsonl", pred=name)
    assert (run.returncode, run.stderr) == (0, "")
    assert f"{name}: {kind}" in run.stdout
    verdicts = [row["verdict"] for row in rows(folder / "v.jsonl")]
    assert verdicts == ["correct", "correct", "no_sql"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", '[{"sql": null}]', "'sql' is None, but must be a text"),
        ("a.json", '{"0": 0}', "a.json question 0 (id 0): 'sql' is 0, but must be a text"),
        ("a.json", '{"0": "select 1", "0": "x"}', "a.json has '0' twice"),
        (
            "a.json",
            '{"0": "select 1\\t----- bird -----\\tdogs"}',
            "answers question 0 for database 'dogs', gold asks for 'pets'",
        ),
        ("a.json", "select 1", "a.json line 1 is not JSON"),
        ("a.csv", "number,answer\n1,x\n", "the header 'number,answer' has no column 'sql'"),
        ("a.csv", "id,sql\n0,select 1,2\n", "a.csv line 2 has 3 cells, its header 2"),
        ("a.json", '[{"id": 0, "sql": ""}, {"sql": ""}]', "a.json record 2 has no 'id'"),
    ],
)
def test_records_that_are_not_the_questions_answers_are_refused(folder, name, text, message):
    write_gold(folder, [GOLD[:1]])
    (folder / name).write_text(text)
    run = sqladder(folder, pred=name)
    assert run.returncode == 1
    assert message in run.stderr
    assert run.stderr.count("\n") == 1


def test_gold_may_be_a_json_list_with_birds_or_spiders_names(folder):
    gold = [{"question_id": 7, "db_id": "pets", "SQL": GOLD[0]}]
    gold += [{"question_id": 9, "db_id": "pets", "query": GOLD[1], "sql": {"select": []}}]
    (folder / "gold.sql").write_text(json.dumps(gold))
    (folder / "p.json").write_text(json.dumps({"0": GOLD[0], "1": GOLD[1]}))
    run = sqladder(folder, "--verdicts", "v.jsonl", pred="p.json")
    found = [(row["id"], row["verdict"]) for row in rows(folder / "v.jsonl")]
    assert found == [(7, "correct"), (9, "correct")]
    assert "gold.sql: a JSON list" in run.stdout


def test_a_path_may_hold_an_equals_sign(folder):
    write_gold(folder, [GOLD])
    (folder / "lr=1e-4").mkdir()
    write_predictions(folder, [GOLD], "lr=1e-4/x.sql")
    write_predictions(folder, [GOLD], "lr=2.sql")
    run = sqladder(folder, "--pred", "lr=2.sql", "--pred", "b=lr=2.sql", pred="lr=1e-4/x.sql")
    names = [line for line in run.stdout.splitlines() if line.endswith(":")]
    assert names == ["x.sql:", "lr=2.sql:", "b:"]


def test_json_holds_the_same_numbers(folder):
    write_gold(folder, [GOLD])
    write_predictions(folder, [[*GOLD[:2], "select 1"]])
    found = json.loads(sqladder(folder, "--json").stdout)["pred.sql"]
    assert found["execution"]["all"] == {"n": 3, "correct": 2, "rate": 2 / 3}
    assert found["by_verdict"] == {"correct": 2, "wrong_result": 1}


def test_several_files_are_named_arms(folder):
    write_gold(folder, [GOLD])
    write_predictions(folder, [GOLD], "a.sql")
    write_predictions(folder, [["select 1"] * 3], "b.sql")
    run = sqladder(folder, "--pred", "worse=b.sql", "--verdicts", "v.jsonl", pred="a.sql")
    assert [line for line in run.stdout.splitlines() if line.endswith(":")] == ["a.sql:", "worse:"]
    right = [row["verdict"] == "correct" for row in rows(folder / "v.jsonl")]
    assert right == [True] * 3 + [False] * 3


def test_exact_match_needs_tables_and_prints_partial_scores(folder):
    write_gold(folder, [GOLD])
    write_predictions(folder, [GOLD])
    assert "needs Spider's tables.json" in sqladder(folder, "--etype", "match").stderr
    table = {
        "db_id": "pets",
        "table_names_original": ["pet"],
        "column_names_original": [[-1, "*"], [0, "name"], [0, "age"]],
        "foreign_keys": [],
    }
    (folder / "tables.json").write_text(json.dumps([table]))
    run = sqladder(folder, "--etype", "all", "--table", "tables.json", "--verdicts", "v.jsonl")
    assert run.stdout.count("PARTIAL MATCHING") == 3
    assert {(row["verdict"], row["exact"]) for row in rows(folder / "v.jsonl")} == {
        ("correct", True)
    }


def test_a_gold_that_fails_counts_as_not_right_and_changes_the_status(folder):
    write_gold(folder, [[*GOLD, "select nothing from pet"]])
    write_predictions(folder, [[*GOLD, "select 1"]])
    run = sqladder(folder, "--json")
    assert run.returncode == 3
    assert "gold failed on 1 of 4 questions, first 3" in run.stderr
    assert json.loads(run.stdout)["pred.sql"]["execution"]["all"]["n"] == 4


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ("select 1\tpets\nselect 2\tpets\n", "select 1\n", "has no prediction for question 1"),
        ("select 1\tpets\n", "select 1\nselect 2\n", "has 2 predictions in 1 sessions, gold has 1"),
        ("select 1\tpets\nselect 2\tpets\n", "select 1\n\nselect 2\n", "has no prediction for"),
        ("select 1\n", "select 1\n", "a gold line is the query, a tab and the database"),
        ("select 1\tnowhere\n", "select 1\n", "nowhere.sqlite is missing"),
        ("select 1\t../pets\n", "select 1\n", "'../pets' is no name of a database"),
        ("\n\n", "select 1\n", "gold.sql holds no gold query"),
        ("select 1\tpets\n", b"select '\xff'\n", "pred.sql line 1 is not UTF-8 (byte 0xff)"),
        ("select 1\tpets\n", None, "cannot read pred.sql"),
    ],
)
def test_bad_input_is_one_clear_line_and_status_1(folder, gold, predicted, message):
    (folder / "gold.sql").write_text(gold)
    if predicted is not None:
        data = predicted if isinstance(predicted, bytes) else predicted.encode()
        (folder / "pred.sql").write_bytes(data)
    run = sqladder(folder)
    assert run.returncode == 1
    assert message in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--jobs", 0), "jobs is 0; at least one worker is needed"),
        (("--timeout", 0), "timeout is 0.0, but a limit from 0.001 to 2,000,000 seconds is needed"),
        (("--memory-mb", 9), "memory_mb is 9, but a limit from 64 to 2,147,483,647 MiB is needed"),
        (("--etype", "match"), "etype match needs Spider's tables.json"),
    ],
)
def test_a_setting_that_cannot_work_is_named(folder, option, message):
    write_gold(folder, [GOLD])
    write_predictions(folder, [GOLD])
    run = sqladder(folder, *option)
    assert (run.returncode, run.stderr.strip()) == (1, f"error: {message}")


def test_a_write_ahead_log_with_changes_is_an_error_that_says_what_to_do(folder):
    write_gold(folder, [GOLD])
    write_predictions(folder, [GOLD])
    (folder / "db" / "pets" / "pets.sqlite-wal").write_bytes(b"x")
    run = sqladder(folder)
    assert run.returncode == 1
    assert "wal_checkpoint" in run.stderr


def test_wrong_usage_is_status_2(folder):
    assert sqladder(folder, "--etype", "nothing").returncode == 2


def test_text_after_a_tab_is_no_part_of_a_prediction(folder):
    write_gold(folder, [GOLD[:1]])
    write_predictions(folder, [[GOLD[0] + "\tanything"]])
    sqladder(folder, "--verdicts", "v.jsonl")
    assert rows(folder / "v.jsonl")[0]["verdict"] == "correct"


def test_json_lines_hold_predictions_that_the_text_format_cannot(folder):
    lines = {"a": "", "b": "select 1\n\n-- two lines", "c": "select '\t'"}
    for name, key in (("gold.jsonl", "select 1"), ("pred.jsonl", None)):
        text = [{"id": i, "db_id": "pets", "sql": key or sql} for i, sql in lines.items()]
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in reversed(text)))
    command = [sys.executable, "-m", "sqladder.cli", "score", "--gold", "gold.jsonl"]
    command += ["--pred", "pred.jsonl", "--db", "db", "--verdicts", "v.jsonl"]
    subprocess.run(command, cwd=folder, env=environment_of(folder), check=True)
    found = {row["id"]: row["verdict"] for row in rows(folder / "v.jsonl")}
    assert found == {"a": "no_sql", "b": "correct", "c": "wrong_result"}


def test_a_bar_is_drawn_on_a_terminal_only(folder):
    write_gold(folder, [GOLD])
    write_predictions(folder, [GOLD])
    assert sqladder(folder).stderr == ""
    main, terminal = pty.openpty()
    command = [sys.executable, "-m", "sqladder.cli", "score", "--gold", "gold.sql"]
    command += ["--pred", "pred.sql", "--db", "db"]
    environment = environment_of(folder, TERM="xterm")
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=terminal)
    os.close(terminal)
    assert "queries" in shown_on(main)


def test_the_command_starts_without_heavy_imports(folder):
    code = """if True:
        import importlib, sys
        from sqladder.cli import COMMANDS
        for module in COMMANDS.values():
            importlib.import_module(module)
        print(*{name.partition('.')[0] for name in sys.modules})"""
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert not {"torch", "pandas", "numpy", "rich", "tqdm"} & set(run.stdout.split())


def test_a_cold_start_takes_little_time(folder):
    write_gold(folder, [GOLD[:1]])
    write_predictions(folder, [GOLD[:1]])
    times = []
    for _ in range(3):
        start = time.perf_counter()
        sqladder(folder)
        times.append(time.perf_counter() - start)
    # The aim is 0.5 s on an idle machine; the rest is for a busy one.
    assert min(times) < 2


def test_every_option_has_help(capsys):
    with pytest.raises(SystemExit):
        parse_arguments(["score", "--help"])
    text = capsys.readouterr().out
    assert "exit status: 0 scored" in " ".join(text.split())
    assert "--max-vm-steps" in text


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--timeout", "0"),
        ("--timeout", "nan"),
        ("--timeout", "inf"),
        ("--max-vm-steps", "0"),
        ("--max-vm-steps", "1" + "0" * 30),
        ("--memory-mb", "1"),
        ("--memory-mb", "9" * 15),
        ("--max-bytes", "9" * 15),
        ("--max-sql-chars", "2000000000"),
        ("--jobs", "-1"),
    ],
)
def test_a_limit_beyond_what_can_be_kept_is_refused(folder, option, value):
    write_gold(folder, [GOLD])
    write_predictions(folder, [GOLD])
    run = sqladder(folder, option, value)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith(f"error: {option.strip('-').replace('-', '_')} is ")
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.mkdir(),
        lambda path: path.symlink_to("nowhere"),
    ],
)
def test_a_database_of_the_suite_that_is_no_file_is_named(folder, make):
    write_gold(folder, [GOLD])
    write_predictions(folder, [GOLD])
    [database] = folder.rglob("pets.sqlite")
    make(database.with_name("pets_v1.sqlite"))
    run = sqladder(folder)
    assert run.returncode == 1
    assert run.stderr.endswith("pets_v1.sqlite is no file that can be read\n")
    assert run.stderr.count("\n") == 1


def as_linked_files(db, store):
    for number, name in enumerate(("pets.sqlite", "pets_v1.sqlite")):
        (db / "pets" / name).rename(store / f"{number}.sqlite")
        (db / "pets" / name).symlink_to(store / f"{number}.sqlite")


def as_linked_folder(db, store):
    (db / "pets").rename(store / "elsewhere")
    (db / "pets").symlink_to(store / "elsewhere")


def as_other_suffixes(db, store):
    for name in ("pets", "pets_v1", "._pets"):
        (db / "pets" / f"{name}.sqlite").rename(db / "pets" / f"{name}.db")


def as_the_suite_alone(db, store):
    for path in (db / "pets").iterdir():
        path.rename(store / path.name)
    (db / "pets").rmdir()
    db.rmdir()
    store.rename(db.with_name("pets"))
    db.symlink_to("pets")


@pytest.mark.parametrize(
    "change", [as_linked_files, as_linked_folder, as_other_suffixes, as_the_suite_alone]
)
def test_a_database_keeps_its_suite_wherever_it_lies(folder, change):
    write_gold(folder, [GOLD])
    write_predictions(folder, [GOLD])
    [database] = folder.rglob("pets.sqlite")
    shutil.copy(database, database.with_name("pets_v1.sqlite"))
    database.with_name("._pets.sqlite").touch()
    (folder / "store").mkdir()
    change(database.parent.parent, folder / "store")
    where = folder / "pets" if change is as_the_suite_alone else folder / "db"
    run = sqladder(folder, "--db", where)
    assert (run.returncode, run.stderr) == (0, "")
    assert "\n2 database files" in run.stdout
    assert table_of(run)[-1].split()[-1] == "1.000"


@pytest.mark.parametrize("suffix", ["sqlite", "db", "sqlite3"])
def test_a_flat_folder_of_databases_is_understood(folder, suffix):
    write_gold(folder, [GOLD])
    write_predictions(folder, [GOLD])
    [database] = folder.rglob("pets.sqlite")
    database.rename(folder / "db" / f"pets.{suffix}")
    database.parent.rmdir()
    shutil.copy(folder / "db" / f"pets.{suffix}", folder / "db" / f"pets_v1.{suffix}")
    run = sqladder(folder)
    assert (run.returncode, run.stderr) == (0, "")
    # The other file is another database.
    assert "\n1 database file," in run.stdout
    (folder / "db" / "pets.sqlite3").touch()
    (folder / "db" / "pets.db").touch()
    assert "'pets' is there twice" in sqladder(folder).stderr


def test_an_original_outside_the_folder_of_its_suite_is_refused(folder):
    write_gold(folder, [GOLD])
    write_predictions(folder, [GOLD])
    [database] = folder.rglob("pets.sqlite")
    shutil.copy(database, database.with_name("pets_v1.sqlite"))
    database.rename(folder / "db" / "pets.sqlite")
    run = sqladder(folder)
    assert run.returncode == 1
    assert "lies beside a folder with files of its suite: move it to" in run.stderr


def test_a_log_beside_the_file_that_a_link_leads_to_is_seen(folder):
    write_gold(folder, [GOLD])
    write_predictions(folder, [GOLD])
    [database] = folder.rglob("pets.sqlite")
    database.rename(folder / "stored")
    database.symlink_to(folder / "stored")
    (folder / "stored-wal").write_bytes(b"rows")
    assert "has changes that are only in stored-wal" in sqladder(folder).stderr


def test_a_database_that_is_none_is_an_error_of_gold(folder):
    write_gold(folder, [GOLD])
    write_predictions(folder, [GOLD])
    [database] = folder.rglob("pets.sqlite")
    database.write_text("no database")
    run = sqladder(folder, "--verdicts", "v.jsonl")
    assert run.returncode == 3
    assert {row["verdict"] for row in rows(folder / "v.jsonl")} == {"gold_error"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"id": 0, "sql": None}, "'sql' is None, but must be a text"),
        ({"id": [0], "sql": ""}, "id [0] is no text or number"),
    ],
)
def test_a_prediction_of_another_type_is_refused(folder, line, message):
    write_gold(folder, [GOLD[:1]])
    (folder / "p.jsonl").write_text(json.dumps(line))
    run = sqladder(folder, pred="p.jsonl")
    assert run.returncode == 1
    assert message in run.stderr


def test_half_a_surrogate_pair_in_a_prediction_is_refused_and_the_others_are_scored(folder):
    write_gold(folder, [GOLD[:2]])
    answers = [{"id": 0, "sql": "select '\ud83d'"}, {"id": 1, "sql": GOLD[1]}]
    (folder / "p.jsonl").write_text("\n".join(map(json.dumps, answers)))
    run = sqladder(folder, "--verdicts", "v.jsonl", pred="p.jsonl")
    assert run.returncode == 0, run.stderr
    found = [(row["verdict"], row["reason"]) for row in rows(folder / "v.jsonl")]
    assert found == [("refused", "surrogate"), ("correct", "")]


def test_the_version_is_said():
    command = [sys.executable, "-m", "sqladder.cli", "--version"]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, f"sqladder {__version__}\n")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere/v.jsonl", "cannot be written: No such file or directory; nothing was scored"),
        ("db", "cannot be written: Is a directory"),
        ("/proc/v.jsonl", "cannot be written"),
    ],
)
def test_verdicts_that_cannot_be_written_are_refused_before_anything_is_scored(
    folder, path, message
):
    write_gold(folder, [GOLD])
    write_predictions(folder, [GOLD])
    run = sqladder(folder, "--verdicts", path)
    assert (run.returncode, run.stdout) == (1, "")
    assert f"--verdicts {path} {message}" in run.stderr
    assert run.stderr.count("\n") == 1


def test_infinite_numbers_and_none_are_told_apart(folder):
    gold = ["select 9e999", "select -9e999", "select 9e999 - 9e999"]
    write_gold(folder, [gold])
    write_predictions(folder, [["select 1e999 * 2", "select 9e999", "select 0"]])
    run = sqladder(folder, "--json")
    assert json.loads(run.stdout)["pred.sql"]["by_verdict"] == {"wrong_result": 2, "correct": 1}
    assert run.stderr == ""


def test_a_name_that_no_file_can_have_is_refused_in_short(folder):
    (folder / "gold.sql").write_text("select 1\t" + "x" * 5000 + "\n")
    write_predictions(folder, [["select 1"]])
    run = sqladder(folder)
    assert run.returncode == 1
    assert "is no name of a database" in run.stderr
    assert len(run.stderr) < 500


@pytest.mark.parametrize("where", ["nowhere", "gold.sql"])
def test_databases_that_are_no_folder_are_refused(folder, where):
    write_gold(folder, [GOLD])
    write_predictions(folder, [GOLD])
    run = sqladder(folder, "--db", where)
    assert run.returncode == 1
    assert f"{where} is no folder; name the one that holds pets/pets.sqlite" in run.stderr
