"""Which drawn answers a model learns, and what is said of what it could do before."""

from sqladder.training.kept_answers import kept_counts, learned_rows, right_answers
from sqladder.training.paired_answers import pair_counts, paired_rows
from sqladder.training.rounds import round_facts


def judged(key, *samples, hardness="easy"):
    found = [{"sql": sql, "verdict": verdict, "times": 1} for sql, verdict in samples]
    return {"id": key, "db_id": "shop", "hardness": hardness, "samples": found}


def row(key, gold):
    messages = [{"role": "user", "content": f"question {key}"}]
    return {"id": key, "messages": [*messages, {"role": "assistant", "content": gold}]}


ROWS = [row("a", "SELECT 1"), row("b", "SELECT 2"), row("c", "SELECT 3")]
FIRST = {
    "a": judged(
        "a", ("SELECT 1 ;", "correct"), ("SELECT  +1", "correct"), ("SELECT +1;", "correct")
    ),
    "b": judged("b", ("SELECT 3", "wrong_result"), ("SELECT 1+1", "correct"), hardness="hard"),
    "c": judged("c", ("SELEC", "sql_error"), ("SELECT 4", "wrong_result"), hardness="hard"),
}


def test_right_answers_that_differ_in_blanks_alone_are_one():
    assert right_answers(FIRST["a"]) == ["SELECT 1 ;", "SELECT  +1"]


def test_right_answers_stand_beside_gold_which_is_not_learned_twice():
    rows, numbers = learned_rows(ROWS, [FIRST], 4)
    assert [(own["id"], own["messages"][-1]["content"]) for own in rows] == [
        ("a", "SELECT 1"),
        ("a drawn 1", "SELECT  +1"),
        ("b", "SELECT 2"),
        ("b drawn 1", "SELECT 1+1"),
        ("c", "SELECT 3"),
    ]
    assert all(own["messages"][0] == ROWS["abc".index(own["id"][0])]["messages"][0] for own in rows)
    assert numbers == {"a": 1, "b": 1, "c": 0}


def test_of_several_rounds_the_newest_answers_come_first_up_to_the_limit():
    second = {"b": judged("b", ("SELECT 4/2", "correct"), ("SELECT 1+1", "correct"))}
    rows, numbers = learned_rows(ROWS[1:2], [second, FIRST], 1)
    assert [own["messages"][-1]["content"] for own in rows] == ["SELECT 2", "SELECT 4/2"]
    assert numbers == {"b": 1}
    assert learned_rows(ROWS[1:2], [second, FIRST], 9)[1] == {"b": 2}


def test_what_was_always_right_is_told_apart_by_hardness():
    counts = kept_counts(FIRST, {"a": 1, "b": 1, "c": 0})
    keys = ("questions", "never", "sometimes", "always", "kept", "kept_always")
    assert [counts["easy"][key] for key in keys] == [1, 0, 0, 1, 1, 1]
    assert [counts["hard"][key] for key in keys] == [2, 1, 1, 0, 1, 0]
    assert [counts["all"][key] for key in keys] == [3, 1, 1, 1, 2, 1]
    assert counts["medium"]["questions"] == 0


def test_a_round_counts_what_those_before_it_took():
    drawn = {"settings": {"samples": 4, "temperature": 1.0}, "seconds": 10.0, "gpus": 2}
    judging = {"different": 5, "seconds": 1.0, "databases": 3, "databases_of_one_file": 2}
    first = round_facts("rejection", {}, drawn, judging, None)
    trained = {"seconds": 30.0, "gpus": 1, "nodes": 1, "learning": first}
    second = round_facts("rejection", {}, drawn, judging, trained)
    assert len(second["rounds"]) == 2
    assert [own["databases_of_one_file"] for own in second["rounds"]] == [2, 2]
    assert [(part["what"], part["seconds"] * part["devices"]) for part in second["spent"]] == [
        ("drawing of round 1", 20.0),
        ("training of round 1", 30.0),
        ("drawing of round 2", 20.0),
    ]


def test_pairs_are_of_one_question_right_and_wrong_by_what_was_asked_for():
    drawn = {
        "a": judged("a", ("S1", "correct"), ("S2", "wrong_result"), ("S3", "sql_error")),
        "b": judged("b", ("S4", "wrong_result"), hardness="hard"),
        "c": judged("c", ("S5", "correct"), ("S6", "correct"), ("S7", "timeout"), hardness="hard"),
    }
    pairs = list(paired_rows(ROWS, drawn, ["rows", "error", "time"], 4))
    assert [(own["id"], own["chosen"], own["rejected"], own["wrong_by"]) for own in pairs] == [
        ("a pair 1", "S1", "S2", "rows"),
        ("a pair 2", "S1", "S3", "error"),
        ("c pair 1", "S5", "S7", "time"),
        ("c pair 2", "S6", "S7", "time"),
    ]
    assert pairs[0]["messages"] == ROWS[0]["messages"][:-1]
    assert [own["rejected"] for own in paired_rows(ROWS, drawn, ["error"], 1)] == ["S3"]
    counts = pair_counts(drawn, pairs)
    assert [counts["all"][key] for key in ("questions", "rows", "error", "time")] == [3, 1, 1, 2]
    assert [counts["hard"][key] for key in ("never", "always", "sometimes")] == [1, 0, 1]
