"""Prompts to tokens and answers to text: by a process beside the one that starts the engine.

Loading Qwen3's tokenizer and encoding a thousand prompts takes as long as half of vLLM's import, and
nothing of either needs the other.
"""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from sqladder.errors import InputError
from sqladder.files import Row, read_json
from sqladder.generation.contract import Completion
from sqladder.metric.showing import brief
from sqladder.models.turns import Message, Turns, read_turns
from sqladder.processes.imports import leave_out_sklearn
from sqladder.processes.lifetime import dying_with_us
from sqladder.prompts import rendering as prompts


class Encoded(NamedTuple):
    """The prompts as a model takes them.

    Attributes:
        prompts: token ids of each, in the order of the prompts.
        end_tokens: token ids that end an answer.
        turns: how turns are written.
        limit: tokens that the model takes, prompt and answer together.
    """

    prompts: list[list[int]]
    end_tokens: list[int]
    turns: dict[str, Any]
    limit: int


def tokenizer_process() -> ProcessPoolExecutor:
    """Start, with its first task, a process for `encode` and `decode`, which keeps the tokenizer.

    It is forked, so what this process has imported by then costs it nothing; it must be started
    before this process uses a GPU, and ends with this process, even by a kill.
    """
    return ProcessPoolExecutor(
        max_workers=1,
        mp_context=multiprocessing.get_context("fork"),
        initializer=dying_with_us(),
    )


def encode(model: Path, rows: Sequence[Row], max_new_tokens: int) -> Encoded:
    """Tokenize all prompts as the model in this folder takes them.

    Raises:
        InputError: the tokenizer is not the model's, or a prompt leaves no room for its answer.
    """
    turns = _turns(model)
    check_tokenizer(turns.tokenizer, model)
    ids = [prompts.prompt_ids(turns, row["messages"]) for row in rows]
    check_lengths(rows, ids, max_new_tokens, model)
    turns.say()
    return Encoded(ids, list(turns.stops), turns.facts(), context_length(model))


def encode_conversations(
    model: Path, conversations: Sequence[Sequence[Message]]
) -> list[list[int]]:
    """Token ids of prompts that are made while a model answers."""
    return [prompts.prompt_ids(_turns(model), messages) for messages in conversations]


def decode(model: Path, answers: Sequence[Sequence[Completion]]) -> list[list[str]]:
    """The texts of the answers to each prompt, without special tokens."""
    tokenizer = _turns(model).tokenizer
    return [
        tokenizer.batch_decode([each.token_ids for each in completions], skip_special_tokens=True)
        for completions in answers
    ]


def import_tokenizers() -> None:
    """Import what tokenizers need, before the process that holds one is forked."""
    leave_out_sklearn()
    from transformers import AutoTokenizer  # noqa: F401


def end_tokens(model: Path) -> list[int]:
    """Token ids that end an answer of the model in this folder."""
    return list(_turns(model).stops)


@lru_cache
def _turns(model: Path) -> Turns:
    return read_turns(model)


def check_tokenizer(tokenizer: Any, model: Path) -> None:
    """Refuse a tokenizer of another model, whose tokens the network would take for others."""
    rows = read_json(model / "config.json")["vocab_size"]
    if len(tokenizer) > rows:
        raise InputError(
            f"the tokenizer in {model} has {len(tokenizer)} tokens, but its network knows {rows}: "
            "it is the tokenizer of another model; copy the right one into the folder"
        )


def context_length(model: Path) -> int:
    """Tokens that a model takes, prompt and answer together."""
    return read_json(model / "config.json")["max_position_embeddings"]


def check_lengths(rows: Sequence[Row], ids: Sequence[list[int]], new: int, model: Path) -> None:
    """Refuse a prompt that leaves no room for its answer, before an engine cuts it in silence."""
    limit = context_length(model)
    for row, tokens in zip(rows, ids, strict=True):
        if len(tokens) + new > limit:
            raise InputError(
                f"prompt {brief(row['id'])} has {len(tokens)} tokens; with {new} new ones it exceeds the "
                f"{limit} that {model} takes: use a shorter form of the schema or question, or fewer new tokens"
            )
