"""How large the base model is, and what there is to train it on."""

import importlib.util
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

from sqladder.errors import InputError
from sqladder.models.weights import read_header
from sqladder.processes.gpu_devices import installed_devices, usable_devices

TOY = "toy"
TOY_PARAMETERS = 10**6
# Of a model whose name does not say it.
SUPPOSED = 10**9
_OF_HUB = re.compile(r"[\w.-]+/[\w.-]+")
_IN_NAME = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)\s*([bm])(?![a-z])", re.IGNORECASE)
_TIMES = {"b": 10**9, "m": 10**6}


@dataclass(frozen=True)
class FoundBase:
    """The model that every variant starts from.

    Attributes:
        name: `toy`, a folder, or owner/name of a hub's.
        source: toy, folder or hub.
        parameters: how many weights it has.
        is_supposed: whether that is a guess.
        has_template: whether it brings a chat template, as far as that can be seen.
    """

    name: str
    source: str
    parameters: int
    is_supposed: bool = False
    has_template: bool = True


def look_at_base(name: str) -> FoundBase:
    """Look at a model: its files, or the name that it has on a hub.

    Raises:
        InputError: it is no folder and no owner/name, or the folder holds no checkpoint.
    """
    if name == TOY:
        return FoundBase(TOY, "toy", TOY_PARAMETERS)
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _in_folder(folder)
    if not _OF_HUB.fullmatch(name):
        raise InputError(
            f"there is no model {name}: name a folder with a checkpoint, owner/name of one on the Hugging Face hub, or "
            f"{TOY}"
        )
    said = _IN_NAME.search(name.partition("/")[2])
    if said is None:
        return FoundBase(name, "hub", SUPPOSED, is_supposed=True)
    return FoundBase(name, "hub", round(float(said[1]) * _TIMES[said[2].lower()]))


def _in_folder(folder: Path) -> FoundBase:
    files = sorted(folder.glob("*.safetensors"))
    if not files or not (folder / "config.json").is_file():
        raise InputError(f"{folder} holds no checkpoint: it lacks config.json or *.safetensors")
    tensors = [tensor for file in files for tensor in read_header(file).values()]
    count = sum(math.prod(tensor["shape"]) for tensor in tensors)
    return FoundBase(str(folder), "folder", count, has_template=_has_template(folder))


def _has_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file():
        return True
    told = folder / "tokenizer_config.json"
    try:
        return bool(json.loads(told.read_text(encoding="utf-8")).get("chat_template"))
    except (OSError, ValueError):
        return False


def count_gpus() -> tuple[int, str]:
    """How many GPUs a run may use, and what they are called; none where the driver does not answer."""
    try:
        devices = usable_devices(installed_devices())
    except InputError:
        return 0, ""
    return len(devices), ", ".join(sorted({device.model for device in devices if device.model}))


def has_vllm() -> bool:
    """Whether vLLM is installed beside this package."""
    return importlib.util.find_spec("vllm") is not None
