"""Weight files of checkpoints and adapters, checked by their headers: no weight is read, so it takes milliseconds."""

import json
from pathlib import Path
from typing import Any

from sqladder.errors import InputError
from sqladder.files import read_json

# A safetensors file: the header's length in 8 bytes, the header (JSON: name, type, shape and place
# of every tensor), the tensors. github.com/huggingface/safetensors describes it.
LENGTH_BYTES = 8
INDEX = "model.safetensors.index.json"
GGUF_SUFFIX = ".gguf"
ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
ADAPTER_PREFIX = "base_model.model."
COMPILED = "_orig_mod."  # what torch.compile puts into the names of a module's weights


def read_header(path: Path) -> dict[str, Any]:
    """Read the names and shapes of a safetensors file's tensors.

    Raises:
        InputError: the file is shorter or longer than its header says, or has no such header.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH_BYTES), "little")
        if size < LENGTH_BYTES or length > size - LENGTH_BYTES:
            raise InputError(_damaged(path, f"has {size} bytes, which end within its header"))
        try:
            header = json.loads(file.read(length))
        except ValueError as error:
            raise InputError(_damaged(path, "does not begin with the header of one")) from error
    header.pop("__metadata__", None)
    end = max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
    whole = LENGTH_BYTES + length + end
    if size != whole:
        raise InputError(_damaged(path, f"has {size} bytes, but its header says {whole}"))
    return header


def _damaged(path: Path, how: str) -> str:
    return f"{path} is no whole safetensors file: it {how}; copy, download or train it again"


def gguf_files(folder: Path) -> list[Path]:
    """The weights of a folder that llama.cpp reads."""
    return sorted(folder.glob(f"*{GGUF_SUFFIX}"))


def check_weights(folder: Path, purpose: str) -> None:
    """Refuse a checkpoint whose weights are missing or cut off.

    Raises:
        InputError: no weights, a file or a tensor that the index names is missing, or a file is
            damaged.
    """
    files = sorted(folder.glob("*.safetensors"))
    if (folder / ADAPTER_CONFIG).is_file() and not (folder / "config.json").is_file():
        base = read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
        raise InputError(
            f"{purpose} {folder} is an adapter of {base}, not a whole model: merge it into its base"
        )
    if not files:
        raise InputError(f"{purpose} {folder} holds no weights (*.safetensors)")
    named: dict[str, str] = {}
    if (folder / INDEX).is_file():
        named = read_json(folder / INDEX)["weight_map"]
    for name in sorted(set(named.values())):
        if not (folder / name).is_file():
            raise InputError(
                f"{purpose} {folder} lacks {name}, which {INDEX} names: it is no complete checkpoint"
            )
    tensors = {path.name: read_header(path) for path in files}
    for tensor, name in named.items():
        if tensor not in tensors[name]:
            raise InputError(
                f"{purpose} {folder}: {name} lacks {tensor}, which {INDEX} says it has: they are of "
                "different checkpoints"
            )


def tensor_shapes(folder: Path) -> dict[str, list[int]]:
    """The shape of each tensor of a checkpoint, by its name."""
    return {
        name: tensor["shape"]
        for path in sorted(folder.glob("*.safetensors"))
        for name, tensor in read_header(path).items()
    }


def check_adapter(adapter: Path, base: Path) -> None:
    """Refuse to merge an adapter into a model that it was not trained on, as far as shapes tell.

    Raises:
        InputError: the adapter's weights are missing or damaged, or do not fit the base's.
    """
    if not (adapter / ADAPTER_WEIGHTS).is_file():
        raise InputError(f"adapter {adapter} holds no weights ({ADAPTER_WEIGHTS})")
    shapes = tensor_shapes(base)
    trained_on = read_json(adapter / ADAPTER_CONFIG).get("base_model_name_or_path")
    is_known = False
    for name, tensor in read_header(adapter / ADAPTER_WEIGHTS).items():
        module, _, kind = name.partition(".lora_")
        weight = module.removeprefix(ADAPTER_PREFIX).replace(COMPILED, "") + ".weight"
        if weight not in shapes:
            continue
        is_known = True
        # A takes what the weight takes, B gives what it gives.
        own, verb = (1, "takes") if kind.startswith("A") else (0, "gives")
        if tensor["shape"][own] != shapes[weight][own]:
            raise InputError(
                f"adapter {adapter} (trained on {trained_on}) does not fit {base}: {weight} {verb} "
                f"{shapes[weight][own]} numbers there, {tensor['shape'][own]} here; name the base "
                "that it was trained on"
            )
    if not is_known:
        raise InputError(
            f"adapter {adapter} (trained on {trained_on}) changes no weight that {base} has: name "
            "the base that it was trained on"
        )
