"""A variant's model as one GGUF file."""

from pathlib import Path

from sqladder.errors import LOG, InputError
from sqladder.files import read_json
from sqladder.models.gguf import write_gguf
from sqladder.models.weights import GGUF_SUFFIX
from sqladder.report.exported_variant import exported_model


def export_gguf(variant: Path, kind: str, output: Path | None) -> None:
    """Write the file, and say what it is.

    Args:
        variant: folder of the variant.
        kind: q8_0, q4_k_m, or none.
        output: the file; None for one in the variant's folder.

    Raises:
        InputError: the folder is no variant with a whole model, a package is missing, or llama.cpp knows no such model.
    """
    _, model = exported_model(variant)
    if read_json(model / "config.json").get("quantization_config"):
        raise InputError(
            f"{variant} has numbers that bitsandbytes made smaller, which llama.cpp does not read: export the variant "
            "that it was made from"
        )
    path = output or variant / f"{variant.resolve().name}-{kind}{GGUF_SUFFIX}"
    if path.is_dir():
        raise InputError(f"--output {path} is a folder; name a file")
    if path.suffix != GGUF_SUFFIX:
        # What is there is replaced: not a checkpoint by mistake.
        raise InputError(
            f"--output {path} is no name of a GGUF file: give one that ends in {GGUF_SUFFIX}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = write_gguf(model, kind, path)
    types = ", ".join(f"{count} {name}" for name, count in facts["tensors"].items())
    LOG.info(f"{path}: {path.stat().st_size / 1e6:.1f} MB; tensors: {types}")
    if kind != "none":
        LOG.info(
            f"what {kind} costs in right answers says a variant of `method: quantized` with `quantize: {kind}` "
            "(docs/deploying.md)"
        )
