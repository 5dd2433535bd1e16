"""Gold results kept between runs: what is known is not executed again, and what has changed is."""

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from sqladder.metric import pool, suite_contents
from sqladder.metric.gold_results import GoldResults
from sqladder.metric.inputs import Gold, Item
from sqladder.metric.limits import Limits
from sqladder.metric.outlines import Outline
from sqladder.metric.sandbox import Sandbox
from sqladder.metric.scoring import Task, score
from sqladder.metric.suite import GoldQuery, Options

GOLD = "select name from pet order by age"
CONTENTS = "contents.json"


def write_database(path, *ages):
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table if not exists pet (name text, age int)")
        connection.execute("delete from pet")
        connection.executemany(
            "insert into pet values (?, ?)", [(f"pet {age}", age) for age in ages]
        )


@pytest.fixture
def task(tmp_path):
    databases = tmp_path / "databases"
    databases.mkdir()
    for name, ages in {"pets": (1, 2, 3), "pets_2": (3, 1), "pets_3": ()}.items():
        write_database(databases / f"pets/{name}.sqlite", *ages)
    return Task(databases, gold_results=tmp_path / "kept" / "gold")


def scored(task, prediction, gold=GOLD):
    """The only row, and how many gold results were known."""
    found = score(Gold([Item(0, "pets", gold, 0, 0)], 1), {"a": [prediction]}, task)["a"]
    return found.rows[0].judgement, found.known_gold


ANSWERS = [
    ("select name from pet where age > 0 order by age", "correct"),
    ("select name from pet order by age desc", "wrong_result"),
    ("select name, age from pet order by age", "wrong_result"),
    ("select name from pet order by age limit 2", "wrong_result"),
    ("select nope from pet", "sql_error"),
    ("select 1 from pet", "wrong_result"),
    (f"select * from ({GOLD})", "correct"),
]


@pytest.mark.parametrize(("prediction", "verdict"), ANSWERS)
def test_with_known_results_the_judgement_is_the_same(task, prediction, verdict):
    fresh, _ = scored(replace(task, gold_results=None), prediction)
    assert fresh.verdict == verdict
    assert scored(task, ANSWERS[0][0])[1] == 0
    assert scored(task, prediction) == (fresh, 3)


TWO = "select name, age from pet order by age"


@pytest.mark.parametrize(
    ("prediction", "verdict"),
    [
        ("select age, name from pet order by age", "correct"),
        ("select age, name from pet order by age desc", "wrong_result"),
        ("select age, age from pet order by age", "wrong_result"),
        # The official evaluator takes 1 and 1.0 for one value, but not beside others.
        ("select age + 0.0, name from pet order by age", "correct"),
    ],
)
def test_columns_in_another_order_are_told_from_others_by_what_is_known(task, prediction, verdict):
    fresh, _ = scored(replace(task, gold_results=None), prediction, TWO)
    scored(task, TWO, TWO)
    assert scored(task, prediction, TWO) == (fresh, 3)
    assert fresh.verdict == verdict


def test_rows_are_shown_as_without(task):
    for keep in (False, True):
        shown = replace(task, keep_rows=True, gold_results=task.gold_results if keep else None)
        for prediction, _ in ANSWERS:
            first, second = (scored(shown, prediction)[0] for _ in range(2))
            assert first == second
            assert first.gold_rows.n == 3


def test_a_later_run_adds_the_files_that_an_earlier_one_did_not_reach(task):
    known = [scored(task, sql)[1] for sql in ("select age from pet", GOLD, GOLD)]
    assert known == [0, 1, 3]


def test_another_content_is_executed_again(task):
    scored(task, GOLD)
    write_database(task.databases / "pets/pets_2.sqlite", 3, 1, 5)
    judgement, known = scored(task, "select name from pet order by age limit 3")
    assert (judgement.verdict, known) == ("correct", 0)
    write_database(task.databases / "pets/pets_2.sqlite", 3, 1, 5, 9)
    assert scored(task, "select name from pet order by age limit 3")[0].verdict == "wrong_result"


@pytest.mark.parametrize(
    "changed", [{"limits": Limits(max_rows=2)}, {"options": Options(keep_distinct=True)}]
)
def test_other_limits_or_options_know_nothing(task, changed):
    scored(task, GOLD)
    assert scored(replace(task, **changed), GOLD)[1] == 0


@pytest.mark.parametrize(
    "gold",
    [
        "select name, random() from pet",
        "select name from pet where age < julianday('now')",
        "select current_timestamp from pet",
        "select strftime('%Y', name) from pet",
        "select x from clock",
        "select nope from pet",
    ],
)
def test_what_may_change_and_what_fails_is_not_kept(task, gold):
    for file in (task.databases / "pets").iterdir():
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("create view clock as select date() as x")
    scored(task, "select 1", gold)
    assert scored(task, "select 1", gold)[1] == 0


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"select 1": 3}', '{"a": {"x": [1]}}', "\0"])
def test_a_damaged_file_is_made_anew(task, damage, monkeypatch):
    monkeypatch.setattr(suite_contents, "_SETTLED", -60.0)
    scored(task, GOLD)
    for file in task.gold_results.iterdir():
        content = json.loads(file.read_text())
        file.write_text(damage)
        found = scored(task, GOLD)
        assert (found[0].verdict, found[1] == 0) == ("correct", file.name != CONTENTS)
        assert json.loads(file.read_text()) == content


