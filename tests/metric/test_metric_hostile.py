"""Each case attacks the scorer in one way; three properties are tested of each.

Its verdict names the reason, no file is changed or created, and honest questions beside it get
their own verdicts. A case that hung or killed the scorer would fail all three.
"""

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import ROOT
from sqladder.metric.inputs import Gold, Item
from sqladder.metric.limits import Limits
from sqladder.metric.scoring import OFFICIAL, Task, score, score_pair
from sqladder.metric.suite import Options

LIMITS = Limits(max_vm_steps=3_000_000, timeout=2, memory_mb=400, max_rows=100_000)
LIMITS_BUT_TIME = replace(LIMITS, timeout=60)
NAMES = "select name from singer"
EMPTY = "select name from singer where age > 1000"
ENDLESS = "with recursive t(x) as (select 1 union all select x + 1 from t) select {} from t"
LONG = "(select group_concat(hex(zeroblob(5000)), '') from singer a, singer b)"


def nested_tables(depth: int) -> str:
    """Common table expressions of which each names the one before twice."""
    parts = ["t0 as (select 1 x)"]
    for i in range(depth):
        parts.append(f"t{i + 1} as (select a.x from t{i} a, t{i} b)")
    return f"with {', '.join(parts)} select * from t{depth}"


# Name: prediction, allowed verdicts, text that the detail holds. The gold is NAMES.
CASES = {
    "drop": ("drop table singer", "refused", "may only read"),
    "drop if exists": ("drop table if exists singer", "refused", "may only read"),
    "rename": ("alter table singer rename to gone", "refused", "may only read"),
    "add column": ("alter table singer add column x", "refused", "may only read"),
    "create": ("create table x(a)", "refused", "may only read"),
    "create as": ("create table x as select * from singer", "refused", "may only read"),
    "create temporary": ("create temp table x as select 1", "refused", "may only read"),
    "create view": ("create view v as select 1", "refused", "may only read"),
    "create trigger": (
        "create trigger t after insert on singer begin delete from singer; end",
        "refused sql_error",
        "",
    ),
    "create virtual table": ("create virtual table v using fts5(x)", "refused", "may only read"),
    "insert": ("insert into singer select 'x', 1", "refused", "may only read"),
    "insert returning": (
        "insert into singer select 'x', 1 returning name",
        "refused",
        "only read",
    ),
    "update returning": ("update singer set age = 0 returning name", "refused", "only read"),
    "replace": ("replace into singer select 'x', 1", "refused", "may only read"),
    "delete returning": ("delete from singer returning name", "refused", "may only read"),
    "with delete": (
        "with a as (select 1) delete from singer returning name",
        "refused",
        "may only read",
    ),
    "with insert": (
        "with a as (select 1) insert into singer select 'x', 1",
        "refused",
        "only read",
    ),
    "attach": ("attach '{outside}/new.sqlite' as x", "refused", "attach"),
    "attach memory": ("attach ':memory:' as x", "refused", "attach"),
    "detach": ("detach main", "refused sql_error", ""),
    "vacuum": ("vacuum", "refused sql_error", ""),
    "vacuum into": ("vacuum into '{outside}/copy.sqlite'", "refused sql_error", ""),
    "pragma version": ("pragma user_version = 7", "refused", "pragma"),
    "pragma journal": ("pragma journal_mode = wal", "refused", "pragma"),
    "pragma schema": ("pragma writable_schema = on", "refused", "pragma"),
    "pragma read": ("pragma table_info(singer)", "wrong_result", ""),
    "pragma argument": ("select * from pragma_user_version(7)", "refused sql_error", ""),
    "schema update": ("update sqlite_master set sql = ''", "refused", "may only read"),
    "schema update returning": (
        "update sqlite_schema set sql = '' returning name",
        "refused",
        "may only read",
    ),
    "schema insert": (
        "insert into sqlite_master select 1, 1, 1, 1, 1",
        "refused",
        "may only read",
    ),
    "schema delete": ("delete from sqlite_master", "refused", "may only read"),
    "pragma heap": ("pragma hard_heap_limit = 0", "refused", "pragma"),
    "pragma function": ("select * from pragma_journal_mode", "refused", "may only read"),
    "begin": ("begin exclusive", "refused", "transaction"),
    "savepoint": ("savepoint x", "refused", "savepoint"),
    "analyze": ("analyze", "refused", "may only read"),
    "reindex": ("reindex", "refused no_sql", ""),
    "load extension": ("select load_extension('x')", "refused", "load_extension"),
    "load extension unreached": (
        "select case when 0 then load_extension('x') else name end from singer",
        "refused",
        "load_extension",
    ),
    "tokenizer": ("select fts3_tokenizer('simple', x'00')", "refused sql_error", ""),
    "write file": ("select writefile('{outside}/x', 'y')", "sql_error", "no such function"),
    "read file": ("select readfile('/etc/passwd')", "sql_error", "no such function"),
    "shell command": (".shell touch {outside}/x", "sql_error", "syntax"),
    "endless count": (ENDLESS.format("count(*)"), "timeout", "steps"),
    "endless rows": (ENDLESS.format("x"), "wrong_result", "more rows than gold's 40"),
    "endless sort": (ENDLESS.format("x") + " order by x desc", "timeout refused", ""),
    "endless nothing": (ENDLESS.format("x") + " where x < 0", "timeout", "steps"),
    "endless inside": (
        f"select name from singer where age in ({ENDLESS.format('x')})",
        "timeout",
        "steps",
    ),
    "cross join": (
        "select count(*) from singer a, singer b, singer c, singer d, singer e, singer f",
        "timeout",
        "steps",
    ),
    "window over cross join": (
        "select sum(a.age) over (order by a.age, b.age, c.age, d.age rows between unbounded "
        "preceding and unbounded following exclude current row) "
        "from singer a, singer b, singer c, singer d",
        "timeout refused",
        "",
    ),
    "random blob": ("select randomblob(1000000000)", "refused", "bytes"),
    "zero blob": ("select hex(zeroblob(400000000))", "refused", "bytes"),
    "zero blob of 2 GB": ("select zeroblob(2147483647)", "refused", "bytes"),
    "printf width": ("select printf('%1000000000d', 1)", "wrong_result refused", ""),
    "printf precision": ("select printf('%.*c', 1000000000, 'x')", "timeout refused", ""),
    "group_concat": (
        "select group_concat(hex(zeroblob(100000))) from singer a, singer b, singer c",
        "refused",
        "bytes",
    ),
    "doubling text": (
        "with recursive t(x) as (select 'aaaaaaaa' union all select x || x from t) "
        "select max(length(x)) from t",
        "refused",
        "bytes",
    ),
    "growing replace": (
        "select replace(hex(zeroblob(100000)), '0', hex(zeroblob(100000)))",
        "refused",
        "bytes",
    ),
    "many large values": (
        "select " + ", ".join(["hex(zeroblob(9000000))"] * 60) + " from singer",
        "refused",
        "",
    ),
    "like with many wildcards": (
        f"select name from singer where {LONG} like '{'%0' * 40}%1'",
        "wrong_result timeout",
        "",
    ),
    "glob with many wildcards": (
        f"select name from singer where {LONG} glob '{'*0' * 40}*1'",
        "wrong_result timeout",
        "",
    ),
    "like pattern too long": (f"select 'a' like '{'%' * 5000}'", "sql_error refused", ""),
    "instr of long texts": (
        "select instr(hex(zeroblob(4000000)), hex(zeroblob(2000000)) || '1')",
        "timeout",
        "2 s",
    ),
    "regular expression": ("select 'aaaa' regexp '(a+)+$'", "sql_error", "no such function"),
    "expanding tables": (nested_tables(40), "timeout refused sql_error", ""),
    "100 parentheses": (f"select {'(' * 100}1{')' * 100}", "wrong_result sql_error", ""),
    "400 parentheses": (f"select {'(' * 400}1{')' * 400}", "sql_error", ""),
    "20,000 parentheses": (f"select {'(' * 20000}1{')' * 20000}", "sql_error", ""),
    "open parentheses": ("select " + "(" * 50000, "sql_error", ""),
    "400 nested selects": (f"{'select (' * 400}1{')' * 400}", "sql_error wrong_result", ""),
    "1,000 nested cases": (
        f"select {'case when 1 then ' * 1000}1{' end' * 1000}",
        "sql_error",
        "",
    ),
    "1 MB of blanks": ("select name" + " " * 1_000_000 + "from singer", "refused", "characters"),
    "1 MB of conditions": (NAMES + " where 1" + " and 1" * 160_000, "refused", "characters"),
    "1 MB of columns": ("select 1" + ",1" * 500_000, "refused", "characters"),
    "30,000 columns": ("select 1" + ",1" * 29_999, "sql_error", "too many columns"),
    "15,000 conditions": (NAMES + " where 1" + " and 1" * 15_000, "sql_error", "depth"),
    "2,000 compound selects": ("select 1" + " union select 1" * 2_000, "sql_error", "compound"),
    "70 tables": ("select 1 from singer" + ", singer" * 69, "sql_error", "64 tables"),
    "40,000 values in a list": (
        f"select name from singer where age in (1{',1' * 40000})",
        "wrong_result",
        "",
    ),
    "unclosed quotes": ("select " + "'" * 49_999, "sql_error refused wrong_result", ""),
    "backslashes and quotes": ("select " + "\\'" * 40_000, "sql_error", ""),
    "unclosed comment": ("select /*" + "/*" * 40_000, "sql_error", ""),
    "deep JSON": (f"select json('{'[' * 30000}{']' * 30000}')", "sql_error wrong_result", ""),
    "NUL": ("select name\0 from singer", "refused", "NUL"),
    "NUL in the result": ("select name || char(0) from singer", "wrong_result", "other values"),
    "surrogate": ("select '\ud800'", "refused", "surrogate"),
    "byte order mark": ("\ufeffselect 1", "sql_error wrong_result", ""),
    "parameters": ("select ?, :a, @b, $c", "sql_error", ""),
    "integer overflow": ("select abs(-9223372036854775807 - 1)", "sql_error", "overflow"),
    "infinity": ("select 9e999", "wrong_result", ""),
    "explain": ("explain select name from singer", "wrong_result", ""),
    "database pages": ("select * from sqlite_dbpage", "sql_error refused wrong_result", ""),
    "nothing": ("", "no_sql", "no statement"),
    "blanks": (" \t\n ", "no_sql", "no statement"),
    "semicolon": (";", "no_sql", "no statement"),
    "second statement only": ("; select name from singer", "no_sql", "no statement"),
    "comment": ("-- select name from singer", "no_sql", "no statement"),
    "block comment": ("/* select name from singer */", "no_sql", "no statement"),
    "prose": ("Here is the query you asked for.", "sql_error", "syntax"),
}


