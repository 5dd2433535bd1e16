"""Whether the packages that only some settings need are there, before the hours of training that come before them."""

import subprocess
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqladder.errors import InputError
from sqladder.experiment.generation_jobs import engine
from sqladder.experiment.reading import Config
from sqladder.experiment.training_jobs import own_parallelism, training_settings
from sqladder.experiment.variants import own_entry, quantization, replicates, trained
from sqladder.models.quantizations import GGUF_KINDS

_GENERATE = ("generate", "generate_samples")
# Megatron's adapter has a namesake on PyPI, which only training itself tells apart.
_FIND = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"


class _Need(NamedTuple):
    package: str
    what: str
    pins: str
    instead: str


def check_packages(config: Config, jobs: Iterable[tuple[str, str]]) -> None:
    """Refuse jobs whose package the `python` of the rules does not have.

    Args:
        config: the experiment.
        jobs: rule and replicate of each job that will run.

    Raises:
        InputError: a package is missing; the message names who needs it, and the ways out.
    """
    needed: dict[str, tuple[str, _Need]] = {}
    for rule, replicate in jobs:
        for need in _needs(config, rule, replicate):
            needed.setdefault(need.package, (replicate, need))
    for name, (replicate, need) in needed.items():
        if subprocess.run(["python", "-c", _FIND, name], check=False).returncode:
            raise InputError(
                f"{replicate} uses {need.what}, and the package {name} is not installed here: run with "
                f"--software-deployment-method conda, install {need.pins}, or {need.instead}"
            )


def _needs(config: Config, rule: str, replicate: str) -> Iterator[_Need]:
    if rule in _GENERATE and engine(config, replicate) == "vllm":
        pins = "workflow/envs/vllm.yaml's pins"
        yield _Need("vllm", "the engine vllm", pins, "choose engine: transformers")
    if rule == "reinforce" and own_entry(config, replicate)["drawn"]["engine"] == "vllm":
        pins = "workflow/envs/vllm.yaml's pins beside the trainer"
        yield _Need("vllm", "the engine vllm", pins, "choose engine: transformers")
    if rule in (*_GENERATE, "quantize"):
        yield from _needs_of_quantized(config, replicate)
    if rule != "train" or replicate not in trained(config):
        return
    if own_parallelism(config, replicate)["method"] == "megatron":
        pins = "workflow/envs/megatron.yaml's pins"
        yield _Need("megatron", "the parallelism megatron", pins, "choose another parallelism")
    if what := training_settings(config, replicate).by_bitsandbytes:
        yield _Need("bitsandbytes", what, "requirements/bitsandbytes.lock", "leave it out")


def _needs_of_quantized(config: Config, replicate: str) -> Iterator[_Need]:
    kind = quantization(config, replicates(config)[replicate].variant)
    what, instead = f"quantize: {kind}", "leave the variant out"
    if kind in GGUF_KINDS:
        for package in ("llama_cpp", "conversion"):
            yield _Need(package, what, "requirements/gguf.lock (make gguf)", instead)
    elif kind:
        yield _Need("bitsandbytes", what, "requirements/bitsandbytes.lock (make nf4)", instead)
