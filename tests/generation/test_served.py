"""Answers of a server: what it is asked, how its failures are met, and that no secret is written."""

import json
import os
import signal
import subprocess
import time
from typing import NamedTuple

import pytest

import toy_models
from chat_server import MODEL, Failure, answer_of, chat_server
from conftest import ROOT
from sqladder.errors import InputError
from sqladder.experiment.code_digests import reached_files
from sqladder.generation.outcome import prediction
from sqladder.generation.served import Asker, asked_with, first_key, served_facts
from sqladder.generation.served_settings import Server
from sqladder.generation.settings import SamplingSettings
from sqladder.generation.work_file import WorkFile

KEY = "sk-very-secret-0123456789"
GREEDY = {"max_new_tokens": 64, "temperature": 0.0, "top_p": 1.0, "seed": 7}
ROWS = toy_models.rows(6, with_answer=False)


@pytest.fixture
def chat():
    with chat_server() as server:
        yield server


class Asking(NamedTuple):
    """Who is asked, how, and with what patience."""

    server: Server
    decoding: SamplingSettings
    key: str
    patience: dict

    def asked_with(self):
        return asked_with(self.server, ROWS, self.decoding, {})


def asker(chat, retries=2, timeout=600.0, key="", server=None, **decoding):
    chosen = {"url": chat.url, "model": MODEL} | (server or {})
    settings = SamplingSettings(**GREEDY | decoding)
    return Asking(Server(**chosen), settings, key, {"retries": retries, "timeout": timeout})


def answers(asking, folder, rows=ROWS, concurrency=3):
    """Predictions and facts."""
    path = folder / "predictions.jsonl.work"
    with WorkFile(path, asked_with(asking.server, rows, asking.decoding, {})) as work:
        asker = Asker(asking.server, asking.key, work, concurrency, **asking.patience)
        asker.ask("ask", {first_key(row): row["messages"] for row in rows}, asking.decoding)
        facts = served_facts(asking.server, rows, work)
        return [prediction(row["id"], work[first_key(row)]) for row in rows], facts


def refusal(asking, folder, rows=ROWS[:1]):
    with pytest.raises(InputError) as caught:
        answers(asking, folder, rows)
    return str(caught.value)


def question(row):
    return row["messages"][-1]["content"]


def program(folder, chat, **options):
    """The options of the program that asks."""
    return {
        "url": chat.url,
        "model": MODEL,
        "prompts": toy_models.write_rows(folder / "test.jsonl", 6, with_answer=False),
        "output": folder / "predictions.jsonl",
        "facts": folder / "generation.json",
        **GREEDY,
    } | options


# What is asked, and what comes of it


def test_prompts_are_asked_as_messages_and_answers_joined_by_id(chat, tmp_path):
    # Long enough to be under way together on a busy machine.
    chat.fail = lambda body: Failure(slow=0.5)
    found, facts = answers(asker(chat), tmp_path)
    assert [row["id"] for row in found] == [row["id"] for row in ROWS]
    for row, prompt in zip(found, ROWS, strict=True):
        assert row["text"] == answer_of(question(prompt), 0)
        assert row["sql"] == f"SELECT {len(question(prompt))}, 0 FROM singer"
        assert (row["finish_reason"], row["output_tokens"]) == ("stop", 7)
    asked = {body["messages"][-1]["content"]: body for body in chat.requests}
    assert asked[question(ROWS[0])] == {
        "messages": ROWS[0]["messages"],
        "model": MODEL,
        "max_tokens": 64,
        "temperature": 0.0,
    }
    assert len(chat.requests) == facts["requests"] == 6
    assert 1 < chat.under_way <= 3
    assert facts["output_tokens"] == 6 * 7
    assert facts["prompt_tokens"] == sum(row["prompt_tokens"] for row in found)
    assert facts["answered_by"] == [f"{MODEL}-2026-11"]


def test_the_limit_has_the_name_that_the_server_knows_and_cut_answers_are_counted(chat, tmp_path):
    asking = asker(chat, server={"length_key": "max_completion_tokens"}, max_new_tokens=3)
    found, facts = answers(asking, tmp_path)
    assert {body["max_completion_tokens"] for body in chat.requests} == {3}
    assert {row["finish_reason"] for row in found} == {"length"}
    assert facts["cut_off"] == 6


SAMPLED = {"samples": 4, "temperature": 0.8, "top_p": 0.9, "log_probabilities": True}


