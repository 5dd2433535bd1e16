"""Generation with vLLM: it gets many prompts at a time and batches them by itself.

Most of a variant's time is the start of the engine, so what it would prepare for days of service is
left out: no compilation by torch (half a minute, saved again only by very long runs), few CUDA
graphs, no tokenizer of its own. docs/generation.md has more.
"""

import functools
import json
import logging
import os
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqladder.errors import InputError
from sqladder.generation.contract import (
    NOTHING,
    Completion,
    Finished,
    Load,
    cut_at_end_token,
    prompt_seed,
)
from sqladder.generation.settings import DecodingSettings
from sqladder.generation.spacing import with_ends
from sqladder.generation.vllm_weights import RELOADING, prepare_tied_layers, same_network
from sqladder.models.network import checkpoint_weights

PACKAGE = "vllm"

ENVIRONMENT = {
    # The engine in this process: one of its own would import everything once more.
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
    # Both compile kernels at their first use; the first only samples, the second is for FP8.
    "VLLM_USE_FLASHINFER_SAMPLER": "0",
    "VLLM_USE_DEEP_GEMM": "0",
}
CPU_ENVIRONMENT = {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}

# Where vLLM, torch and Triton keep what they have compiled, below the folder that is ours.
CACHES = {
    "VLLM_CACHE_ROOT": "vllm",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "TRITON_CACHE_DIR": "triton",
}

# Options of the engine as JSON, for machines and measurements that need others than ours, e.g.
# {"attention_config": {"backend": "TRITON_ATTN"}} where flash-attention is missing.
OPTIONS_VARIABLE = "SQLADDER_VLLM_OPTIONS"

# For a grammar vLLM has to know what its tokens are; the one that has compiled all grammars of a run keeps them.
GRAMMAR_OPTIONS = {
    "skip_tokenizer_init": False,
    "structured_outputs_config": {"backend": "xgrammar"},
}

# The smallest CUDA graph: fewer rows than this take as long, because reading the weights does.
SMALLEST_GRAPH = 16

# Of the GPU's memory, for keys and values where a training has the rest: on 80 GB those of 250,000 tokens of a model of
# 135 million parameters, and of 50,000 of one of 1.7 billion.
CACHE_BESIDE_TRAINING = 0.08
LEAST_UTILIZATION = 0.01

# Answers are handed on so often, and lost in a kill if they are younger; to keep them takes milliseconds.
SECONDS_BETWEEN_ANSWERS = 1.0

# What vLLM logs about its start: beginning of the message, and which of its arguments has seconds.
LOGGED_STAGES = {
    "weights": ("Model loading took", 1),
    "profile_and_warm_up": ("init engine (profile", 0),
    "graph_capture": ("Graph capturing finished", 0),
}


def import_vllm(cache_folder: Path | None) -> None:
    """Import vLLM, which reads its environment then; what is set already stays.

    Raises:
        InputError: vLLM is not installed.
    """
    import torch

    settings = ENVIRONMENT | ({} if torch.cuda.is_available() else CPU_ENVIRONMENT)
    if cache_folder is not None:
        folder = cache_folder.absolute()
        settings |= {name: str(folder / below) for name, below in CACHES.items()}
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    try:
        from vllm import LLM  # noqa: F401
    except ModuleNotFoundError as error:
        raise InputError(
            f"the engine vllm needs a package that is not installed here ({error.name}): run with "
            "--software-deployment-method conda, install workflow/envs/vllm.yaml's pins, or choose "
            "the engine transformers"
        ) from error


def start(
    model: Path, load: Load, decoding: DecodingSettings, end_tokens: Sequence[int]
) -> "VllmEngine":
    """Start the engine; the batch size is the largest number of answers in work at one time."""
    import torch
    from vllm import LLM

    at_once = min(decoding.batch_size, load.answers)
    options = engine_options(model, load.longest, at_once, torch.cuda.is_available())
    if decoding.grammar != "none":
        options |= GRAMMAR_OPTIONS
        _parse_grammars_once()
    if load.beside_training and torch.cuda.is_available():
        _, memory = torch.cuda.mem_get_info()
        own = options_beside_training(memory, extra_options())
    else:
        own = extra_options()
    stages: dict[str, float] = {}
    with LoggedStages(stages):
        engine = LLM(**options | own, seed=decoding.seed)
    return VllmEngine(engine, stages, end_tokens, model)


