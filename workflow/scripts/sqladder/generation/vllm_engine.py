"""Generation with vLLM: one call for all prompts, which the engine batches by itself."""

import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from sqladder.errors import InputError
from sqladder.generation.contract import Completion, Decoding, cut_at_end_token

# One process, and no report of usage to the network.
ENVIRONMENT = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_NO_USAGE_STATS": "1"}
CPU_ENVIRONMENT = {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}

# Options of ours that change speed or memory only: a version without them can do without.
DISPENSABLE = frozenset({"enforce_eager", "enable_prefix_caching", "max_num_seqs"})


def generate(
    model: Path, prompts: Sequence[list[int]], decoding: Decoding, batch_size: int
) -> list[Completion]:
    """Answer every prompt; `batch_size` is the largest number of them in work at one time."""
    on_gpu = torch.cuda.is_available()
    for name, value in (ENVIRONMENT | ({} if on_gpu else CPU_ENVIRONMENT)).items():
        os.environ.setdefault(name, value)
    # vLLM reads its environment when it is imported.
    from vllm import LLM, SamplingParams
    from vllm.engine.arg_utils import EngineArgs

    longest = max(len(ids) for ids in prompts)
    options = engine_options(model, longest + decoding.max_new_tokens, batch_size, on_gpu)
    known = {field.name for field in dataclasses.fields(EngineArgs)}
    engine = LLM(**known_options(options, known), seed=decoding.seed)
    end_token = AutoTokenizer.from_pretrained(model).eos_token_id
    sampling = sampling_options(decoding, end_token)
    parameters = SamplingParams(**known_options(sampling, SamplingParams.__struct_fields__))
    outputs = engine.generate([{"prompt_token_ids": ids} for ids in prompts], parameters)
    return [cut_at_end_token(list(o.outputs[0].token_ids), end_token) for o in outputs]


def engine_options(model: Path, context: int, batch_size: int, on_gpu: bool) -> dict[str, Any]:
    """Options of vLLM's engine; `context` is the longest prompt with its answer, in tokens."""
    return {
        "model": str(model),
        "max_model_len": context,
        "max_num_seqs": batch_size,
        "dtype": "bfloat16" if on_gpu else "float32",
        # Compiling takes longer than a small CPU run.
        "enforce_eager": not on_gpu,
        # Questions on one database share the schema, which stands first in the prompt.
        "enable_prefix_caching": True,
    }


def sampling_options(decoding: Decoding, end_token: int) -> dict[str, Any]:
    """Options of vLLM's sampling that mean what the transformers engine does."""
    return {
        "max_tokens": decoding.max_new_tokens,
        "temperature": decoding.temperature,
        "top_p": decoding.top_p,
        "repetition_penalty": decoding.repetition_penalty,
        "stop_token_ids": [end_token],
        "seed": decoding.seed,
    }


def known_options(options: dict[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """Keep the options that the installed vLLM knows.

    Raises:
        InputError: it lacks one that decides what is generated.
    """
    unknown = [name for name in options if name not in set(known)]
    needed = [name for name in unknown if name not in DISPENSABLE]
    if needed:
        raise InputError(
            f"the installed vLLM has no option {needed[0]!r}, without which its answers would be "
            "others: install a version that has it, or use the transformers engine"
        )
    for name in unknown:
        print(f"the installed vLLM has no option {name!r}: going on without it")
    return {name: value for name, value in options.items() if name not in unknown}
