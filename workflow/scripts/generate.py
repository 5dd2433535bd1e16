"""Generate SQL for every prompt with a model folder and write the predictions.

Example: python generate.py --engine transformers --model results/full/model
    --prompts resources/prompts/ddl/test.jsonl --output results/full/predictions.jsonl
    --facts results/full/generation.json --max-new-tokens 160
"""

import argparse
import importlib
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from sqladder import prompts
from sqladder.errors import InputError, run_main
from sqladder.extraction import extract_sql
from sqladder.files import Row, by_id, read_json, read_jsonl, write_json, write_jsonl
from sqladder.folders import check_model_folder
from sqladder.generation.contract import Completion, Decoding

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
    parser.add_argument("--batch-size", type=int, default=32, help="prompts in work at a time")
    parser.add_argument("--seed", type=int, default=42)
    return parser.parse_args()


def check_decoding(decoding: Decoding) -> Decoding:
    limits = {
        "max_new_tokens": (1, float("inf")),
        "temperature": (0, 2),
        "top_p": (1e-6, 1),
        "repetition_penalty": (1e-6, 10),
    }
    for name, (low, high) in limits.items():
        value = getattr(decoding, name)
        if not low <= value <= high:
            raise InputError(f"{name} is {value}: it must lie between {low:g} and {high:g}")
    return decoding


def check_lengths(rows: Sequence[Row], ids: Sequence[list[int]], new: int, model: Path) -> None:
    """Refuse a prompt that leaves no room for its answer, before an engine cuts it in silence."""
    limit = read_json(model / "config.json")["max_position_embeddings"]
    for row, tokens in zip(rows, ids, strict=True):
        if len(tokens) + new > limit:
            raise InputError(
                f"prompt {row['id']!r} has {len(tokens)} tokens; with {new} new ones it exceeds the "
                f"{limit} that {model} takes: use a shorter form of the schema or fewer new tokens"
            )


def load_engine(name: str) -> ModuleType:
    if name == "vllm":
        from sqladder.generation import vllm_engine

        return vllm_engine
    from sqladder.generation import transformers_engine

    return transformers_engine


def prediction(tokenizer: Any, row: Row, ids: list[int], completion: Completion) -> Row:
    text = tokenizer.decode(completion.token_ids, skip_special_tokens=True)
    return {
        "id": row["id"],
        "sql": extract_sql(text),
        "text": text,
        "finish_reason": completion.finish_reason,
        "prompt_tokens": len(ids),
        "output_tokens": len(completion.token_ids),
    }


def generation_facts(engine: str, predictions: Sequence[Row], seconds: float) -> dict[str, Any]:
    from sqladder.device import device_name, peak_memory_mb

    output_tokens = sum(row["output_tokens"] for row in predictions)
    return {
        "engine": engine,
        "prompts": len(predictions),
        "seconds": round(seconds, 2),
        "prompts_per_second": round(len(predictions) / seconds, 1),
        "prompt_tokens": sum(row["prompt_tokens"] for row in predictions),
        "output_tokens": output_tokens,
        "output_tokens_per_second": round(output_tokens / seconds, 1),
        "cut_off": sum(row["finish_reason"] == "length" for row in predictions),
        "peak_memory_mb": peak_memory_mb(),
        "device": device_name(),
        # Asked of the modules: vLLM's package has another name where it is built for CPU.
        "versions": {
            name: importlib.import_module(name).__version__
            for name in dict.fromkeys(("torch", "transformers", engine))
        },
    }


def main() -> None:
    args = parse_arguments()
    decoding = check_decoding(
        Decoding(
            args.max_new_tokens, args.temperature, args.top_p, args.repetition_penalty, args.seed
        )
    )
    check_model_folder(args.model, "model")
    rows = list(by_id(read_jsonl(args.prompts), args.prompts).values())
    if not rows:
        raise InputError(f"{args.prompts} is empty: there is nothing to generate")
    # Imported late: the checks above need no seconds of import.
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(args.model)
    ids = [prompts.prompt_ids(tokenizer, row["messages"]) for row in rows]
    check_lengths(rows, ids, decoding.max_new_tokens, args.model)
    started = time.monotonic()
    completions = load_engine(args.engine).generate(args.model, ids, decoding, args.batch_size)
    seconds = time.monotonic() - started
    predictions = [
        prediction(tokenizer, *parts) for parts in zip(rows, ids, completions, strict=True)
    ]
    facts = generation_facts(args.engine, predictions, seconds)
    print(
        f"{facts['prompts']} prompts in {seconds:.1f} s with {args.engine}, model loading included: "
        f"{facts['output_tokens']} tokens, {facts['cut_off']} answers cut off"
    )
    write_jsonl(args.output, predictions)
    write_json(args.facts, facts)


if __name__ == "__main__":
    run_main(main)