@pytest.mark.parametrize("knows_n", [True, False])
def test_samples_are_as_many_as_asked_for_whether_or_not_the_server_knows_n(
    chat, tmp_path, knows_n
):
    chat.knows_n = knows_n
    found, facts = answers(asker(chat, **SAMPLED, include_greedy=True), tmp_path, ROWS[:2])
    for row, prompt in zip(found, ROWS, strict=False):
        texts = [sample["text"] for sample in row["samples"]]
        # The greedy one, which needs no seed; then sampled ones with seeds of their own.
        seeds = [0, 8, 9, 10]
        assert texts == [answer_of(question(prompt), seed) for seed in seeds]
        assert all(sample["output_tokens"] == 7 for sample in row["samples"])
        assert all(sample["log_probability"] <= -0.5 for sample in row["samples"])
    assert facts["requests"] == len(chat.requests) == 2 * (2 if knows_n else 4)
    assert chat.requests[0]["temperature"] == 0
    assert "seed" not in chat.requests[0]


def test_keys_that_are_left_out_are_not_sent(chat, tmp_path):
    answers(asker(chat, server={"leave_out": ["seed", "top_p", "n"]}, **SAMPLED), tmp_path)
    assert len(chat.requests) == 6 * 4
    assert not {"seed", "top_p", "n"} & set().union(*chat.requests)


def test_a_choice_by_likelihood_needs_a_server_that_tells_it(chat, tmp_path):
    chat.tells_logprobs = False
    assert "choose: first" in refusal(asker(chat, **SAMPLED), tmp_path)


def test_no_change_of_an_engine_or_of_the_rendering_asks_anything_anew():
    reached = {path.stem for path in reached_files(ROOT / "workflow/scripts/generate_served.py")}
    assert {"served", "served_reply", "extraction"} <= reached
    assert not {"answering", "vllm_engine", "transformers_engine", "rendering", "turns"} & reached
    assert not {"sql_grammar", "trial", "repair_rounds"} & reached


# Failures


@pytest.mark.parametrize(
    "failure",
    [
        Failure(429, headers={"Retry-After": "1"}),
        Failure(500),
        Failure(503),
        Failure(drop=True),
        Failure(cut=40),
        Failure(short=40),
        Failure(slow=1.5),
    ],
    ids=lambda failure: str(failure.status or failure)[:60],
)
def test_what_passes_is_asked_again_and_counted(chat, tmp_path, failure):
    chat.failures = [failure]
    found, facts = answers(asker(chat, timeout=1.0), tmp_path)
    assert [row["text"] for row in found] == [answer_of(question(row), 0) for row in ROWS]
    assert facts["retries"] == 1
    assert len(chat.requests) == 7


def test_the_server_says_how_long_to_wait(chat, tmp_path):
    chat.failures = [Failure(429, headers={"Retry-After": "2"})]
    answers(asker(chat), tmp_path, ROWS[:1])
    first, second = chat.times
    assert 1.9 < second - first < 4


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (Failure(429, "slow down"), ["429", "slow down", "run again later", "concurrency", "kept"]),
        (Failure(429, headers={"Retry-After": "900"}), ["asks to wait 900 s"]),
        (Failure(502), ["502", "kept"]),
        (Failure(drop=True), ["cannot be reached", "kept"]),
        (Failure(slow=1.2), ["did not answer in time", "kept"]),
        (Failure(cut=40), ["not as OpenAI's API does", '{"id": "chatcmpl-1"', "/v1"]),
    ],
    ids=["429", "429 for long", "502", "drop", "slow", "half"],
)
def test_what_does_not_pass_is_said_in_one_line(chat, tmp_path, failure, words):
    chat.fail = lambda body: failure
    said = refusal(asker(chat, retries=1, timeout=0.5), tmp_path)
    assert all(word in said for word in [chat.url, *words]), said
    assert "\n" not in said


def test_a_server_that_is_not_there_is_named(tmp_path):
    with chat_server() as gone:
        asking = asker(gone, retries=0)
    assert f"{gone.url} cannot be reached" in refusal(asking, tmp_path)


@pytest.mark.parametrize("param", ["temperature", None])
@pytest.mark.parametrize("status", [400, 422])
def test_a_key_that_is_refused_is_named_with_its_value_and_the_way_out(
    chat, tmp_path, status, param
):
    message = "'temperature' does not support 0.7 with this model."
    chat.fail = lambda body: Failure(status, message, param) if "temperature" in body else None
    said = refusal(asker(chat, temperature=0.7), tmp_path)
    assert f"refuses the request ({status}: {message})" in said
    assert "temperature: 0.7 (decoding.temperature)" in said
    assert "leave_out: [temperature]" in said
    assert len(chat.requests) == 1
    answers(asker(chat, temperature=0.7, server={"leave_out": ["temperature"]}), tmp_path)


def test_the_other_name_of_the_limit_is_the_way_out(chat, tmp_path):
    message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    chat.fail = lambda body: Failure(400, message, "max_tokens")
    assert "length_key: max_completion_tokens" in refusal(asker(chat), tmp_path)


