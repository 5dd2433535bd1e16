"""What generation_speed.py runs in processes of their own: generate.py and what it is compared with.

python generation_parts.py --model ...            generate.py's own main; predictions hold tokens too
python generation_parts.py original --model ...   the way of the original experiment
python generation_parts.py adapter --model ...    make a random LoRA adapter and a merged model
python generation_parts.py served --model ...     vLLM with the adapter beside the base model
python generation_parts.py explain --model ...    how near the tokens are on which two files differ
"""

import argparse
import math
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow/scripts"))

import generate
from sqladder.files import Row, read_json, read_jsonl, write_json, write_jsonl
from sqladder.generation import answering, tokens, vllm_engine
from sqladder.generation.contract import Completion, cut_at_end_token, timed
from sqladder.generation.settings import DecodingSettings

# The original experiment: prompts a call, and its settings of vLLM and of sampling.
ORIGINAL_CALL = 8
ORIGINAL_SEQUENCES = 32
ORIGINAL_SAMPLING = {"temperature": 0.2, "top_p": 0.9, "repetition_penalty": 1.1}

RANK = 32
ALPHA = 64
TARGETS = ("q_proj", "v_proj")


def with_tokens() -> None:
    """Run generate.py's main; its predictions get the tokens of prompt and answer as well.

    --dtype, which generate.py does not know, is the format of numbers of the transformers engine.
    """
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--dtype")
    options, sys.argv[1:] = parser.parse_known_args()
    if options.dtype:
        # Not imported otherwise: it would be before the clock of generate.py's stages.
        from sqladder.models import network

        network.number_format = lambda: options.dtype
    answered, predicted = answering.answered, answering.prediction

    def with_ids(ids: Sequence[int], completions: list[Completion], texts: list[str]) -> Row:
        row = answered(ids, completions, texts)
        return row | {"prompt_ids": list(ids), "token_ids": completions[0].token_ids}

    def prediction(key: str | int, row: Row) -> Row:
        shown = {name: row[name] for name in ("prompt_ids", "token_ids")}
        return predicted(key, row) | shown

    answering.answered, answering.prediction = with_ids, prediction
    generate.main()


def write_results(
    args: argparse.Namespace,
    rows: Sequence[Row],
    prompts: Sequence[list[int]],
    answers: Sequence[list[Completion]],
    stages: dict[str, float],
) -> None:
    """Write predictions and facts in generate.py's form."""
    predictions = [
        answering.prediction(row["id"], answering.answered(ids, completions, texts))
        | {"prompt_ids": ids, "token_ids": completions[0].token_ids}
        for row, ids, completions, texts in zip(
            rows, prompts, answers, tokens.decode(args.model, answers), strict=True
        )
    ]
    write_jsonl(args.output, predictions)
    facts = answering.generation_facts("vllm", "vllm", predictions)
    seconds = {"seconds": round(time.monotonic() - generate.STARTED, 2)}
    write_json(args.facts, facts | seconds | {"stages": stages, "gpus": 1})


def encoded(args: argparse.Namespace, stages: dict[str, float]) -> tuple[list[Row], tokens.Encoded]:
    """Read and encode the prompts, one thing after the other."""
    with timed(stages, "imports"):
        tokens.import_tokenizers()
    rows = read_jsonl(args.prompts)
    with timed(stages, "tokenization"):
        return rows, tokens.encode(args.model, rows, args.max_new_tokens)


def original(args: argparse.Namespace) -> None:
    """Generate as the original experiment did: a few prompts a call, vLLM's defaults otherwise."""
    stages: dict[str, float] = {}
    rows, (inputs, ends, _, _) = encoded(args, stages)
    with timed(stages, "engine_import"):
        vllm_engine.import_vllm(args.cache_folder)
        from vllm import LLM, SamplingParams
    options: dict[str, Any] = {"max_num_seqs": ORIGINAL_SEQUENCES, "max_model_len": 4096}
    if args.on_cpu:
        options |= {"enforce_eager": True, "dtype": "float32"}
    options |= vllm_engine.extra_options()
    with timed(stages, "engine_start"), vllm_engine.LoggedStages(stages):
        engine = LLM(model=str(args.model), **options)
    sampling = SamplingParams(
        max_tokens=args.max_new_tokens, stop_token_ids=ends, seed=42, **ORIGINAL_SAMPLING
    )
    outputs = []
    with timed(stages, "generation"):
        for start in range(0, len(inputs), ORIGINAL_CALL):
            batch = [{"prompt_token_ids": ids} for ids in inputs[start : start + ORIGINAL_CALL]]
            outputs += engine.generate(batch, sampling, use_tqdm=False)
    answers = [[cut_at_end_token(list(output.outputs[0].token_ids), ends)] for output in outputs]
    write_results(args, rows, inputs, answers, stages)