def _parse_grammars_once() -> None:
    """Keep what xgrammar reads out of a text: vLLM has it read for every prompt, to check it."""
    from xgrammar import Grammar

    Grammar.from_ebnf = staticmethod(functools.cache(Grammar.from_ebnf))  # type: ignore[method-assign]


class VllmEngine:
    """An engine that has started (contract.ReloadingEngine)."""

    def __init__(
        self, engine: Any, stages: dict[str, float], end_tokens: Sequence[int], model: Path
    ) -> None:
        self.stages = stages
        self._engine = engine
        self._end_tokens = end_tokens
        self._model = model

    def answer(
        self,
        prompts: Sequence[Sequence[int]],
        decoding: DecodingSettings,
        done: Collection[int] = NOTHING,
        grammars: Sequence[str] | None = None,
    ) -> Iterator[Finished]:
        """Answer prompts; those that begin alike one after the other: what they share is computed once."""
        open_places = [place for place in range(len(prompts)) if place not in done]
        waiting = deque(sorted(open_places, key=lambda place: list(prompts[place])))
        draws = decoding.draws()
        # The place and the draw of each request, and the answers to a place that still lacks some.
        requests: dict[str, tuple[int, int]] = {}
        drawn: dict[int, dict[int, list[Completion]]] = {}
        finished: Finished = {}
        begun = time.monotonic()
        while waiting or requests:
            # The next ones are there before a batch has room for them; all that wait would take memory.
            while waiting and len(requests) < 2 * decoding.batch_size:
                place = waiting.popleft()
                grammar = grammars[place] if grammars else None
                for number, draw in enumerate(draws):
                    requests[self._enqueue(prompts[place], draw, grammar)] = place, number
            for output in self._engine.llm_engine.step():
                if not output.finished:
                    continue
                place, number = requests.pop(output.request_id)
                own = drawn.setdefault(place, {})
                own[number] = [_completion(part, self._end_tokens) for part in output.outputs]
                if len(own) == len(draws):
                    finished[place] = _in_order(drawn.pop(place))
            if finished and time.monotonic() - begun >= SECONDS_BETWEEN_ANSWERS:
                yield finished
                finished, begun = {}, time.monotonic()
        if finished:
            yield finished

    def reload(self, base_model: Path, checkpoint: Path) -> None:
        """Take the weights of a checkpoint into the memory of the old ones, CUDA graphs and all.

        The keys and values of prompts that are kept for others to begin with are of the old weights, and go.
        """
        # It warns of each layer that no file has weights for, rotary embeddings too; `same_network` knows better.
        logging.getLogger(RELOADING).setLevel(logging.ERROR)
        weights = same_network(checkpoint_weights(base_model, checkpoint), self._model, checkpoint)
        self._engine.collective_rpc("reload_weights", kwargs={"weights_iterator": weights})
        self._engine.apply_model(prepare_tied_layers)
        if not self._engine.reset_prefix_cache():
            raise RuntimeError("vLLM keeps what it has computed with the old weights")

    def _enqueue(self, prompt: Sequence[int], draw: DecodingSettings, grammar: str | None) -> str:
        """Ask for one draw; the name that its outputs will have."""
        from vllm import SamplingParams
        from vllm.sampling_params import StructuredOutputsParams

        options = sampling_options(draw, self._end_tokens, prompt)
        if grammar:
            text = with_ends(grammar, self._end_tokens)
            options["structured_outputs"] = StructuredOutputsParams(grammar=text)
        (name,) = self._engine.enqueue(
            [{"prompt_token_ids": list(prompt)}],
            SamplingParams(**options),
            use_tqdm=False,
        )
        # A number, to which vLLM adds letters for itself.
        return name.partition("-")[0]


def _in_order(draws: dict[int, list[Completion]]) -> list[Completion]:
    """The answers of several draws, in the order of the draws."""
    return [each for number in sorted(draws) for each in draws[number]]


def _completion(part: Any, end_tokens: Sequence[int]) -> Completion:
    """An answer as vLLM gives it (`CompletionOutput`), the end token among its tokens."""
    tokens = list(part.token_ids)
    completion = cut_at_end_token(tokens, end_tokens)
    if part.cumulative_logprob is None:
        return completion
    return completion._replace(log_probability=part.cumulative_logprob / len(tokens))


