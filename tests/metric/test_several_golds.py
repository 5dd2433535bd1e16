"""Several right queries, and what a question forgives: metrics beside the strict one, never instead of it."""

import json
import sqlite3
from contextlib import closing

import pytest

from sqladder.cli import main
from sqladder.metric.allowances import Allowances
from sqladder.metric.input_error import InputError
from sqladder.metric.inputs import Gold, Item, read_gold, read_predictions
from sqladder.metric.records import metrics_of, secondary_of, verdict_row
from sqladder.metric.scoring import Task, score, with_exact_match
from sqladder.metric.suite import Options

GOLD = "select name, price from item order by price"


@pytest.fixture
def databases(tmp_path):
    folder = tmp_path / "databases" / "shop"
    folder.mkdir(parents=True)
    for name, prices in {"shop": (3, 1, 2), "shop_2": (9, 8)}.items():
        with closing(sqlite3.connect(folder / f"{name}.sqlite")) as connection, connection:
            connection.execute("create table item (id integer primary key, name text, price real)")
            rows = [(f"thing {price}", price + 0.5) for price in prices]
            connection.executemany("insert into item (name, price) values (?, ?)", rows)
    return folder.parent


def run(arguments):
    """The exit status of `sqladder` with these arguments."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr("sys.argv", ["sqladder", *arguments])
        main()
    return ended.value.code


def scored(databases, prediction, gold=GOLD, alternatives=(), plug=False, **allowed):
    allowances = Allowances(**allowed) if allowed else None
    item = Item("a", "shop", gold, 0, 0, "", tuple(alternatives), allowances)
    task = Task(databases, Options(plug_value=plug))
    return score(Gold([item], 1), {"v": [prediction]}, task)["v"]


OTHERS = ["select count(*) from item", "select max(price) from item"]


@pytest.mark.parametrize(
    "prediction", [GOLD, *OTHERS, "select max(price) from item where price > 0"]
)
def test_an_answer_that_equals_any_gold_is_right(databases, prediction):
    row = scored(databases, prediction, alternatives=OTHERS).rows[0]
    assert row.judgement.verdict == "correct"
    assert row.judgement.single_database


def test_an_answer_that_is_each_gold_somewhere_is_wrong(databases):
    """Right on the one file by one gold and on the other by another is no answer to the question."""
    first, second = "select 3", "select 2"
    prediction = "select count(*) from item"
    row = scored(databases, prediction, gold=first, alternatives=[second]).rows[0]
    assert row.judgement.verdict == "wrong_result"
    assert row.judgement.single_database


@pytest.mark.parametrize(
    "golds", [["select nope from item", GOLD], [GOLD, "select nope from item"]]
)
def test_a_gold_that_fails_leaves_the_others(databases, golds):
    wrong = scored(databases, "select 7", gold=golds[0], alternatives=golds[1:]).rows[0]
    assert wrong.judgement.verdict == "wrong_result"
    right = scored(databases, GOLD, gold=golds[0], alternatives=golds[1:]).rows[0]
    assert right.judgement.verdict == "correct"


def test_values_are_plugged_in_from_each_gold(databases):
    golds = ["select 1 from item where price > 3", "select name from item where price > 2"]
    prediction = "select name from item where price > 7"
    row = scored(databases, prediction, gold=golds[0], alternatives=golds[1:], plug=True).rows[0]
    assert (row.correct, row.plugged) == (False, True)


def test_exact_match_takes_any_gold(databases):
    scores = scored(databases, "select count(*) from item", alternatives=OTHERS)
    assert with_exact_match(scores, Task(databases)).rows[0].matched


FORGIVEN = [
    # optional columns
    ("select name from item order by price", {"optional": ("price",)}, "optional_columns", True),
    ("select name from item order by price", {"optional": (2,)}, "optional_columns", True),
    ("select price from item order by price", {"optional": ("NAME",)}, "optional_columns", True),
    ("select price from item order by price", {"optional": ("price",)}, "optional_columns", False),
    ("select name from item", {"optional": ("price",)}, "optional_columns", False),
    (GOLD, {"optional": ("price",)}, "optional_columns", True),
    (
        "select name, price, id from item order by price",
        {"optional": ("id",)},
        "optional_columns",
        False,
    ),
    ("select nope from item", {"optional": ("price",)}, "optional_columns", False),
    # order
    ("select name, price from item order by price desc", {"any_order": True}, "any_order", True),
    (
        "select name, price from item where price > 2 order by 1",
        {"any_order": True},
        "any_order",
        False,
    ),
    ("select name, 0 from item", {"any_order": True}, "any_order", False),
    # numbers
    ("select name, price * 1.001 from item order by price", {"tolerance": 0.01}, "tolerance", True),
    ("select price * 0.999, name from item order by price", {"tolerance": 0.01}, "tolerance", True),
    ("select name, price * 1.1 from item order by price", {"tolerance": 0.01}, "tolerance", False),
    (
        "select name, price * 1.001 from item order by price desc",
        {"tolerance": 0.01},
        "tolerance",
        False,
    ),
    ("select 'x' || name, price from item order by price", {"tolerance": 0.01}, "tolerance", False),
    ("select name, null from item order by price", {"tolerance": 0.99}, "tolerance", False),
]


@pytest.mark.parametrize(("prediction", "allowed", "name", "right"), FORGIVEN)
def test_what_is_forgiven_is_a_metric_beside_the_strict_one(
    databases, prediction, allowed, name, right
):
    scores = scored(databases, prediction, **allowed)
    scores = with_exact_match(scores, Task(databases))
    row = verdict_row(scores.rows[0], secondary_of(scores))
    strict = scored(databases, prediction).rows[0]
    assert (row["verdict"] == "correct") == strict.correct == (prediction == GOLD)
    assert row[name] == right
    found = metrics_of("v", scores, {})["secondary"]
    assert found[name]["all"] == {"n": 1, "correct": int(right), "rate": float(right)}
    assert set(found) == {"plug_value", "single_database", "exact_match", name}


def test_a_hundredth_does_not_let_all_of_a_chain_of_numbers_pass(databases):
    gold = "select 100 union all select 101 union all select 102"
    wrong = "select 100 union all select 100 union all select 100"
    close = "select 100.4 union all select 101.5 union all select 101.9"
    for prediction, right in ((wrong, False), (close, True)):
        row = scored(databases, prediction, gold=gold, tolerance=0.005).rows[0]
        assert row.judgement.forgiven == {"tolerance": right}


def test_one_thing_that_is_forgiven_does_not_forgive_another(databases):
    both = {"any_order": True, "tolerance": 0.01}
    row = scored(databases, "select name, price * 1.001 from item order by 2 desc", **both).rows[0]
    assert row.judgement.forgiven == {"any_order": False, "tolerance": False}


def test_a_question_that_forgives_nothing_counts_as_in_the_strict_metric(databases):
    items = [
        Item("a", "shop", GOLD, 0, 0, "", (), Allowances(any_order=True)),
        Item("b", "shop", GOLD, 1, 0),
    ]
    reverse = "select name, price from item order by price desc"
    scores = score(Gold(items, 2), {"v": [reverse, reverse]}, Task(databases))["v"]
    rows = [verdict_row(row, secondary_of(scores)) for row in scores.rows]
    assert [row["any_order"] for row in rows] == [True, False]
    assert [row["verdict"] for row in rows] == ["wrong_result"] * 2


RECORDS = [
    {"id": 1, "db_id": "shop", "sql": [GOLD, *OTHERS], "any_order": True},
    {"id": 2, "db_id": "shop", "sql": "select 2", "alternatives": ["select 3"], "tolerance": 0.1},
    {"id": 3, "db_id": "shop", "sql": "select id, name from item", "optional": ["id"]},
    {"id": 4, "db_id": "shop", "sql": "select 4"},
]
CSV = """id,db_id,sql,alternatives,any_order,tolerance,optional
1,shop,"{gold}","[""{0}"", ""{1}""]",true,,
2,shop,select 2,"[""select 3""]",,0.1,
3,shop,"select id, name from item",,,,"[""id""]"
4,shop,select 4,,,,
"""


@pytest.mark.parametrize("form", ["jsonl", "json", "csv"])
def test_gold_files_hold_them(databases, tmp_path, capsys, form):
    gold = tmp_path / f"gold.{form}"
    lines = "".join(json.dumps(row) + "\n" for row in RECORDS)
    text = {"jsonl": lines, "json": json.dumps(RECORDS), "csv": CSV.format(*OTHERS, gold=GOLD)}
    gold.write_text(text[form])
    items = read_gold(gold).items
    assert [item.golds for item in items] == [
        (GOLD, *OTHERS),
        ("select 2", "select 3"),
        ("select id, name from item",),
        ("select 4",),
    ]
    assert [item.allowances and item.allowances.given for item in items] == [
        ["any_order"],
        ["tolerance"],
        ["optional_columns"],
        None,
    ]
    answers = [OTHERS[1], "select 3.1", "select name from item", "select 4"]
    predictions = tmp_path / "answers.jsonl"
    predictions.write_text(
        "".join(json.dumps({"id": n, "sql": sql}) + "\n" for n, sql in enumerate(answers, 1))
    )
    command = ["score", "--gold", str(gold), "--pred", str(predictions), "--db", str(databases)]
    verdicts = tmp_path / "verdicts.jsonl"
    kept = ["--gold-results", str(tmp_path / "kept"), "--verdicts", str(verdicts)]
    assert run([*command, *kept]) == 0
    assert "where tolerance is forgiven: 3 of 4 (0.750)" in capsys.readouterr().out
    rows = [json.loads(line) for line in verdicts.read_text().splitlines()]
    assert [row["verdict"] for row in rows] == [
        "correct",
        "wrong_result",
        "wrong_result",
        "correct",
    ]
    assert [row.get("tolerance") for row in rows] == [None, True, None, None]
    assert run([*command, *kept, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["answers.jsonl"]["forgiving"]
    assert {name: level["all"]["correct"] for name, level in found.items()} == {
        "optional_columns": 3,
        "any_order": 2,
        "tolerance": 3,
    }


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("alternatives", "select 1", "alternatives is 'select 1', but must be a list"),
        ("alternatives", '["select 1"', "no JSON list"),
        ("alternatives", ["select 1", ""], "alternatives hold ''"),
        ("alternatives", [3], "alternatives hold 3"),
        ("optional", [0], "optional holds 0"),
        ("optional", [True], "optional holds True"),
        ("optional", [""], "optional holds ''"),
        ("optional", list("abcdefg"), "7 optional columns, of at most 6"),
        ("any_order", "perhaps", "any_order is 'perhaps', but must be true or false"),
        ("tolerance", "-1", "tolerance is '-1', but must be a share from 0 to 1"),
        ("tolerance", 1, "tolerance is 1, but"),
        ("tolerance", True, "tolerance is True, but"),
        ("tolerance", "nan", "tolerance is 'nan', but"),
    ],
)
def test_what_cannot_be_is_refused_by_its_place(tmp_path, field, value, told):
    gold = tmp_path / "gold.jsonl"
    gold.write_text(json.dumps({"id": 1, "db_id": "shop", "sql": "select 1", field: value}))
    with pytest.raises(InputError, match=r"gold\.jsonl line 1") as raised:
        read_gold(gold)
    assert told in str(raised.value)


@pytest.mark.parametrize("value", [[], [1], ["select 1", None]])
def test_a_list_of_golds_holds_texts(tmp_path, value):
    gold = tmp_path / "gold.jsonl"
    gold.write_text(json.dumps({"id": 1, "db_id": "shop", "sql": value}))
    with pytest.raises(InputError, match=r"gold\.jsonl line 1"):
        read_gold(gold)


def test_an_answer_is_one_query(tmp_path):
    gold, answers = tmp_path / "gold.jsonl", tmp_path / "answers.jsonl"
    gold.write_text(json.dumps({"id": 1, "db_id": "shop", "sql": "select 1"}))
    answers.write_text(json.dumps({"id": 1, "sql": ["select 1", "select 2"]}))
    with pytest.raises(InputError, match=r"answers\.jsonl.*several queries"):
        read_predictions(answers, read_gold(gold))