def served(args: argparse.Namespace) -> None:
    """Generate as our engine does, with the adapter served beside the base model."""
    stages: dict[str, float] = {}
    rows, (inputs, ends, _, _) = encoded(args, stages)
    with timed(stages, "engine_import"):
        vllm_engine.import_vllm(args.cache_folder)
        from vllm import LLM, SamplingParams
        from vllm.lora.request import LoRARequest
    context = max(len(ids) for ids in inputs) + args.max_new_tokens
    at_once = min(args.batch_size, len(inputs))
    options = vllm_engine.engine_options(args.model, context, at_once, not args.on_cpu)
    options |= {"enable_lora": True, "max_lora_rank": RANK} | vllm_engine.extra_options()
    with timed(stages, "engine_start"), vllm_engine.LoggedStages(stages):
        engine = LLM(**options, seed=42)
    decoding = DecodingSettings(
        engine="vllm",
        max_new_tokens=args.max_new_tokens,
        batch_size=at_once,
        temperature=0,
        top_p=1,
        repetition_penalty=1,
        seed=42,
    )
    order = sorted(range(len(inputs)), key=lambda index: inputs[index])
    with timed(stages, "generation"):
        outputs = engine.generate(
            [{"prompt_token_ids": inputs[i]} for i in order],
            SamplingParams(**vllm_engine.sampling_options(decoding, ends, [])),
            lora_request=LoRARequest("adapter", 1, str(args.adapter)),
        )
    answers = {
        index: [cut_at_end_token(list(output.outputs[0].token_ids), ends)]
        for index, output in zip(order, outputs, strict=True)
    }
    write_results(args, rows, inputs, [answers[index] for index in range(len(inputs))], stages)


def make_adapter(args: argparse.Namespace) -> None:
    """Write a random adapter in PEFT's form, and the model with it merged in float32.

    The update is twice as large as the spread of the weights, as no trained one is, so that an
    adapter that were ignored would show in every answer.
    """
    import torch
    from safetensors.torch import load_file, save_file

    torch.manual_seed(42)
    adapter: dict[str, torch.Tensor] = {}
    for folder in (args.adapter, args.merged):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for path in args.model.iterdir():
        if path.suffix != ".safetensors":
            shutil.copyfile(path, args.merged / path.name)
    for path in sorted(args.model.glob("*.safetensors")):
        weights = load_file(path)
        for name, weight in weights.items():
            if name.split(".")[-2] not in TARGETS:
                continue
            down = torch.randn(RANK, weight.shape[1]).to(torch.bfloat16)
            spread = weight.float().std() * 2 / (ALPHA / RANK) / math.sqrt(RANK)
            up = (torch.randn(weight.shape[0], RANK) * spread).to(torch.bfloat16)
            key = f"base_model.model.{name.removesuffix('.weight')}"
            adapter[f"{key}.lora_A.weight"], adapter[f"{key}.lora_B.weight"] = down, up
            update = up.float() @ down.float() * (ALPHA / RANK)
            weights[name] = (weight.float() + update).to(weight.dtype)
        save_file(weights, args.merged / path.name, metadata={"format": "pt"})
    save_file(adapter, args.adapter / "adapter_model.safetensors", metadata={"format": "pt"})
    settings = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": ALPHA}
    settings |= {"target_modules": list(TARGETS), "lora_dropout": 0.0, "bias": "none"}
    settings |= {"base_model_name_or_path": str(args.model)}
    write_json(args.adapter / "adapter_config.json", settings)


def explain(args: argparse.Namespace) -> None:
    """Say of the prompts whose answers differ how near the two tokens were where they part.

    The logits are those of transformers on the same weights, in the type that was generated with.
    A gap is given in steps: the distance of neighbouring bf16 numbers at the larger logit.
    """
    from sqladder.models.network import load_network

    end = read_json(args.model / "config.json")["eos_token_id"]
    left, right = ({row["id"]: row for row in read_jsonl(p)} for p in (args.left, args.right))
    parted = []
    for key, row in left.items():
        one, other = row["token_ids"], right[key]["token_ids"]
        if one == other and row["finish_reason"] == right[key]["finish_reason"]:
            continue
        pairs = enumerate(zip(one, other, strict=False))
        at = next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))
        pair = [answer[at] if at < len(answer) else end for answer in (one, other)]
        parted.append((row["prompt_ids"] + one[:at], pair))
    parted.sort(key=lambda item: len(item[0]))
    gaps, steps, is_top = [], [], 0
    network = load_network(args.model, args.dtype)
    for start in range(0, len(parted), 16):
        batch = parted[start : start + 16]
        logits = last_logits(network, [ids for ids, _ in batch])
        for (_, pair), row in zip(batch, logits, strict=True):
            values = [float(row[token]) for token in pair]
            gaps.append(abs(values[0] - values[1]))
            steps.append(gaps[-1] / 2 ** (math.floor(math.log2(max(map(abs, values)))) - 7))
            is_top += set(pair) == set(row.topk(2).indices.tolist())
    summary = {
        "both_are_the_top_two": is_top,
        "gap_median": round(median(gaps), 4),
        "gap_largest": round(max(gaps), 4),
        "within_steps_of_bf16": {str(n): sum(s <= n for s in steps) for n in (0, 1, 2, 4, 8)},
    }
    write_json(args.output, summary)


def last_logits(network: Any, batch: list[list[int]]) -> Any:
    """Logits after each row, (rows, vocabulary), in float32."""
    import torch

    width = max(map(len, batch))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in batch])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in batch])
    with torch.inference_mode():
        hidden = network.model(
            input_ids=ids.to(network.device), attention_mask=mask.to(network.device)
        ).last_hidden_state
        last = hidden[torch.arange(len(batch)), [len(row) - 1 for row in batch]]
        return network.lm_head(last).float().cpu()


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=PARTS)
    for name in ("model", "prompts", "output", "facts", "cache-folder"):
        parser.add_argument(f"--{name}", type=Path)
    for name in ("adapter", "merged", "left", "right"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--dtype")
    parser.add_argument("--max-new-tokens", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--on-cpu", action="store_true")
    return parser.parse_args()


PARTS = {"original": original, "adapter": make_adapter, "served": served, "explain": explain}

if __name__ == "__main__":
    # Without the name of a part, because generate.py starts its shards by its own command line.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if sys.argv[1] in PARTS:
        arguments = parse_arguments()
        PARTS[arguments.part](arguments)
    else:
        with_tokens()
