"""The check of gold queries: every kind of problem is told, and none of them stops the others from being checked."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing

import duckdb
import pytest

from conftest import ROOT
from sqladder.data.corpus import read_repairs
from sqladder.data.gold_dialects import with_dialects
from sqladder.data.gold_execution import check_golds
from sqladder.data.gold_sorting import sort_out
from sqladder.data.gold_summary import summary
from sqladder.errors import InputError
from sqladder.files import write_jsonl
from sqladder.metric.limits import Limits
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.scoring import score_pair

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
# One step that computes for long: no budget of steps ends it, the process has to be replaced.
ONE_LONG_STEP = "SELECT instr(zeroblob(16000000), CAST(zeroblob(8000000) || x'01' AS BLOB))"
GOLDS = {
    "good": "SELECT name FROM cat",
    "nothing": "SELECT name FROM cat WHERE age > 99",
    "misspelt": "SELECT nmae FROM cat",
    "endless": ENDLESS,
    "writes": "DELETE FROM cat",
    "old": "SELECT name FROM cat WHERE age = YEAR(CURDATE()) - 2016",
    "last": "SELECT count(*) FROM cat;",
}
EXPECTED = {
    "good": "ok",
    "nothing": "empty",
    "misspelt": "failing",
    "endless": "slow",
    "writes": "failing",
    "old": "ok",
    "last": "ok",
}
ACTIONS = {"failing": "drop", "empty": "keep", "slow": "drop"}
LIMITS = Limits(max_vm_steps=2_000_000, timeout=3)


def example(key, sql):
    return {"id": key, "db_id": "pets", "question": f"Question | of {key}", "sql": sql}


EXAMPLES = [example(key, sql) for key, sql in GOLDS.items()]


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    path = tmp_path_factory.mktemp("gold") / "pets" / "pets.sqlite"
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.executescript("CREATE TABLE cat (name, age); INSERT INTO cat VALUES ('Tom', 4);")
    return {"pets": path}


# What people leave at the end of a query, and whether the scoring executes it then.
ENDS = {
    ";;": True,
    "; ;": True,
    "; -- done": True,
    " -- done": True,
    ";; /* done */": True,
    ";\n-- a\n;\n": True,
    "; nonsense": True,
    ") ;;": False,
}


@pytest.mark.parametrize(("end", "runs"), ENDS.items())
@pytest.mark.parametrize("query", ["SELECT name FROM cat", "SELECT DISTINCT name FROM cat"])
def test_the_check_and_the_scoring_agree_on_what_runs(databases, query, end, runs):
    status = check_golds([example("a", query + end)], databases, LIMITS)["a"].status
    assert status == ("ok" if runs else "failing")
    judged = score_pair(query + end, "SELECT 1 WHERE 0", databases["pets"], limits=LIMITS)
    assert (judged.verdict == "gold_error") == (not runs)


@pytest.fixture(scope="module")
def checks(databases):
    return check_golds(EXAMPLES, databases, LIMITS)


def test_every_gold_gets_its_status(checks):
    assert {key: check.status for key, check in checks.items()} == EXPECTED


def test_a_problem_has_a_reason_and_a_result_its_rows(checks):
    assert "nmae" in checks["misspelt"].detail
    assert "delete" in checks["writes"].detail
    assert checks["good"].rows == 1
    assert checks["nothing"].rows == 0


def test_gold_that_fails_only_for_its_dialect_has_a_status_of_its_own(databases):
    examples = [
        example("other", "SELECT name FROM cat WHERE name ILIKE 't%'"),
        example("misspelt", "SELECT nmae FROM cat WHERE name ILIKE 't%'"),
        example("right", "SELECT name FROM cat"),
    ]
    examples[2]["alternatives"] = ["SELECT TOP 5 name FROM cat"]
    checks = with_dialects(examples, databases, check_golds(examples, databases, LIMITS))
    statuses = {key: check.status for key, check in checks.items()}
    assert statuses == {"other": "dialect", "misspelt": "failing", "right": "dialect"}
    assert "ILIKE, as in PostgreSQL" in checks["other"].detail
    assert "| dialect | 2 | drop |" in summary(examples, checks, ACTIONS)
    kept = sort_out(examples, checks, {**ACTIONS, "failing": "keep"})
    assert [row["id"] for row in kept] == ["other", "misspelt", "right"]
    with pytest.raises(
        InputError, match=r"2 of 2 .* dialect, .* set gold_problems.failing to keep"
    ):
        sort_out(examples[::2], checks, {**ACTIONS, "failing": "stop"})


def test_a_gold_is_empty_only_if_no_file_of_the_suite_gives_a_row(tmp_path):
    folder = tmp_path / "pets"
    folder.mkdir()
    for name, age in (("pets", 4), ("pets_v1", 5), ("pets_v2", 100)):
        with closing(sqlite3.connect(folder / f"{name}.sqlite")) as connection:
            connection.execute("CREATE TABLE cat (name, age)")
            connection.execute("INSERT INTO cat VALUES ('Tom', ?)", (age,))
            connection.commit()
    examples = [
        EXAMPLES[1],
        example("never", "SELECT name FROM cat WHERE age > 999"),
    ]
    found = check_golds(examples, {"pets": folder / "pets.sqlite"}, LIMITS)
    assert [check.status for check in found.values()] == ["ok", "empty"]
    assert found["nothing"].detail == "no row on the original, but on another file"
    assert found["nothing"].rows == 0


def test_a_gold_is_disputed_where_a_listed_repair_gives_another_result(databases):
    examples = [example(key, "SELECT name FROM cat WHERE age > 1") for key in "abcd"]
    examples.append(example("failing", "SELECT nmae FROM cat"))
    repairs = {
        "a": "SELECT DISTINCT cat.name FROM cat",
        "b": "SELECT name FROM cat WHERE age > 9",
        "c": "SELECT name FROM dog",
        "failing": "SELECT name FROM cat",
        "left out": "SELECT 1",
    }
    found = check_golds(examples, databases, LIMITS, repairs=repairs)
    statuses = {key: check.status for key, check in found.items()}
    assert statuses == {
        "a": "ok", "b": "disputed", "c": "disputed", "d": "ok", "failing": "failing",
    }  # fmt: skip
    assert found["b"].detail == "the listed repair gives another result on pets.sqlite"
    assert "no such table: dog" in found["c"].detail
    # It is listed and stays: who is right is not known.
    assert examples[1] in sort_out(examples, found, ACTIONS)
    assert "| disputed | 2 | keep |" in summary(examples, found, ACTIONS)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "a"}], "line 1 has no 'sql'"),
        ([{"id": "a", "sql": None}], "'sql' is None, but must be a text"),
        (
            [{"id": "misspelt", "sql": "SELECT 1"}],
            "1 of 1 ids are those of no question, first 'misspelt'; .* ids such as 'a'",
        ),
    ],
)
def test_repairs_that_repair_nothing_are_refused(tmp_path, rows, message):
    write_jsonl(tmp_path / "repairs.jsonl", rows)
    with pytest.raises(InputError, match=message):
        read_repairs(tmp_path / "repairs.jsonl", [example("a", "SELECT 1")])


def test_gold_is_prepared_with_the_quirks_of_the_scoring(databases):
    rows = [example("operator", "SELECT name FROM cat WHERE '> =' <> '>' || ' ='")]
    found = [
        check_golds(rows, databases, LIMITS, mended=QUIRKS[name])["operator"].status
        for name in ("official", "repaired")
    ]
    assert found == ["ok", "empty"]


def test_repairs_of_questions_that_were_left_out_are_left_out(tmp_path):
    rows = [{"id": key, "sql": f"SELECT '{key}'"} for key in "ab"]
    write_jsonl(tmp_path / "repairs.jsonl", rows)
    examples, left_out = [example("b", "SELECT 1")], [example("a", "SELECT 1")]
    repairs = read_repairs(tmp_path / "repairs.jsonl", examples, left_out)
    assert repairs == {"b": "SELECT 'b'"}


def test_a_gold_that_its_process_does_not_survive_costs_itself_only(databases):
    examples = [example("before", "SELECT 1"), example("long", ONE_LONG_STEP), EXAMPLES[-1]]
    found = check_golds(examples, databases, Limits(timeout=0.3))
    assert found["before"].status == "ok"
    assert (found["long"].status, found["long"].detail) == ("slow", "more than 0.3 s")
    assert found["last"].status == "ok"


def test_actions_decide_what_stays(checks):
    kept = sort_out(EXAMPLES, checks, ACTIONS)
    assert [row["id"] for row in kept] == ["good", "nothing", "old", "last"]
    everything = sort_out(EXAMPLES, checks, dict.fromkeys(ACTIONS, "keep"))
    assert everything == EXAMPLES


def test_stop_names_the_first_gold_the_reason_and_the_way_out(checks):
    with pytest.raises(InputError) as error:
        sort_out(EXAMPLES, checks, {**ACTIONS, "failing": "stop"})
    for part in ("2 of 7 gold queries are failing", "'misspelt'", "nmae", "gold_problems.failing"):
        assert part in str(error.value)


def test_no_gold_at_all_is_an_error(checks):
    with pytest.raises(InputError, match="none of 1 gold queries"):
        sort_out([EXAMPLES[2]], checks, ACTIONS)


def test_the_table_says_what_is_done_with_each(checks):
    text = summary(EXAMPLES, checks, ACTIONS)
    assert "| failing | 2 | drop |" in text
    assert "| empty | 1 | keep |" in text
    assert "| misspelt | pets | failing | no such column: nmae |" in text
    assert "| good |" not in text


def test_a_copy_that_gives_another_result_than_its_original_fails(databases, tmp_path):
    original = tmp_path / "pets.duckdb"
    with duckdb.connect(original) as connection:
        connection.execute("CREATE TABLE cat (name VARCHAR, age INTEGER)")
        connection.execute("INSERT INTO cat VALUES ('Tom', 4)")
    examples = [
        example("same", "SELECT name FROM cat"),
        # 4 / 8 is 0.5 in DuckDB and 0 in SQLite.
        example("division", "SELECT age / 8 FROM cat"),
        example("dialect", "SELECT list(name) FROM cat"),
    ]
    found = check_golds(examples, databases, LIMITS, {"pets": str(original)})
    assert [check.status for check in found.values()] == ["ok", "failing", "failing"]
    assert "another result" in found["division"].detail


def run_program(*arguments):
    command = [sys.executable, ROOT / "workflow/scripts/check_gold.py", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def arguments(folder, databases, **actions):
    (folder / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in EXAMPLES))
    actions = {**ACTIONS, **actions}
    return [
        *("--examples", folder / "q.jsonl", "--databases", databases["pets"].parent.parent),
        *(f"--{problem}={action}" for problem, action in actions.items()),
        *("--max-vm-steps", LIMITS.max_vm_steps, "--timeout", LIMITS.timeout),
        *("--output", folder / "kept.jsonl", "--checks", folder / "gold.jsonl"),
        *("--summary", folder / "gold.md"),
    ]


def test_the_program_writes_examples_checks_and_table(databases, tmp_path):
    done = run_program(*arguments(tmp_path, databases))
    assert done.returncode == 0, done.stderr
    assert (
        "7 gold queries: 2 failing, 0 dialect, 1 empty, 1 slow, 0 disputed; 4 examples stay"
        in done.stderr
    )
    rows = [json.loads(line) for line in (tmp_path / "gold.jsonl").open()]
    assert {row["id"]: row["status"] for row in rows} == EXPECTED
    assert len((tmp_path / "kept.jsonl").read_text().splitlines()) == 4


def test_a_program_that_stops_leaves_the_table_and_no_examples(databases, tmp_path):
    done = run_program(*arguments(tmp_path, databases, failing="stop"))
    assert done.returncode == 1
    assert "error: 2 of 7" in done.stderr
    assert (tmp_path / "gold.md").is_file()
    assert not (tmp_path / "kept.jsonl").exists()


def test_each_of_several_golds_is_executed(databases):
    row = example("a", "select name from cat")
    others = {
        "fine": ["select count(*) from cat"],
        "broken": ["select count(*) from cat", "select nope from cat"],
    }
    rows = [{**row, "id": key, "alternatives": sqls} for key, sqls in others.items()]
    found = check_golds([*rows, row], databases, LIMITS)
    assert [found[key].status for key in ("fine", "broken", "a")] == ["ok", "failing", "ok"]
    assert found["broken"].detail == "alternative 2: no such column: nope"


@pytest.mark.parametrize(
    ("optional", "detail"),
    [
        (["name"], ""),
        (["NAME", 1], ""),
        (["nme"], "it has no column 'nme', which optional names; it has: name"),
        ([2], "it has no column 2, which optional names; it has: name"),
    ],
)
def test_an_optional_column_that_gold_has_not_is_named(databases, optional, detail):
    row = {**example("a", "select name from cat"), "optional": optional}
    check = check_golds([row], databases, LIMITS)["a"]
    assert (check.status, check.detail) == (("failing", detail) if detail else ("ok", ""))
