"""Models and data of a few kilobytes for the tests of training and generation."""

import atexit
import functools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import transformers

from conftest import ROOT
from published_texts import published_messages
from sqladder.demo.base_model import new_model, train_tokenizer
from sqladder.demo.settings import NetworkSize
from sqladder.files import write_jsonl
from sqladder.generation import transformers_engine
from sqladder.generation.contract import Load

SCHEMA = "CREATE TABLE singer (\n  id INTEGER PRIMARY KEY,\n  name TEXT,\n  age INTEGER\n);"


def rows(count, with_answer=True):
    """Prompts on one schema, of various lengths."""
    return [
        {
            "id": f"q{number}",
            "messages": published_messages(
                SCHEMA,
                f"Which singers are older than {number}{', please' * (number % 3)}?",
                f"SELECT name FROM singer WHERE age > {number}" if with_answer else None,
            ),
        }
        for number in range(count)
    ]


def write_rows(path, count, with_answer=True):
    write_jsonl(path, rows(count, with_answer))
    return path


def write_database(folder, columns="id, name, age"):
    """The original file of the database music, and another one of its suite, whose table has other columns."""
    (folder / "music").mkdir(parents=True, exist_ok=True)
    for name, own in (("music", columns), ("another", "other")):
        with sqlite3.connect(folder / "music" / f"{name}.sqlite") as connection:
            connection.execute(f"create table if not exists singer({own})")
        connection.close()
    return folder


def tokenizer():
    texts = [message["content"] for row in rows(20) for message in row["messages"]]
    return train_tokenizer(texts, vocab_size=400)


def untrained(words=None, layers=1, heads=2, hidden_size=32):
    """A network of 20,000 weights, if nothing else is asked for."""
    shape = NetworkSize(vocab_size=400, hidden_size=hidden_size, layers=layers, heads=heads)
    return new_model(words or tokenizer(), shape, seed=1)


def save_base(folder, **size):
    """Save an untrained network with its tokenizer."""
    words = tokenizer()
    untrained(words, **size).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def load(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder)


def command(program, **options):
    """The command line of a program; a list is given word by word, True as a bare flag."""
    words = [sys.executable, str(ROOT / "workflow/scripts" / program)]
    for name, value in options.items():
        words.append(f"--{name.replace('_', '-')}")
        if value is not True:
            words += [str(item) for item in value] if isinstance(value, list) else [str(value)]
    return words


def run(program, environment=None, **options):
    """Run a program to its end; its output and errors come back as one text."""
    return subprocess.run(
        command(program, **options),
        env=os.environ | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def answers(model, prompts, decoding, end_tokens, done=()):
    """All answers of the transformers engine to each of the prompts that are not done."""
    load = Load(1024, len(prompts) * decoding.samples)
    engine = transformers_engine.start(model, load, decoding, end_tokens)
    found = {}
    for finished in engine.answer(prompts, decoding, done):
        found |= finished
    return [found[place] for place in sorted(found)]


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def base_options(folder, **options):
    """Options of train_base.py for a run of seconds; its output is `folder`/base."""
    return {
        "prompts": write_rows(folder / "prompts.jsonl", 24),
        "output": folder / "base",
        "facts": folder / "base.json",
        "work_folder": folder / "work",
        "vocab_size": 400,
        "hidden_size": 32,
        "layers": 1,
        "heads": 2,
        "batch_size": 12,
        "learning_rate": 3e-3,
        "epochs": 4,
        "seed": 42,
    } | options


# How a fine-tuning of seconds is trained.
RECIPE = {
    "learning_rate": 0.01,
    "epochs": 2,
    "batch_size": 4,
    "gradient_accumulation": 1,
    "cutoff_length": 1024,
    "seed": 42,
}


def train_options(folder, base, **options):
    """Options of train.py for a run of seconds; its output is `folder`/model."""
    return {
        "base_model": base,
        "data": write_rows(folder / "train.jsonl", 40),
        "output": folder / "model",
        "facts": folder / "train.json",
        "work_folder": folder / "work",
        **RECIPE,
    } | options


LORA = {
    "method": "lora",
    "rank": 4,
    "alpha": 8,
    "dropout": 0,
    "target_modules": ["q_proj", "v_proj"],
}

# Of generate.py.
GREEDY = {
    "engine": "transformers",
    "max_new_tokens": 256,
    "batch_size": 32,
    "temperature": 0,
    "top_p": 1,
    "repetition_penalty": 1,
    "seed": 42,
}


def learned_base(folder, **size):
    """A model that has learned a little, so that some answers end by themselves; its folder, a copy."""
    return shutil.copytree(_learned(**size), folder / "base")


@functools.cache
def _learned(**size):
    """The same, trained once for all files of tests of this process."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    done = run("train_base.py", **base_options(folder, epochs=30, learning_rate=0.01, **size))
    assert done.returncode == 0, done.stdout
    return folder / "base"


# vLLM's attention on CPU takes heads of 32 numbers and more.
FOR_VLLM = {"hidden_size": 64, "heads": 2, "layers": 2}
