"""Generate SQL for every prompt with a model folder and write the predictions.

Example: python generate.py --engine transformers --model results/full/model
    --prompts resources/prompts/ddl/test.jsonl --output results/full/predictions.jsonl
    --facts results/full/generation.json --max-new-tokens 160
"""

import argparse
import importlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from sqladder.errors import LOG, InputError, run_main
from sqladder.files import Row, by_id, read_jsonl, write_json, write_jsonl
from sqladder.generation import shards, tokens
from sqladder.generation.contract import Completion, Decoding, timed
from sqladder.generation.extraction import extract_sql
from sqladder.models.folders import check_model_folder
from sqladder.processes.imports import uncollected
from sqladder.processes.lifetime import end_with_workflow
from sqladder.prompts.rendering import PROMPT_FIELDS

STARTED = time.monotonic()

ENGINES = ("transformers", "vllm")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=ENGINES, default="transformers")
    parser.add_argument("--model", required=True, type=Path, help="Hugging Face folder")
    parser.add_argument("--prompts", required=True, type=Path, help="JSON Lines: id, messages")
    parser.add_argument("--output", required=True, type=Path, help="predictions, JSON Lines")
    parser.add_argument("--facts", required=True, type=Path, help="generation.json: speed")
    parser.add_argument("--max-new-tokens", type=int, default=256)
    parser.add_argument("--temperature", type=float, default=0.0, help="0: greedy")
    parser.add_argument("--top-p", type=float, default=1.0)
    parser.add_argument("--repetition-penalty", type=float, default=1.0)
    parser.add_argument("--samples", type=int, default=1, help="answers to each prompt")
    parser.add_argument("--batch-size", type=int, default=32, help="prompts in work at a time")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--gpus", type=int, default=1, help="processes, one for each GPU")
    parser.add_argument("--cache-folder", type=Path, help="for what vLLM compiles")
    return parser.parse_args()


def check_decoding(decoding: Decoding) -> Decoding:
    limits = {
        "max_new_tokens": (1, float("inf")),
        "temperature": (0, 2),
        "top_p": (1e-6, 1),
        "repetition_penalty": (1e-6, 10),
        "samples": (1, 1000),
    }
    for name, (low, high) in limits.items():
        value = getattr(decoding, name)
        if not low <= value <= high:
            raise InputError(f"{name} is {value}: it must lie between {low:g} and {high:g}")
    if decoding.samples > 1 and decoding.temperature == 0:
        raise InputError(
            f"samples is {decoding.samples}, but greedy answers are all the same: "
            "give a temperature above 0, or one sample"
        )
    return decoding


def load_engine(name: str, cache_folder: Path | None) -> ModuleType:
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


def generation_facts(engine: str, predictions: Sequence[Row]) -> dict[str, Any]:
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
            for name in dict.fromkeys(("torch", "transformers", engine))
        },
    }


def generate_here(
    args: argparse.Namespace, rows: list[Row], decoding: Decoding
) -> tuple[list[Row], dict[str, Any]]:
    """Answer all prompts in this process, with the tokenizer in another one beside it."""
    stages: dict[str, float] = {}
    # Imported late: the checks so far need no seconds of import.
    with timed(stages, "imports"), uncollected():
        tokens.import_tokenizers()
    with tokens.tokenizer_process() as tokenizer:
        encoding = tokenizer.submit(tokens.encode, args.model, rows, decoding.max_new_tokens)
        try:
            with timed(stages, "engine_import"), uncollected():
                engine = load_engine(args.engine, args.cache_folder)
        finally:
            # What is wrong with the prompts is said even where an engine is missing.
            with timed(stages, "tokenization"):
                encoded = encoding.result()
        answers = engine.generate(
            args.model, encoded.prompts, decoding, encoded.end_tokens, args.batch_size
        )
        with timed(stages, "detokenization"):
            texts = tokenizer.submit(tokens.decode, args.model, answers.completions).result()
    predictions = [
        prediction(*parts)
        for parts in zip(rows, encoded.prompts, answers.completions, texts, strict=True)
    ]
    facts = generation_facts(args.engine, predictions)
    return predictions, {**facts, "stages": stages | answers.stages}


def generate_in_shards(
    args: argparse.Namespace, rows: list[Row]
) -> tuple[list[Row], dict[str, Any]]:
    """Answer the prompts in processes of this program, one for each GPU."""
    devices = shards.devices_for(args.gpus)
    folder = args.output.parent / "generation_shards"
    command = [sys.executable, *sys.argv]
    predictions, facts = shards.generate(command, rows, devices, folder)
    return predictions, shards.joined_facts(facts)


def main() -> None:
    args = parse_arguments()
    # Models are folders: nothing is asked of a hub, and where there is none nothing waits for it.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    decoding = check_decoding(
        Decoding(
            args.max_new_tokens,
            args.temperature,
            args.top_p,
            args.repetition_penalty,
            args.seed,
            args.samples,
        )
    )
    check_model_folder(args.model, "model")
    rows = list(by_id(read_jsonl(args.prompts, PROMPT_FIELDS), args.prompts).values())
    if not rows:
        raise InputError(f"{args.prompts} is empty: there is nothing to generate")
    # A job that outlived its Snakemake would hold GPUs that the next run needs.
    end_with_workflow()
    predictions, facts = (
        generate_in_shards(args, rows) if args.gpus > 1 else generate_here(args, rows, decoding)
    )
    with timed(facts["stages"], "writing"):
        write_jsonl(args.output, predictions)
    seconds = time.monotonic() - STARTED
    busy = facts["stages"]["generation"]
    facts |= {
        "gpus": args.gpus,
        # From the program's start to the predictions on disk.
        "seconds": round(seconds, 2),
        # Of the generation alone: the start of an engine does not grow with the prompts.
        "prompts_per_second": round(facts["prompts"] / busy, 1),
        "output_tokens_per_second": round(facts["output_tokens"] / busy, 1),
    }
    write_json(args.facts, facts)
    LOG.info(
        f"{facts['prompts']} prompts in {seconds:.1f} s with {args.engine}, of which {busy:.1f} s "
        f"of generation: {facts['output_tokens']} tokens, {facts['cut_off']} answers cut off"
    )


if __name__ == "__main__":
    run_main(main)
