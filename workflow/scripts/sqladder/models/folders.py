"""Model folders: written whole or not at all, shared by hard links where the disk allows it."""

import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import safe_open

from sqladder.errors import InputError
from sqladder.models.architecture import unfit
from sqladder.models.weights import check_weights, gguf_files

# Snakemake puts it into every folder that is a job's output.
TIMESTAMP_FILE = ".snakemake_timestamp"
# One of these holds the tokenizer's words.
VOCABULARIES = ("tokenizer.json", "vocab.json", "tokenizer.model")


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """An empty folder beside `path`; on success it takes the place of `path`.

    A killed writer leaves at most the unfinished folder `.<name>.partial`, which the next one
    removes.
    """
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    if path.exists():
        shutil.rmtree(path)
    partial.rename(path)


def link_files(source: Path, target: Path) -> None:
    """Put every file of a model folder into another as a hard link, or as a copy across file systems."""
    for path in sorted(source.rglob("*")):
        # Snakemake tells by its time how old the folder is, and touches it: shared, it would make the source look new.
        if path.name == TIMESTAMP_FILE:
            continue
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir(parents=True, exist_ok=True)
            continue
        # A snapshot of the Hugging Face cache is links into another folder: what they name is taken.
        file = path.resolve()
        try:
            os.link(file, copy)
        except OSError:
            shutil.copy2(file, copy)


def check_model_folder(path: Path, purpose: str, is_asked: bool = False) -> None:
    """Refuse a folder that is no Hugging Face checkpoint, before anything slow starts.

    Args:
        path: the folder.
        purpose: what it is, for the message.
        is_asked: it is only asked, so its weights may be quantised, or one GGUF file.
    """
    if not path.is_dir():
        raise InputError(f"{purpose} {path} is not a folder")
    if not (is_asked and gguf_files(path)):
        check_weights(path, purpose)
    missing = [
        name for name in ("config.json", "tokenizer_config.json") if not (path / name).is_file()
    ]
    if not any((path / name).is_file() for name in VOCABULARIES):
        missing.append(" or ".join(VOCABULARIES))
    if missing:
        raise InputError(
            f"{purpose} {path} lacks {', '.join(missing)}: it is no complete checkpoint"
        )
    if reason := unfit(path, is_asked):
        raise InputError(f"{purpose} {path} {reason}")


def count_parameters(model: Path) -> int:
    """Number of weights in a checkpoint, from the headers of its files; tied weights count once."""
    total = 0
    for path in sorted(model.glob("*.safetensors")):
        with safe_open(path, framework="numpy") as file:
            total += sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
    return total
