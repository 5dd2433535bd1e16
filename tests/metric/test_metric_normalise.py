"""Preparation of texts: each quirk of the official evaluator, and the repair that takes it away."""

import sqlite3

import pytest

from sqladder.metric.equality import results_equal
from sqladder.metric.lexer import first_statement, has_statement, tokenize
from sqladder.metric.normalise import (
    REPAIRS,
    executable,
    order_matters,
    prepare_gold,
    prepare_prediction,
)
from sqladder.metric.plug_value import alternatives, skeleton_of, values_of
from sqladder.metric.scoring import score_pair
from sqladder.metric.suite import Options


def repaired(*names: str) -> frozenset[str]:
    assert set(names) <= set(REPAIRS)
    return frozenset(names)


def test_value_is_replaced_in_predictions_only():
    assert prepare_prediction("select value from t") == "select 1 from t"
    assert prepare_gold("select value from t") == "select value from t"


def test_value_in_names_leaves_predictions_alone():
    sql = "select property_value from t where x = 'value'"
    assert prepare_prediction(sql) == "select property_1 from t where x = '1'"
    assert prepare_prediction(sql, repairs=repaired("value-in-names")) == sql


def test_operators_are_joined():
    assert prepare_gold("a > = 1 and b < = 2 and c ! = 3") == "a >= 1 and b <= 2 and c != 3"


def test_literals_are_mended_too_unless_repaired():
    sql = "select '> =' where a > = 1"
    assert prepare_gold(sql) == "select '>=' where a >= 1"
    assert prepare_gold(sql, repairs=repaired("literals")) == "select '> =' where a >= 1"


def test_distinct_is_deleted_but_not_in_quotes():
    sql = "select distinct a, count(DISTINCT b), 'distinct', \"distinct\", [distinct] from t"
    assert prepare_gold(sql) == (
        "select  a, count( b), 'distinct', \"distinct\", [distinct] from t"
    )
    assert prepare_gold(sql, keep_distinct=True) == sql


def test_is_distinct_from_is_broken_unless_repaired():
    sql = "select distinct a from t where a is not distinct from b or b IS DISTINCT FROM c"
    assert prepare_gold(sql) == "select  a from t where a is not  from b or b IS  FROM c"
    assert prepare_gold(sql, repairs=repaired("is-distinct-from")) == sql.replace(
        "distinct ", " ", 1
    )


def test_what_follows_the_first_statement_is_dropped():
    assert prepare_gold("select 1; drop table t") == "select 1; "
    assert prepare_gold("select ';'; drop table t") == "select ';'; "
    assert prepare_gold("select (1; drop table t") == "select (1; drop table t"


def test_the_current_year_is_2020():
    assert executable("select Year ( CURDATE() ) - a") == "select 2020- a"
    assert (
        executable("select 'YEAR(CURDATE())'", repaired("literals")) == "select 'YEAR(CURDATE())'"
    )


@pytest.mark.parametrize(
    ("gold", "official", "outermost"),
    [
        ("select a from t order by a", True, True),
        ("select a from t order  by a", False, True),
        ("select a from (select a from t order by a)", True, False),
        ("select 'order by'", True, False),
        (r"select a from t where a <> '\' order by a || ''", True, True),
        ("select a from t order/* */by a", False, True),
        ("select a from t", False, False),
    ],
)
def test_order_matters_by_text_or_by_meaning(gold, official, outermost):
    assert order_matters(gold) is official
    assert order_matters(gold, repaired("order-by")) is outermost


def test_number_keys_makes_1_and_1_0_one_value():
    assert not results_equal([(1, 10)], [(1.0, 10)])
    assert results_equal([(1, 10)], [(1.0, 10)], number_keys=True)


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "pets" / "pets.sqlite"
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "create table pet(name, age, value); insert into pet values(1, 2, 3);"
        )
    connection.close()
    return path


@pytest.mark.parametrize(
    ("repair", "gold", "predicted", "official", "mended"),
    [
        (
            "value-in-names",
            "select value from pet",
            "select value from pet",
            "wrong_result",
            "correct",
        ),
        (
            "is-distinct-from",
            "select name from pet where age is not 9",
            "select name from pet where age is distinct from 9",
            "sql_error",
            "correct",
        ),
        ("literals", "select '>='", "select '> ='", "correct", "wrong_result"),
        (
            "order-by",
            "select 'order by', 1 union all select 'order by', 2",
            "select 'order by', 2 union all select 'order by', 1",
            "wrong_result",
            "correct",
        ),
        ("number-keys", "select 1, 10", "select 1.0, 10", "wrong_result", "correct"),
        (
            "empty-columns",
            "select name from pet where 0",
            "select name, age from pet where 0",
            "correct",
            "wrong_result",
        ),
        ("one-statement", "select 5", "select 5; select 6", "correct", "refused"),
    ],
)
def test_each_repair_changes_the_verdict_that_it_is_for(
    database, repair, gold, predicted, official, mended
):
    assert score_pair(gold, predicted, database).verdict == official
    options = Options(repairs=frozenset((repair,)))
    assert score_pair(gold, predicted, database, options).verdict == mended


def test_tokens_of_a_query():
    texts = [token.text for token in tokenize("SELECT t1.a,-5>=1.5 FROM 'it''s' -- end")]
    assert texts == [
        *("SELECT", " ", "t1", ".", "a", ",", "-5", ">=", "1.5", " ", "FROM", " ", "'it''s'", " "),
        "-- end",
    ]


def test_a_statement_keeps_the_line_comment_after_its_end():
    text = "".join(token.text for token in first_statement("select 1; -- x\nselect 2"))
    assert text == "select 1; -- x\n"


@pytest.mark.parametrize(("sql", "holds"), [("", False), (" ;-- x", False), ("/**/a", True)])
def test_a_statement_is_more_than_blanks_comments_and_semicolons(sql, holds):
    assert has_statement(sql) is holds


def test_values_are_literals_and_numbers_but_not_aliases():
    sql = "select t1.a from t as t1 where b = 'X y' and c > 30 and d < 1.5 limit 5"
    assert values_of(sql) == ["'X y'", "1.5", "30", "5"]


def test_a_skeleton_has_places_for_values_and_is_lower_case():
    assert skeleton_of("SELECT T1.a FROM t AS T1 WHERE b = 'X';") == (
        ["select", "t1", ".", "a", "from", "t", "as", "t1", "where", "b", "=", "valuerare"]
    )


def test_alternatives_put_golds_values_in_all_places():
    texts, complete = alternatives("select 5, 'a'", "select b where c = 1 and d = 'q'", 100)
    assert complete
    assert set(texts) == {
        f"select b where c = {left} and d = {right}"
        for left in ("5", "'a'")
        for right in ("5", "'a'")
    }


def test_without_places_the_text_itself_is_the_alternative():
    assert alternatives("select 5", "SELECT  a FROM t", 9) == (["select a from t"], True)


def test_places_without_values_have_no_alternative():
    assert alternatives("select a", "select 5", 9) == ([], True)


def test_alternatives_are_bounded():
    texts, complete = alternatives("select 1, 2, 3", "select " + " , ".join("9" * 40), 100)
    assert (len(texts) <= 100, complete) == (True, False)
