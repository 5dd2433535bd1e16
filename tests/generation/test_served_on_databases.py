"""Answers of a server that are asked again where they fail, and held to a grammar."""

import json

import pytest

import toy_models
from chat_server import MODEL, Failure, chat_server
from killed_writes import run_killed
from sqladder.files import write_jsonl

TEMPLATE = "The query\n{sql}\nfails: {error}\nWrite it again."
GOOD, BAD = "SELECT name FROM singer", "SELECT nam FROM singer"
COUNT = 6
SAMPLING = {"samples": 4, "temperature": 0.8, "include_greedy": True, "log_probabilities": True}


@pytest.fixture
def chat():
    """A server whose answers have a wrong name, until it is told so; to every third question always."""
    with chat_server() as server:
        server.answer = answer
        yield server


def answer(body, seed):
    is_told = len([m for m in body["messages"] if m["role"] == "user"]) > 1
    question = next(m for m in body["messages"] if m["role"] == "user")["content"]
    is_hopeless = "please, please" in question
    # Sampled answers are right where their seed is odd.
    return GOOD if (is_told or seed % 2) and not is_hopeless else BAD


def options(folder, chat, **more):
    folder.mkdir(exist_ok=True)
    prompts = toy_models.write_rows(folder / "test.jsonl", COUNT, with_answer=False)
    rows = toy_models.rows(COUNT)
    write_jsonl(folder / "examples.jsonl", [{"id": row["id"], "db_id": "music"} for row in rows])
    return {
        "url": chat.url,
        "model": MODEL,
        "prompts": prompts,
        "output": folder / "predictions.jsonl",
        "facts": folder / "generation.json",
        **{"max_new_tokens": 64, "temperature": 0.0, "top_p": 1.0, "seed": 7},
        **{"repair_rounds": 2, "repair_template": TEMPLATE, "quirks": "repaired"},
        "examples": folder / "examples.jsonl",
        "databases": toy_models.write_database(folder / "databases"),
    } | more


def run(**asked):
    done = toy_models.run("generate_served_on_databases.py", **asked)
    assert done.returncode == 0, done.stdout
    facts = json.loads(asked["facts"].read_text())
    return toy_models.read_lines(asked["output"]), facts, done.stdout


def test_what_fails_is_asked_again_and_all_rounds_are_counted(chat, tmp_path):
    rows, facts, said = run(**options(tmp_path, chat))
    # The questions 2 and 5 are answered alike however often they are asked: after two rounds no more.
    assert [row["sql"] for row in rows] == [GOOD, GOOD, BAD] * 2
    assert {row["unrepaired"] for row in rows} == {BAD}
    for row in rows:
        first, last = row["rounds"]
        assert (first["error"], last["text"]) == ("no such column: nam", row["text"])
        assert last["prompt_tokens"] > first["output_tokens"]
    assert facts["requests"] == len(chat.requests) == 2 * COUNT
    one, two = facts["repair"]
    assert (one["failing"], one["asked"], one["too_long"]) == (6, 6, 0)
    assert (two["failing"], two["asked"], two["output_tokens"]) == (2, 0, 0)
    told = [body for body in chat.requests if len(body["messages"]) > 2]
    assert told[0]["messages"][-2:] == [
        {"role": "assistant", "content": BAD},
        {"role": "user", "content": TEMPLATE.format(sql=BAD, error="no such column: nam")},
    ]
    # What is paid is what the server counted, over all rounds.
    assert facts["prompt_tokens"] == sum(
        len(message["content"].split()) for body in chat.requests for message in body["messages"]
    )
    assert facts["output_tokens"] == 4 * 2 * COUNT
    assert (facts["prompts"], facts["settings"]["repair"]) == (COUNT, {"rounds": 2})
    assert "execution" in facts["stages"]
    assert "repair 1: 6 answers without a result" in said


def test_samples_that_fail_alike_are_asked_once(chat, tmp_path):
    rows, facts, _ = run(**options(tmp_path, chat, **SAMPLING))
    # The greedy answer and the samples of the seeds 8 and 10 fail, that of 9 does not.
    kept = [["rounds" in sample for sample in row["samples"]] for row in rows]
    assert kept == [[True, True, False, True], [True, True, False, True], [True] * 4] * 2
    assert all("log_probability" in sample for row in rows for sample in row["samples"])
    assert facts["repair"][0]["failing"] == 4 * 3 + 2 * 4
    assert facts["repair"][0]["asked"] == COUNT
    assert [row["sql"] for row in rows] == [GOOD, GOOD, BAD] * 2


