"""A model with smaller numbers: by llama.cpp as one GGUF file, or by bitsandbytes as a checkpoint of transformers.

The folder that is written is a model folder like others: configuration and tokenizer as they were, and in place of the
weights the smaller ones. So prompts are turned into the same tokens, and only the numbers differ.
"""

import shutil
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqladder.errors import InputError
from sqladder.models.folders import link_files, replacing_folder
from sqladder.models.weights import GGUF_SUFFIX, INDEX

# What bitsandbytes calls them.
_HOW: dict[str, dict[str, Any]] = {
    "int8": {"load_in_8bit": True},
    "nf4": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
}


def quantize(model: Path, kind: str, output: Path) -> dict[str, Any]:
    """Write a model with smaller numbers into a folder; return what became of it.

    Args:
        model: Hugging Face folder, whole weights.
        kind: what becomes of the numbers (quantizations.py); none makes a GGUF file of them as they are.
        output: folder, replaced whole.

    Raises:
        InputError: a package is missing, or does not know this architecture.
    """
    begun = time.monotonic()
    with replacing_folder(output) as folder:
        link_files(model, folder)
        before = _take_weights(folder)
        write = _by_bits if kind in _HOW else _as_gguf
        facts = write(model, kind, folder)
        after = sum(path.stat().st_size for path in _weights(folder))
    return {
        "kind": kind,
        "bytes_before": before,
        "bytes": after,
        "seconds": round(time.monotonic() - begun, 2),
        **facts,
    }


def _weights(folder: Path) -> list[Path]:
    return [path for suffix in (".safetensors", GGUF_SUFFIX) for path in folder.glob(f"*{suffix}")]


def _take_weights(folder: Path) -> int:
    """Remove the weights from a folder of links; their size in bytes."""
    size = sum(path.stat().st_size for path in _weights(folder))
    for path in [*_weights(folder), folder / INDEX]:
        path.unlink(missing_ok=True)
    return size


def _as_gguf(model: Path, kind: str, folder: Path) -> dict[str, Any]:
    from sqladder.models.gguf import write_gguf

    return write_gguf(model, kind, folder / f"model-{kind}{GGUF_SUFFIX}")


def _by_bits(model: Path, kind: str, folder: Path) -> dict[str, Any]:
    from sqladder.processes.imports import leave_out_sklearn

    leave_out_sklearn()
    try:
        import bitsandbytes  # noqa: F401
    except ModuleNotFoundError as error:
        raise InputError(
            f"quantize {kind} needs a package that is not installed here ({error.name}): `make nf4` installs "
            "requirements/bitsandbytes.lock"
        ) from error
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    network = AutoModelForCausalLM.from_pretrained(
        model, quantization_config=BitsAndBytesConfig(**_HOW[kind]), device_map={"": "cpu"}
    )
    saved = folder / "saved"
    network.save_pretrained(saved)
    for path in saved.iterdir():
        # A link still: what it names is another model's.
        (folder / path.name).unlink(missing_ok=True)
        shutil.move(path, folder / path.name)
    saved.rmdir()
    return {"versions": {name: version(name) for name in ("bitsandbytes", "transformers")}}