def write_database(path: Path, shift: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("create table singer(name text, age integer)")
        rows = [(f"singer {i}", 20 + (i * 7 + shift) % 50) for i in range(40)]
        connection.executemany("insert into singer values(?, ?)", rows)
    connection.close()


def state(folder: Path) -> dict[str, str]:
    """Every file below a folder with its checksum."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    write_database(folder / "db" / "concert" / "concert.sqlite", 0)
    write_database(folder / "db" / "concert" / "concert_v1.sqlite", 3)
    (folder / "outside").mkdir()
    return folder


def judge(folder: Path, pairs: list[tuple[str, str]], options=OFFICIAL, limits=LIMITS, jobs=1):
    """Judgements of (gold, prediction) pairs on the concert database."""
    items = [Item(i, "concert", gold, i, 0) for i, (gold, _) in enumerate(pairs)]
    arms = {"arm": [prediction for _, prediction in pairs]}
    task = Task(folder / "db", options, limits, jobs)
    return [row.judgement for row in score(Gold(items, len(items)), arms, task)["arm"].rows]


# Start of a program that uses this module in a process of its own.
PRELUDE = f"""
import resource, sys
sys.path[:0] = {[str(ROOT / "workflow" / "scripts"), str(ROOT / "tests"), str(Path(__file__).parent)]}
from pathlib import Path
import test_metric_hostile as h
"""
HONEST = [
    ("select count(*) from singer", "select count(name) from singer"),
    (NAMES, "select singer.name from singer"),
    ("select max(age) from singer", "select min(age) from singer"),
]
EXPECTED_OF_HONEST = ["correct", "correct", "wrong_result"]


@pytest.fixture(scope="module", params=CASES)
def attack(request, folder):
    """One hostile prediction between honest ones: what came of all, and of the files."""
    before, start = state(folder), time.perf_counter()
    sql = CASES[request.param][0].replace("{outside}", str(folder / "outside"))
    pairs = [HONEST[0], (NAMES, sql), *HONEST[1:]]
    # What another limit has to end gets time enough for it, on a busy machine too.
    may_time_out = "timeout" in CASES[request.param][1]
    judgements = judge(folder, pairs, limits=LIMITS if may_time_out else LIMITS_BUT_TIME)
    return {
        "case": request.param,
        "hostile": judgements.pop(1),
        "honest": [judgement.verdict for judgement in judgements],
        "unchanged": state(folder) == before,
        "seconds": time.perf_counter() - start,
    }


def test_the_verdict_names_the_reason(attack):
    _, verdicts, detail = CASES[attack["case"]]
    assert attack["hostile"].verdict in verdicts.split()
    assert detail in attack["hostile"].detail


def test_no_file_is_changed_or_created(attack):
    assert attack["unchanged"]


def test_honest_neighbours_get_their_verdicts(attack):
    assert attack["honest"] == EXPECTED_OF_HONEST


def test_it_takes_no_longer_than_the_limits_allow(attack):
    # One wall limit, a replaced worker and a busy machine.
    assert attack["seconds"] < 20


def test_all_attacks_in_one_run_get_the_verdicts_that_they_get_alone(folder):
    names = list(reversed(CASES))
    before = state(folder)
    attacks = [CASES[name][0].replace("{outside}", str(folder / "outside")) for name in names]
    judgements = judge(folder, [(NAMES, sql) for sql in attacks] + HONEST, jobs=2)
    found = dict(zip(names, judgements, strict=False))
    assert [name for name in names if found[name].verdict not in CASES[name][1].split()] == []
    assert [j.verdict for j in judgements[-3:]] == EXPECTED_OF_HONEST
    assert state(folder) == before


NO_QUERIES = [
    name
    for name, (_, verdicts, detail) in CASES.items()
    if "read" in detail or "no_sql" in verdicts
]


def test_no_statement_that_is_no_query_equals_an_empty_result(folder):
    attacks = [CASES[name][0].replace("{outside}", str(folder)) for name in NO_QUERIES]
    everything = frozenset(("empty-columns", "one-statement"))
    for options in (Options(), Options(repairs=everything), Options(keep_distinct=True)):
        judgements = judge(folder, [(EMPTY, sql) for sql in attacks], options, jobs=2)
        right = [
            sql[:60] for sql, j in zip(attacks, judgements, strict=True) if j.verdict == "correct"
        ]
        assert right == []


@pytest.mark.parametrize("name", ["semicolon", "drop", "endless count", "like with many wildcards"])
def test_with_plug_value_it_is_just_as_harmless(folder, name):
    judgements = judge(folder, [(NAMES, CASES[name][0]), *HONEST], Options(plug_value=True))
    assert [j.verdict for j in judgements[1:]] == EXPECTED_OF_HONEST
    assert judgements[0].plug_value is False


def test_what_follows_the_first_statement_is_not_run(folder):
    before = state(folder)
    (judgement,) = judge(folder, [(NAMES, "select name from singer; drop table singer")])
    assert judgement.verdict == "correct"
    assert state(folder) == before


def test_two_statements_are_refused_with_keep_distinct(folder):
    sql = "select name from singer; drop table singer"
    (judgement,) = judge(folder, [(NAMES, sql)], Options(keep_distinct=True))
    assert (judgement.verdict, judgement.detail) == (
        "refused",
        "concert.sqlite: more than one statement",
    )


def test_ten_equal_columns_are_compared_at_once(folder):
    columns = ", ".join(["1"] * 10)
    pair = (f"select {columns}, age, name from singer", f"select name, {columns}, age from singer")
    start = time.perf_counter()
    assert judge(folder, [pair])[0].verdict == "correct"
    assert time.perf_counter() - start < 5


def test_value_assignments_are_bounded(folder):
    gold = "select name from singer where age in (1, 2, 3, 4)"
    predicted = "select name from singer where age in (" + " , ".join(["9"] * 12) + ")"
    limits = Limits(max_vm_steps=3_000_000, timeout=20, max_alternatives=500)
    start = time.perf_counter()
    (judgement,) = judge(folder, [(gold, predicted)], Options(plug_value=True), limits)
    assert judgement.verdict == "correct"
    never = predicted.replace(" in ", " not in ")
    (judgement,) = judge(folder, [(gold, never)], Options(plug_value=True), limits)
    assert judgement.plug_value is False
    assert time.perf_counter() - start < 20


@pytest.mark.parametrize(
    "predicted",
    [
        "select count(*) from singer a, singer b, singer c, singer d where a.age > 1 and "
        + " and ".join(f"b.age > {i}" for i in range(12)),
        "select name from singer where age not in ( " + " , ".join(["9"] * 12_000) + " )",
    ],
    ids=["slow alternatives", "long alternatives"],
)
def test_all_value_assignments_together_have_a_budget(folder, predicted):
    gold = "select name from singer where age in (1, 2, 3, 4)"
    start = time.perf_counter()
    attack, honest = judge(folder, [(gold, predicted), HONEST[0]], Options(plug_value=True))
    assert (attack.plug_value, honest.verdict) == (False, "correct")
    assert time.perf_counter() - start < 30


@pytest.mark.parametrize(
    "gold",
    ["drop table singer", ENDLESS.format("count(*)"), "select nothing", ENDLESS.format("x"), ""],
)
def test_a_hostile_gold_is_a_gold_error_and_changes_nothing(folder, gold):
    before = state(folder)
    judgements = judge(folder, [(gold, "select 1"), *HONEST])
    assert [j.verdict for j in judgements] == ["gold_error", *EXPECTED_OF_HONEST]
    assert state(folder) == before


def test_a_gold_that_hangs_in_one_step_is_a_gold_error(folder):
    hanging = CASES["instr of long texts"][0]
    judgements = judge(folder, [(hanging, "select 1"), *HONEST])
    assert judgements[0].verdict == "gold_error"
    assert judgements[0].detail == "concert.sqlite: gold: more than 2 s (limit timeout)"
    assert [j.verdict for j in judgements[1:]] == EXPECTED_OF_HONEST


def test_memory_stays_below_the_limit(folder):
    code = f"""{PRELUDE}
names = ["many large values", "doubling text", "growing replace", "endless sort", "zero blob"]
h.judge(Path({str(folder)!r}), [(h.NAMES, h.CASES[name][0]) for name in names])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(run.stdout) <= LIMITS.memory_mb


def test_a_read_only_folder_is_enough(folder, tmp_path):
    write_database(tmp_path / "db" / "concert" / "concert.sqlite", 0)
    inner = tmp_path / "db" / "concert"
    (inner / "concert.sqlite").chmod(0o400)
    inner.chmod(0o500)
    try:
        assert [j.verdict for j in judge(tmp_path, HONEST)] == EXPECTED_OF_HONEST
        assert [path.name for path in inner.iterdir()] == ["concert.sqlite"]
    finally:
        inner.chmod(0o700)


def test_two_runs_at_once_do_not_disturb_each_other(folder):
    before = state(folder)
    code = f"""{PRELUDE}
pairs = [*h.HONEST, (h.NAMES, h.CASES["with delete"][0])] * 20
print(*[j.verdict for j in h.judge(Path({str(folder)!r}), pairs, jobs=2)])
"""
    command = [sys.executable, "-c", code]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    expected = [*EXPECTED_OF_HONEST, "refused"] * 20
    assert [run.communicate()[0].split() for run in runs] == [expected, expected]
    assert state(folder) == before


def test_a_worker_killed_from_outside_is_replaced(folder):
    code = f"""{PRELUDE}
slow = (h.NAMES, h.CASES["instr of long texts"][0])
judgements = h.judge(Path({str(folder)!r}), [slow, *h.HONEST], limits=h.Limits(timeout=600))
print(*[j.verdict + ":" + j.detail for j in judgements], sep="|")
"""
    run = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    os.kill(wait_for_busy_child(run.pid), signal.SIGKILL)
    first, *others = run.communicate(timeout=60)[0].strip().split("|")
    assert first == "refused:concert.sqlite: ended its process (signal 9)"
    assert [text.partition(":")[0] for text in others] == EXPECTED_OF_HONEST


def wait_for_busy_child(parent: int) -> int:
    """Process number of a child that has used half a second of CPU time."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = entry.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent and int(fields[11]) >= os.sysconf("SC_CLK_TCK") // 2:
                return int(entry.parent.name)
        time.sleep(0.1)
    raise AssertionError("no child became busy")


def test_one_pair_can_be_judged_alone(folder):
    database = folder / "db" / "concert" / "concert.sqlite"
    assert score_pair(NAMES, "select name from singer", database).verdict == "correct"
    assert score_pair(NAMES, "drop table singer", database).verdict == "refused"