def engine_options(model: Path, context: int, at_once: int, on_gpu: bool) -> dict[str, Any]:
    """Options of vLLM's engine.

    Args:
        model: the checkpoint's folder.
        context: the longest prompt with its answer, in tokens.
        at_once: the largest number of answers in work at one time.
        on_gpu: False for vLLM on CPU.
    """
    options = {
        "model": str(model),
        # Prompts come as tokens and answers go as tokens.
        "skip_tokenizer_init": True,
        "max_model_len": context,
        "max_num_seqs": at_once,
        "dtype": "bfloat16" if on_gpu else "float32",
        "enforce_eager": not on_gpu,
        # Questions on one database share the schema, which stands first in the prompt.
        "enable_prefix_caching": True,
    }
    if not on_gpu:
        # Without it the sampler for CPUs takes no request's seed as soon as a greedy one, which has none, stands in the
        # same batch (vllm/v1/sample/ops/topk_topp_sampler.py, forward_cpu).
        options["use_fp64_gumbel"] = True
    if on_gpu:
        # Mode 0: nothing is compiled. Prompts are read eagerly: their batches are large enough.
        options["compilation_config"] = {
            "mode": 0,
            "cudagraph_mode": "FULL_DECODE_ONLY",
            "cudagraph_capture_sizes": graph_sizes(at_once),
        }
    return options


def options_beside_training(memory: int, others: dict[str, Any]) -> dict[str, Any]:
    """Options of an engine on a GPU that a training fills meanwhile, others among them.

    Args:
        memory: bytes of the GPU.
        others: `extra_options`.
    """
    kept = {"kv_cache_memory_bytes": int(CACHE_BESIDE_TRAINING * memory)}
    # vLLM refuses to start where less is free, and gives no other meaning to it beside the cache's bytes.
    return {**kept, **others, "gpu_memory_utilization": LEAST_UTILIZATION}


def graph_sizes(at_once: int) -> list[int]:
    """Numbers of rows that a CUDA graph is captured for: powers of two and the largest number.

    Each takes a fifth of a second at the start, and a batch is filled up to the next one.
    """
    sizes = []
    size = SMALLEST_GRAPH
    while size < at_once:
        sizes.append(size)
        size *= 2
    return [*sizes, at_once]


def extra_options() -> dict[str, Any]:
    """Options that the environment asks for beside ours, or instead of them.

    Raises:
        InputError: the variable does not hold a JSON object.
    """
    text = os.environ.get(OPTIONS_VARIABLE, "{}")
    try:
        options = json.loads(text)
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise InputError(f"{OPTIONS_VARIABLE}={text} is no JSON object of vLLM's engine options")
    return options


def sampling_options(
    decoding: DecodingSettings, end_tokens: Sequence[int], prompt: Sequence[int]
) -> dict[str, Any]:
    """Options of vLLM's sampling that mean what the transformers engine does."""
    options = {
        "max_tokens": decoding.max_new_tokens,
        "n": decoding.samples,
        "temperature": decoding.temperature,
        "top_p": decoding.top_p,
        "repetition_penalty": decoding.repetition_penalty,
        "stop_token_ids": list(end_tokens),
        # Ours are all: vLLM would add those of the checkpoint's generation_config.json.
        "ignore_eos": True,
        "detokenize": False,
        # None beside that of the token itself, as the model gives it.
        "logprobs": 0 if decoding.log_probabilities else None,
        # Only their sum is read: no dictionary and object for each token of each answer.
        "flat_logprobs": decoding.log_probabilities,
    }
    if decoding.temperature > 0:
        # By prompt, so that neither order nor shards change an answer.
        options["seed"] = prompt_seed(decoding.seed, prompt)
    return options


class LoggedStages(logging.Handler):
    """Notes, while it is entered, the seconds that vLLM logs about stages of its start."""

    def __init__(self, stages: dict[str, float]) -> None:
        super().__init__(logging.INFO)
        self._stages = stages

    def __enter__(self) -> None:
        logging.getLogger("vllm").addHandler(self)

    def __exit__(self, *_: object) -> None:
        logging.getLogger("vllm").removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Take the seconds from a record's arguments, which say more than its rounded text."""
        for stage, (beginning, position) in LOGGED_STAGES.items():
            if str(record.msg).startswith(beginning) and isinstance(record.args, tuple):
                self._stages[stage] = round(float(str(record.args[position])), 3)
