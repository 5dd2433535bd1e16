"""Whether the packages that only some settings need are there, before the hours of training that come before them."""

import subprocess
from collections.abc import Iterable

from sqladder.errors import InputError
from sqladder.experiment.generation_jobs import engine
from sqladder.experiment.reading import Config
from sqladder.experiment.training_jobs import own_parallelism

_GENERATE = ("generate", "generate_samples")
# Megatron's adapter has a namesake on PyPI, which only training itself tells apart.
_FIND = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"


def check_packages(config: Config, jobs: Iterable[tuple[str, str]]) -> None:
    """Refuse jobs whose package the `python` of the rules does not have.

    Args:
        config: the experiment.
        jobs: rule and replicate of each job that will run.

    Raises:
        InputError: a package is missing; the message names who needs it, and the ways out.
    """
    needed: dict[str, tuple[str, str, str]] = {}
    for rule, replicate in jobs:
        if rule in _GENERATE and engine(config, replicate) == "vllm":
            needed.setdefault("vllm", (replicate, "the engine vllm", "engine: transformers"))
        if rule == "train" and own_parallelism(config, replicate)["method"] == "megatron":
            way_out = "another parallelism"
            needed.setdefault("megatron", (replicate, "the parallelism megatron", way_out))
    for name, (replicate, what, instead) in needed.items():
        if subprocess.run(["python", "-c", _FIND, name], check=False).returncode:
            raise InputError(
                f"{replicate} uses {what}, and the package {name} is not installed here: run with "
                f"--software-deployment-method conda, install workflow/envs/{name}.yaml's pins, or choose {instead}"
            )
