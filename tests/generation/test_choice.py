"""The choice among samples: by likelihood and by vote, and the program that makes it."""

import json
import sqlite3

import pytest

import toy_models
from sqladder.files import write_jsonl
from sqladder.generation.choice import likeliest, voted, with_choice


def samples(*log_probabilities):
    return [{"log_probability": value} for value in log_probabilities]


def test_the_likeliest_sample_is_the_first_of_equal_ones():
    assert likeliest(samples(-0.5, -0.1, -0.1, -0.2)) == 1


@pytest.mark.parametrize(
    ("groups", "log_probabilities", "chosen"),
    [
        # The largest group, and in it the likeliest.
        ([0, 1, 1], [-0.1, -0.9, -0.5], 2),
        # Of equal groups the one with the likeliest sample.
        ([0, 1, 0, 1], [-0.4, -0.9, -0.5, -0.3], 3),
        # Of equally likely ones the first drawn.
        ([0, 1], [-0.2, -0.2], 0),
        # No number of failures wins against a result.
        ([None, None, None, 0], [-0.1, -0.1, -0.1, -5.0], 3),
        # Without any result it is the likeliest.
        ([None, None], [-0.3, -0.2], 1),
    ],
)
def test_the_result_that_most_samples_give_wins(groups, log_probabilities, chosen):
    assert voted(samples(*log_probabilities), groups) == chosen


def test_a_prediction_keeps_all_samples_with_their_groups():
    drawn = [
        {"sql": sql, "text": sql, "finish_reason": "stop", "output_tokens": 1, "log_probability": p}
        for sql, p in (("select 1", -1.0), ("select 2", -0.5))
    ]
    row = with_choice({"id": "q", "sql": "select 1", "samples": drawn}, [None, 0])
    assert (row["sql"], row["chosen"]) == ("select 2", 1)
    assert [sample["group"] for sample in row["samples"]] == [None, 0]
    assert [sample["sql"] for sample in row["samples"]] == ["select 1", "select 2"]


def test_the_choice_without_repairs_is_kept_beside_that_with_them():
    failed = {"sql": "select x", "log_probability": -0.1, "error": "no such column: x"}
    drawn = [
        {"sql": sql, "text": sql, "finish_reason": "stop", "output_tokens": 1, "log_probability": p}
        for sql, p in (("select 1", -1.0), ("select 2", -2.0), ("select 2", -3.0))
    ]
    drawn[2]["rounds"] = [failed, drawn[2]]
    row = {"id": "q", "sql": "select 1", "unrepaired": "select 1", "samples": drawn}
    voted_on = with_choice(row, [0, 1, 1])
    # The repaired sample is what makes its group the larger one.
    assert (voted_on["sql"], voted_on["unrepaired"]) == ("select 2", "select 1")
    assert with_choice(row)["unrepaired"] == "select x"
    assert "unrepaired" not in with_choice({"id": "q", "samples": drawn[:2]})


@pytest.fixture
def files(tmp_path):
    """Three samples to each of two questions, and a suite whose other file would turn the vote."""
    for name, ages in (("pets", (3, 3, 2)), ("other", (9, 9, 9))):
        path = tmp_path / "databases/pets" / f"{name}.sqlite"
        path.parent.mkdir(parents=True, exist_ok=True)
        with sqlite3.connect(path) as connection:
            connection.execute("create table pet(age)")
            connection.executemany("insert into pet values(?)", [(age,) for age in ages])
        connection.close()
    write_jsonl(tmp_path / "test.jsonl", [{"id": i, "db_id": "pets"} for i in ("q1", "q2")])
    sqls = {
        "q1": ["select 9", "select max(age) from pet", "select 3", "select a from pet"],
        "q2": ["select a from pet", "delete from pet", "select 2", ""],
    }
    write_jsonl(tmp_path / "samples.jsonl", [row(key, texts) for key, texts in sqls.items()])
    return {
        "samples": tmp_path / "samples.jsonl",
        "examples": tmp_path / "test.jsonl",
        "databases": tmp_path / "databases",
        "output": tmp_path / "predictions.jsonl",
    }


def row(key, sqls):
    drawn = [
        {
            "sql": sql,
            "text": sql,
            "finish_reason": "stop",
            "output_tokens": 3,
            "log_probability": -float(place + 1),
        }
        for place, sql in enumerate(sqls)
    ]
    return {"id": key, "sql": sqls[0], "prompt_tokens": 5, "samples": drawn}


def test_votes_are_taken_on_the_original_file_alone(files):
    done = toy_models.run("choose_answers.py", **files, choose="vote")
    assert done.returncode == 0, done.stdout
    predictions = toy_models.read_lines(files["output"])
    assert [found["sql"] for found in predictions] == ["select max(age) from pet", "select 2"]
    groups = [[sample["group"] for sample in found["samples"]] for found in predictions]
    assert groups == [[0, 1, 1, None], [None, None, 0, None]]
    # Nothing that was executed wrote.
    with sqlite3.connect(files["databases"] / "pets/pets.sqlite") as connection:
        assert connection.execute("select count(*) from pet").fetchone() == (3,)


def test_the_likeliest_answer_executes_nothing(files):
    done = toy_models.run("choose_answers.py", **files, choose="likeliest")
    assert done.returncode == 0, done.stdout
    predictions = toy_models.read_lines(files["output"])
    assert [found["chosen"] for found in predictions] == [0, 0]
    assert "group" not in json.dumps(predictions)


def test_a_question_without_examples_is_named(files):
    write_jsonl(files["examples"], [{"id": "q1", "db_id": "pets"}])
    done = toy_models.run("choose_answers.py", **files, choose="vote")
    assert done.returncode == 1
    assert "'q2'" in done.stdout
    assert "Traceback" not in done.stdout