def counting(monkeypatch, module, name):
    """The arguments with which a function of a module is called from now on."""
    calls, original = [], getattr(module, name)
    monkeypatch.setattr(module, name, lambda *given: calls.append(given) or original(*given))
    return calls


def test_files_are_read_again_only_where_the_file_system_tells_of_a_change(task, monkeypatch):
    original = task.databases / "pets/pets.sqlite"
    read = counting(monkeypatch, suite_contents, "_digest")
    # Changed a moment ago: the next change might have the same time.
    scored(task, GOLD)
    scored(task, GOLD)
    assert len(read) == 2
    monkeypatch.setattr(suite_contents, "_SETTLED", -60.0)
    scored(task, GOLD)
    scored(task, GOLD)
    assert len(read) == 3
    # Another content of the same size, with the former time of the last change.
    before = original.stat()
    write_database(original, 1, 3, 2)
    os.utime(original, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert original.stat().st_size == before.st_size
    assert scored(task, GOLD)[1] == 0
    assert len(read) == 4


def test_what_is_remembered_of_files_that_are_gone_is_dropped(task, monkeypatch):
    monkeypatch.setattr(suite_contents, "_SETTLED", -60.0)
    scored(task, GOLD)
    (task.databases / "pets").rename(task.databases / "dogs")
    for file in (task.databases / "dogs").iterdir():
        file.rename(file.with_name(file.name.replace("pets", "dogs")))
    score(Gold([Item(0, "dogs", GOLD, 0, 0)], 1), {"a": [GOLD]}, task)
    kept = json.loads((task.gold_results / CONTENTS).read_text())
    assert list(kept) == [str(task.databases / "dogs/dogs.sqlite")]


def executed(monkeypatch, task, prediction, gold=GOLD):
    """The verdict, and the files on which the answer was executed; judged in this process."""
    files = [Sandbox(path, task.limits) for path in sorted((task.databases / "pets").iterdir())]
    runs = []
    for file in files:
        monkeypatch.setattr(
            file,
            "execute",
            lambda sql, max_rows=None, file=file, run=file.execute: (
                runs.append(file.path.name) or run(sql, max_rows)
            ),
        )
    store = GoldResults(task.gold_results, task.options, task.limits)
    suite = store.read([str(file.path) for file in files])
    question = GoldQuery(
        files,
        gold,
        task.options,
        task.limits,
        outlines=suite.known.get(gold, {}),
        right=suite.right.get(gold, ()),
    )
    judgement = question.judge(prediction, False)
    store.add(suite, {gold: question.outlines}, {gold: list(question.right)})
    for file in files:
        file.close()
    return judgement.verdict, runs


OTHER = "select name from pet where age < 100 order by age"


def test_an_answer_whose_program_was_right_is_executed_on_the_original_alone(task, monkeypatch):
    assert executed(monkeypatch, task, OTHER)[0] == "correct"
    spelt = "SELECT p.name FROM pet AS p WHERE p.age < 100 ORDER BY p.age"
    assert executed(monkeypatch, task, spelt) == ("correct", ["pets.sqlite"])
    # Another constant is another program, and another content knows nothing of either.
    assert executed(monkeypatch, task, spelt.replace("100", "99"))[1][-1] == "pets_3.sqlite"
    write_database(task.databases / "pets/pets_2.sqlite", 100, 101)
    assert executed(monkeypatch, task, spelt)[0] == "wrong_result"


def test_a_right_answer_that_may_be_wrong_the_next_time_is_not_kept(task, monkeypatch):
    today = "select name from pet where age < julianday('now') order by age"
    for _ in range(2):
        verdict, runs = executed(monkeypatch, task, today)
        assert (verdict, runs[-1]) == ("correct", "pets_3.sqlite")


def test_two_runs_at_once_keep_what_both_found(task):
    store = GoldResults(task.gold_results, Options(), Limits())
    files = [str(task.databases / "pets/pets.sqlite")]
    first, second = store.read(files), store.read(files)
    outline = Outline(1, 1, "0" * 32, "")
    store.add(first, {"a": {0: outline}, "b": {0: outline}}, {"a": ["p"], "b": ["q"]})
    store.add(second, {"b": {1: outline}, "c": {0: outline}}, {"a": [], "b": ["r", "q"]})
    known = {"a": {0: outline}, "b": {0: outline, 1: outline}, "c": {0: outline}}
    assert store.read(files).known == known
    assert store.read(files).right == {"a": ["p"], "b": ["q", "r"]}
    assert [path.suffix for path in task.gold_results.iterdir()] == [".json"]


def test_a_folder_that_cannot_be_written_costs_no_verdict(task, caplog):
    task.gold_results.parent.write_text("no folder")
    assert scored(task, GOLD)[0].verdict == "correct"
    assert f"cannot be kept in {task.gold_results}" in caplog.text
    assert "--gold-results" in caplog.text


def test_what_a_worker_knew_before_it_died_is_kept(task):
    files = [str(path) for path in sorted((task.databases / "pets").iterdir())]
    endless = "with recursive t(n) as (select 1 union all select n + 1 from t) select max(n) from t"
    sqls = [GOLD.replace("age", "age + 0"), endless, GOLD.replace("age", "2 * age")]
    question = pool.Question(files, GOLD, [(sql, False) for sql in sqls], [None] * 3)
    limits = Limits(timeout=0.5, max_vm_steps=2**60)
    pool.run([question], Options(), limits, jobs=1)
    assert [own.verdict for own in question.judgements] == ["correct", "timeout", "correct"]
    assert sorted(question.outlines) == [0, 1, 2]
