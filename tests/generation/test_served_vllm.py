"""vLLM's server gives the answers that vLLM gives in this process; run by `make test-vllm`."""

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

import toy_models

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


def ask(folder, url, name, **options):
    output = folder / name
    output.mkdir()
    decoding = {key: DECODING[key] for key in ("max_new_tokens", "temperature", "top_p", "seed")}
    done = toy_models.run(
        "generate_served.py",
        {"TOY_KEY": "sk-toy"},
        url=url,
        prompts=folder / "test.jsonl",
        output=output / "predictions.jsonl",
        facts=output / "generation.json",
        **decoding | {"model": "toy", "key_variable": "TOY_KEY"} | options,
    )
    return done, output


def test_vllms_server_answers_as_vllm_does_in_this_process(folder):
    with vllm_server(folder / "base", folder / "server.log") as url:
        done, output = ask(folder, url, "served")
        assert done.returncode == 0, done.stdout
        drawn = {"temperature": 1.0, "samples": 3, "log_probabilities": True}
        done, sampled = ask(folder, url, "sampled", **drawn)
        assert done.returncode == 0, done.stdout
        refused, _ = ask(folder, url, "refused", model="other")
        long, _ = ask(folder, url, "long", max_new_tokens=5000)
    offline = folder / "offline"
    offline.mkdir()
    here = toy_models.run(
        "generate.py",
        model=folder / "base",
        prompts=folder / "test.jsonl",
        output=offline / "predictions.jsonl",
        facts=offline / "generation.json",
        cache_folder=offline / "cache",
        **DECODING | {"engine": "vllm"},
    )
    assert here.returncode == 0, here.stdout
    by_server = toy_models.read_lines(output / "predictions.jsonl")
    by_engine = toy_models.read_lines(offline / "predictions.jsonl")
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
