"""All prompts answered in this process: tokenized beside the engine's start, and written as predictions."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from sqladder.files import Row
from sqladder.generation import tokens
from sqladder.generation.contract import Completion, timed
from sqladder.generation.extraction import extract_sql
from sqladder.generation.settings import DecodingSettings
from sqladder.processes.imports import uncollected

Facts = dict[str, Any]


def generate_here(
    model: Path, rows: list[Row], decoding: DecodingSettings, cache_folder: Path | None
) -> tuple[list[Row], Facts]:
    """Answer all prompts, with the tokenizer in a process beside this one.

    Args:
        model: Hugging Face folder.
        rows: prompts, id and messages.
        decoding: how answers are generated.
        cache_folder: for what vLLM compiles, None for its own.

    Returns:
        The predictions in the order of the prompts, and what they cost.

    Raises:
        InputError: the prompts do not fit the model, or the engine is not installed.
    """
    stages: dict[str, float] = {}
    # Imported late: the checks so far need no seconds of import.
    with timed(stages, "imports"), uncollected():
        tokens.import_tokenizers()
    with tokens.tokenizer_process() as tokenizer:
        encoding = tokenizer.submit(tokens.encode, model, rows, decoding.max_new_tokens)
        try:
            with timed(stages, "engine_import"), uncollected():
                engine = load_engine(decoding.engine, cache_folder)
        finally:
            # What is wrong with the prompts is said even where an engine is missing.
            with timed(stages, "tokenization"):
                encoded = encoding.result()
        answers = engine.generate(model, encoded.prompts, decoding, encoded.end_tokens)
        with timed(stages, "detokenization"):
            texts = tokenizer.submit(tokens.decode, model, answers.completions).result()
    predictions = [
        prediction(*parts)
        for parts in zip(rows, encoded.prompts, answers.completions, texts, strict=True)
    ]
    facts = generation_facts(decoding.engine, engine.PACKAGE, predictions)
    return predictions, {**facts, "turns": encoded.turns, "stages": stages | answers.stages}


def load_engine(name: str, cache_folder: Path | None) -> ModuleType:
    """Import an engine: a module with `generate` (contract.py)."""
    if name == "vllm":
        from sqladder.generation import vllm_engine

        vllm_engine.import_vllm(cache_folder)
        return vllm_engine
    from sqladder.generation import transformers_engine

    return transformers_engine


def prediction(row: Row, ids: list[int], completions: list[Completion], texts: list[str]) -> Row:
    """The row of one prompt: its first answer, and all of them where several were drawn."""
    samples = [
        {
            "sql": extract_sql(text),
            "text": text,
            "finish_reason": completion.finish_reason,
            "output_tokens": len(completion.token_ids),
            **_log_probability(completion),
        }
        for text, completion in zip(texts, completions, strict=True)
    ]
    first = samples[0]
    return {
        "id": row["id"],
        "sql": first["sql"],
        "text": first["text"],
        "finish_reason": first["finish_reason"],
        "prompt_tokens": len(ids),
        "output_tokens": first["output_tokens"],
        **({"samples": samples} if len(samples) > 1 else {}),
    }


def _log_probability(completion: Completion) -> Row:
    if completion.log_probability is None:
        return {}
    return {"log_probability": round(completion.log_probability, 6)}


def generation_facts(engine: str, package: str, predictions: Sequence[Row]) -> Facts:
    """What the predictions cost, and what made them."""
    from sqladder.models.device import device_name, peak_memory_mb

    answers = [answer for row in predictions for answer in row.get("samples", [row])]
    return {
        "engine": engine,
        "prompts": len(predictions),
        "prompt_tokens": sum(row["prompt_tokens"] for row in predictions),
        "output_tokens": sum(answer["output_tokens"] for answer in answers),
        "cut_off": sum(answer["finish_reason"] == "length" for answer in answers),
        "peak_memory_mb": peak_memory_mb(),
        "device": device_name(),
        # Asked of the modules: vLLM's package has another name where it is built for CPU.
        "versions": {
            name: importlib.import_module(name).__version__
            for name in dict.fromkeys(("torch", "transformers", package))
        },
    }