def test_a_wrong_model_is_named(chat, tmp_path):
    said = refusal(asker(chat, server={"model": "gpt-0"}), tmp_path)
    assert "has no model 'gpt-0'" in said
    assert f"{chat.url}/models" in said


def test_one_refusal_ends_the_others_at_once(chat, tmp_path):
    chat.failures = [Failure(slow=20), Failure(400, "no")]
    begun = time.monotonic()
    refusal(asker(chat), tmp_path, ROWS)
    assert time.monotonic() - begun < 10


# The key


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_no_message_shows_the_key_even_if_the_server_does(chat, tmp_path, status):
    chat.fail = lambda body: Failure(status, f"you sent Bearer {KEY}")
    said = refusal(asker(chat, key=KEY, retries=0, server={"key_variable": "A_KEY"}), tmp_path)
    assert KEY not in said
    assert str(status) in said
    assert ("$A_KEY" in said) == (status == 401)


def test_a_server_that_wants_a_key_says_how_it_is_given(chat, tmp_path):
    chat.key = KEY
    assert "key_variable" in refusal(asker(chat), tmp_path)


def test_the_program_sends_the_key_and_writes_it_nowhere(chat, tmp_path):
    chat.key = KEY
    options = program(tmp_path, chat, key_variable="SERVED_TEST_KEY", concurrency=2)
    done = toy_models.run("generate_served.py", {"SERVED_TEST_KEY": KEY}, **options)
    assert done.returncode == 0, done.stdout
    assert set(chat.authorizations) == {f"Bearer {KEY}"}
    written = [file.read_text() for file in tmp_path.iterdir()]
    assert not any(KEY in text for text in [done.stdout, *written])
    facts = json.loads((tmp_path / "generation.json").read_text())
    assert facts["server"]["model"] == MODEL
    assert (facts["concurrency"], facts["retries"], facts["prompts"]) == (2, 0, 6)
    assert facts["seconds"] > facts["stages"]["generation"] > 0
    assert not (tmp_path / "predictions.jsonl.work").exists()
    done = toy_models.run("generate_served.py", {"SERVED_TEST_KEY": " "}, **options)
    assert "error: the environment variable SERVED_TEST_KEY, which holds the key, is not set" in (
        done.stdout
    )


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:8000/v1", "write it as http://localhost:8000/v1"),
        ("https://me:secret@example.org/v1", "key_variable"),
        ("https://example.org/v1?key=secret", "key_variable"),
    ],
)
def test_an_address_that_cannot_be_or_that_shows_a_secret_is_refused(chat, tmp_path, url, words):
    done = toy_models.run("generate_served.py", **program(tmp_path, chat, url=url))
    assert done.returncode == 1
    assert words in done.stdout
    assert not chat.requests


# After a kill


def test_after_a_kill_only_what_has_no_answer_is_asked_and_the_file_is_the_same(chat, tmp_path):
    (tmp_path / "whole").mkdir()
    options = program(tmp_path / "whole", chat)
    assert toy_models.run("generate_served.py", **options).returncode == 0
    whole = (tmp_path / "whole/predictions.jsonl").read_bytes()
    chat.requests.clear()

    options = program(tmp_path, chat, concurrency=1)
    chat.fail = lambda body: Failure(slow=60) if len(chat.requests) > 3 else None
    killed = subprocess.Popen(
        toy_models.command("generate_served.py", **options), stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while len(chat.requests) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    chat.fail = lambda body: None
    chat.requests.clear()

    done = toy_models.run("generate_served.py", **options)
    assert done.returncode == 0, done.stdout
    assert "3 of 6 were answered before" in done.stdout
    assert len(chat.requests) == 3
    assert (tmp_path / "predictions.jsonl").read_bytes() == whole
    facts = json.loads((tmp_path / "generation.json").read_text())
    assert facts["resumed"]["answers"] == 3


def test_what_was_answered_before_a_refusal_is_kept(chat, tmp_path):
    chat.failures = [Failure(), Failure(), Failure(400, "quota")]
    with pytest.raises(InputError):
        answers(asker(chat), tmp_path, ROWS[:4], concurrency=1)
    chat.requests.clear()
    found, _ = answers(asker(chat, key="another"), tmp_path, ROWS[:4])
    assert len(found) == 4
    assert len(chat.requests) == 2


def test_another_model_or_decoding_asks_anew(chat, tmp_path):
    first = asker(chat)
    asked = first.asked_with()
    others = [asker(chat, server={"model": "other"}), asker(chat, temperature=1.0)]
    for other in others:
        assert other.asked_with() != asked
    keyed = asker(chat, server={"key_variable": "OTHER"})
    assert keyed.asked_with() == asked
