"""vLLM's server gives the answers that vLLM gives in this process; run by `make test-vllm`."""

import contextlib
import json
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing

import pytest

import toy_models
from sqladder.files import write_jsonl

pytestmark = pytest.mark.vllm

PROMPTS = 40
DECODING = toy_models.GREEDY | {"max_new_tokens": 24}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model that has learned a little, and its prompts."""
    folder = tmp_path_factory.mktemp("served")
    toy_models.learned_base(folder, **toy_models.FOR_VLLM)
    toy_models.write_rows(folder / "test.jsonl", PROMPTS, with_answer=False)
    return folder


def free_port():
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        return own.getsockname()[1]


@contextlib.contextmanager
def vllm_server(model, log):
    """vLLM's server until the block ends; its URL. Its command asks for a package named vllm, which CPU's is not."""
    port = free_port()
    command = [
        sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model),
        "--host", "127.0.0.1", "--port", str(port), "--served-model-name", "toy",
        "--api-key", "sk-toy", "--max-model-len", "1024", "--dtype", "float32", "--enforce-eager",
        "--gpu-memory-utilization", "0.1",
    ]  # fmt: skip
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 300
        while not is_ready(port):
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(60)


def is_ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def ask(folder, url, name, program="generate_served.py", **options):
    output = folder / name
    output.mkdir()
    decoding = {key: DECODING[key] for key in ("max_new_tokens", "temperature", "top_p", "seed")}
    done = toy_models.run(
        program,
        {"TOY_KEY": "sk-toy"},
        url=url,
        prompts=folder / "test.jsonl",
        output=output / "predictions.jsonl",
        facts=output / "generation.json",
        **decoding | {"model": "toy", "key_variable": "TOY_KEY"} | options,
    )
    return done, output


def answer_here(folder, name, program="generate.py", **options):
    """What vLLM answers in a process of this machine."""
    output = folder / name
    output.mkdir()
    done = toy_models.run(
        program,
        model=folder / "base",
        prompts=folder / "test.jsonl",
        output=output / "predictions.jsonl",
        facts=output / "generation.json",
        cache_folder=output / "cache",
        **DECODING | {"engine": "vllm"} | options,
    )
    assert done.returncode == 0, done.stdout
    return toy_models.read_lines(output / "predictions.jsonl")


def test_vllms_server_answers_as_vllm_does_in_this_process(folder):
    with vllm_server(folder / "base", folder / "server.log") as url:
        done, output = ask(folder, url, "served")
        assert done.returncode == 0, done.stdout
        drawn = {"temperature": 1.0, "samples": 3, "log_probabilities": True}
        done, sampled = ask(folder, url, "sampled", **drawn)
        assert done.returncode == 0, done.stdout
        refused, _ = ask(folder, url, "refused", model="other")
        long, _ = ask(folder, url, "long", max_new_tokens=5000)
    by_server = toy_models.read_lines(output / "predictions.jsonl")
    by_engine = answer_here(folder, "offline")
    same = ("id", "sql", "text", "finish_reason", "prompt_tokens")
    assert [[row[key] for key in same] for row in by_server] == [
        [row[key] for key in same] for row in by_engine
    ]
    facts = json.loads((output / "generation.json").read_text())
    assert (facts["requests"], facts["retries"]) == (PROMPTS, 0)
    for row in toy_models.read_lines(sampled / "predictions.jsonl"):
        assert len(row["samples"]) == 3
        assert all(sample["log_probability"] <= 0 for sample in row["samples"])
    assert "has no model 'other'" in refused.stdout
    assert "max_new_tokens" in long.stdout, long.stdout


def without_counts(row):
    """An answer without its number of tokens, among which the server counts the end of the turn."""
    kept = {key: value for key, value in row.items() if key != "output_tokens"}
    return kept | {"rounds": [without_counts(own) for own in row.get("rounds", ())]}


def test_vllms_server_holds_answers_to_a_grammar_and_is_asked_again(folder):
    rows = [{"id": f"q{number}", "db_id": "music"} for number in range(PROMPTS)]
    write_jsonl(folder / "examples.jsonl", rows)
    databases = toy_models.write_database(folder / "databases", "id, age")
    with closing(sqlite3.connect(databases / "music/music.sqlite")) as connection:
        # The model asks for names of singers, which a grammar takes for those of bands.
        connection.execute("create table band(name)")
    asked = {
        "grammar": "schema",
        "repair_rounds": 1,
        "repair_template": "The query\n{sql}\nfails: {error}\nWrite it again.",
        "examples": folder / "examples.jsonl",
        "databases": databases,
    }
    with vllm_server(folder / "base", folder / "grammar.log") as url:
        program = "generate_served_on_databases.py"
        done, output = ask(folder, url, "held", program, structured_outputs=True, **asked)
        assert done.returncode == 0, done.stdout
    by_server = toy_models.read_lines(output / "predictions.jsonl")
    by_engine = answer_here(folder, "held_here", "generate_repaired.py", **asked)
    assert [without_counts(row) for row in by_server] == [without_counts(row) for row in by_engine]
    assert any("rounds" in row for row in by_server)
    facts = json.loads((output / "generation.json").read_text())
    assert facts["repair"][0]["asked"] == facts["requests"] - PROMPTS > 0