def test_a_repair_that_is_too_long_for_the_model_is_left_out_and_counted(chat, tmp_path):
    said = "This model's maximum context length is 1024 tokens, however you requested 1100."
    chat.fail = lambda body: Failure(400, said) if len(body["messages"]) > 2 else None
    rows, facts, _ = run(**options(tmp_path, chat))
    assert not any("rounds" in row for row in rows)
    assert [own["too_long"] for own in facts["repair"]] == [COUNT, 0]
    chat.fail = lambda body: Failure(400, said)
    done = toy_models.run("generate_served_on_databases.py", **options(tmp_path, chat))
    assert "maximum context length" in done.stdout
    assert done.returncode == 1


# Six answers, what they did, six repairs, what those did.
KILLS = [(3, "torn"), (7, "before"), (10, "behind")]


@pytest.mark.parametrize(
    ("sampling", "write", "moment"),
    [(SAMPLING, *kill) for kill in KILLS]
    + [pytest.param({}, *kill, marks=[pytest.mark.slow, pytest.mark.long]) for kill in KILLS],
)
def test_after_a_kill_nothing_is_paid_twice_and_the_file_is_the_same(
    chat, tmp_path, write, moment, sampling
):
    whole = options(tmp_path / "whole", chat, concurrency=1, **sampling)
    run(**whole)
    paid = len(chat.requests)
    chat.requests.clear()
    asked = options(tmp_path / "killed", chat, concurrency=1, **sampling)
    program = "generate_served_on_databases.py"
    assert run_killed(program, write, moment, **asked) == -9
    _, facts, _ = run(**asked)
    assert asked["output"].read_bytes() == whole["output"].read_bytes()
    assert facts["resumed"]["answers"] > 0
    # The answer whose writing was torn, or for which there was no time, is asked for once more.
    torn = 2 if sampling else 1
    assert len(chat.requests) == paid + (torn if moment == "torn" else 0)


def test_a_grammar_goes_along_with_each_prompt_and_its_repairs(chat, tmp_path):
    held = {"structured_outputs": True, "grammar": "schema"}
    run(**options(tmp_path, chat, **held))
    grammars = {body["structured_outputs"]["grammar"] for body in chat.requests}
    assert len(chat.requests) == 2 * COUNT
    (grammar,) = grammars
    assert "[sS] [iI] [nN] [gG] [eE] [rR]" in grammar
    free = options(tmp_path, chat, structured_outputs=True, grammar="sql", repair_rounds=0)
    for name in ("examples", "databases", "repair_template"):
        del free[name]
    rows, _, _ = run(**free)
    assert "rounds" not in rows[0]


def test_a_server_that_does_not_take_a_grammar_is_named(chat, tmp_path):
    held = {"structured_outputs": True, "grammar": "schema", "repair_rounds": 0}
    chat.answer = lambda body, seed: f"Sure: {GOOD}"
    done = toy_models.run("generate_served_on_databases.py", **options(tmp_path, chat, **held))
    assert "not by the grammar that it was sent as structured_outputs" in done.stdout
    chat.fail = lambda body: Failure(400, "Unknown parameter: 'structured_outputs'.")
    done = toy_models.run("generate_served_on_databases.py", **options(tmp_path, chat, **held))
    assert "it does not take the grammar (decoding.grammar); give grammar: none" in done.stdout
    del held["structured_outputs"]
    done = toy_models.run("generate_served_on_databases.py", **options(tmp_path, chat, **held))
    assert "give --structured-outputs" in done.stdout


@pytest.mark.parametrize("name", ["examples", "databases", "repair_template"])
def test_what_repairs_need_is_named(chat, tmp_path, name):
    asked = options(tmp_path, chat)
    del asked[name]
    done = toy_models.run("generate_served_on_databases.py", **asked)
    assert done.returncode == 1
    assert "give --examples (id, db_id), --databases and --repair-template" in done.stdout
    assert not chat.requests
