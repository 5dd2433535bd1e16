"""Random SQL never breaks the scorer; benchmarks/fuzz_metric.py does the same for longer."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_metric_hostile import state

from sql_fuzz import GOLDS, confirms, random_pair, write_databases
from sqladder.metric import equality, lexer, normalise
from sqladder.metric import plug_value as values
from sqladder.metric.difficulty import LEVELS, hardness
from sqladder.metric.inputs import Gold, Item
from sqladder.metric.limits import Limits
from sqladder.metric.scoring import Task, score
from sqladder.metric.suite import Options, query_key

VERDICTS = {"correct", "wrong_result", "sql_error", "timeout", "refused", "no_sql"}
LIMITS = Limits(max_vm_steps=300_000, timeout=5, memory_mb=400)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    write_databases(folder / "concert")
    return folder


@pytest.mark.parametrize("seed", range(6))
def test_random_queries_get_a_verdict_and_none_is_called_correct_wrongly(folder, seed):
    rng = random.Random(seed)
    pairs = [random_pair(rng) for _ in range(150)]
    pairs += [(gold, gold) for gold in GOLDS]
    before = state(folder)
    items = [Item(i, "concert", gold, i, 0) for i, (gold, _) in enumerate(pairs)]
    task = Task(folder, Options(plug_value=seed % 2 == 1), LIMITS, jobs=1 + seed % 2)
    arms = {"fuzz": [prediction for _, prediction in pairs]}
    rows = score(Gold(items, len(items)), arms, task)["fuzz"].rows
    assert {row.judgement.verdict for row in rows} <= {*VERDICTS, "gold_error"}
    assert all(row.correct for row in rows[-len(GOLDS) :])
    called = [(row.item.gold, row.prediction) for row in rows if row.correct]
    wrongly = [pair for pair in called if not confirms(folder / "concert", *pair)]
    assert wrongly == []
    assert state(folder) == before


hostile_text = st.text(
    st.sampled_from("aT1 .,;:'\"`[]()-/*#\\%$@=<>!\n\r\té\ud800\0x_5"), max_size=60
)


@settings(max_examples=400, deadline=None)
@given(hostile_text)
def test_tokens_are_the_text(sql):
    assert "".join(token.text for token in lexer.tokenize(sql)) == sql


@settings(max_examples=400, deadline=None)
@given(hostile_text)
def test_every_text_has_a_level_and_can_be_prepared(sql):
    assert hardness(sql) in LEVELS
    prepared = normalise.prepare_prediction(sql)
    assert len(prepared) <= len(sql)
    assert isinstance(query_key(prepared), tuple | None)
    texts, complete = values.alternatives("select 'a', 5", prepared, 50)
    assert len(texts) <= 50
    assert complete or texts


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(*[st.sampled_from([0, 1, 1.0, "1", None, b"1"])] * 3), max_size=5), st.data()
)
def test_equality_holds_under_any_order_of_columns_and_rows(rows, data):
    order = data.draw(st.permutations(range(3)))
    shuffled = [tuple(row[i] for i in order) for row in data.draw(st.permutations(rows))]
    assert equality.results_equal(rows, shuffled)
    assert equality.results_equal(shuffled, rows)


@settings(max_examples=300, deadline=None)
@given(hostile_text, st.sampled_from(["select a", "select 'A'", 'select "A"', "select [A]"]))
def test_blanks_and_case_make_no_other_query(noise, sql):
    key = query_key(f"{sql} , {noise}")
    assert key == query_key(f"{sql}  ,\n {noise}")
    if "'" not in sql:
        assert query_key("SELECT b") == query_key("select  B ;")
