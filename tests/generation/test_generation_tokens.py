"""The tokenizer in a process beside the engine: its tokens, its refusals, its end."""

import gc
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

import toy_models
from sqladder.errors import InputError
from sqladder.generation import tokens
from sqladder.generation.contract import Completion
from sqladder.models.turns import read_turns
from sqladder.processes.imports import uncollected
from sqladder.prompts import rendering as prompts

# A generation whose engine takes for ever to start.
WAITING = """
import sys, time
from pathlib import Path
from sqladder.generation import tokens
tokens.import_tokenizers()
with tokens.tokenizer_process() as tokenizer:
    tokenizer.submit(tokens.encode, Path(sys.argv[1]), [], 1).result()
    print("tokens are here", flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return toy_models.save_base(tmp_path_factory.mktemp("base") / "model")


def test_the_process_gives_the_tokens_and_texts_that_the_tokenizer_gives_here(model):
    rows = toy_models.rows(5, with_answer=False)
    with tokens.tokenizer_process() as process:
        encoded = process.submit(tokens.encode, model, rows, 8).result()
        answers = [[Completion(ids[:9], "stop"), Completion([], "stop")] for ids in encoded.prompts]
        texts = process.submit(tokens.decode, model, answers).result()
    turns = read_turns(model)
    tokenizer = turns.tokenizer
    assert encoded.prompts == [prompts.prompt_ids(turns, row["messages"]) for row in rows]
    assert encoded.end_tokens == list(turns.stops)
    here = [
        tokenizer.decode(completions[0].token_ids, skip_special_tokens=True)
        for completions in answers
    ]
    assert texts == [[text, ""] for text in here]
    assert all(here)


def test_what_the_process_refuses_is_told_as_if_it_were_refused_here(model):
    rows = toy_models.rows(2, with_answer=False)
    with tokens.tokenizer_process() as process:
        encoding = process.submit(tokens.encode, model, rows, 10**6)
        with pytest.raises(InputError, match=r"prompt 'q0' has .* use a shorter form"):
            encoding.result()


def test_the_process_ends_with_one_that_is_killed(model):
    command = [sys.executable, "-c", WAITING, str(model)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline() == "tokens are here\n"
        (child,) = psutil.Process(parent.pid).children()
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while is_alive(child):
        assert time.monotonic() < deadline, f"{child} lives on"
        time.sleep(0.05)


def is_alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_collector_works_again_after_a_block_of_imports():
    before = gc.get_freeze_count()
    try:
        with pytest.raises(ZeroDivisionError), uncollected():
            assert not gc.isenabled()
            _ = 1 / 0
        assert gc.isenabled()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
