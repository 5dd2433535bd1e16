"""A model folder as one GGUF file, by llama.cpp's own converter and quantizer.

The converter is llama.cpp's convert_hf_to_gguf.py, from the package convert-hf-to-gguf; what it writes keeps the
checkpoint's numbers. llama.cpp itself, in llama-cpp-python, then makes them smaller.
"""

import contextlib
import ctypes
import io
import logging
import tempfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqladder.errors import LOG, InputError
from sqladder.processes.imports import leave_out_sklearn

NO_PACKAGE = (
    "GGUF files need a package that is not installed here ({name}): `make gguf` compiles and installs "
    "requirements/gguf.lock, which takes minutes"
)
# As stored, so that the quantizer starts from the numbers that were measured.
_STORED = {"float32": "ALL_F32", "float16": "MOSTLY_F16", "bfloat16": "MOSTLY_BF16"}
_UNQUANTIZED = "none"
# The split into words of tokenizers that llama.cpp does not know by name: kept if its tokens are the tokenizer's.
_TRIED_SPLIT = "qwen2"
_PROBE = (
    "SELECT count(*), T1.name FROM singer AS T1 WHERE T1.age >= 2014.5 AND name LIKE '%O''Brien%'\n\n"
    'How many café owners aren\'t 33 years old?\t{x: [1, 2]}; "Zürich" -- 10,000\n   | id | né | 東京 |'
)


def write_gguf(model: Path, kind: str, output: Path) -> dict[str, Any]:
    """Write a model as a GGUF file.

    Args:
        model: Hugging Face folder.
        kind: q8_0, q4_k_m, or none, which keeps the numbers.
        output: the file.

    Returns:
        `tensors`, how many have which type; `same_tokens`, whether llama.cpp splits text as the model's tokenizer
        does; and versions.

    Raises:
        InputError: a package is missing, or llama.cpp does not know the architecture or the tokenizer.
    """
    try:
        import gguf
        import llama_cpp
    except ModuleNotFoundError as error:
        raise InputError(NO_PACKAGE.format(name=error.name)) from error
    with tempfile.TemporaryDirectory(dir=output.parent) as work:
        whole = Path(work) / "whole.gguf"
        is_guess = _convert(model, whole)
        same = _has_same_tokens(model, whole)
        if is_guess and not same:
            raise InputError(
                f"llama.cpp does not know the tokenizer of {model}, and splits its texts otherwise: this model "
                "cannot be a GGUF file"
            )
        if not same:
            LOG.warning(
                f"{output}: llama.cpp splits texts into other tokens than the tokenizer of {model}; its answers to "
                "texts are not those that were measured"
            )
        made = whole if kind == _UNQUANTIZED else Path(work) / "small.gguf"
        if kind != _UNQUANTIZED:
            _quantize(llama_cpp, whole, kind, made)
        made.rename(output)
    types = Counter(tensor.tensor_type.name for tensor in gguf.GGUFReader(output).tensors)
    return {
        "tensors": dict(types.most_common()),
        "same_tokens": same,
        "versions": {name: version(name) for name in ("llama-cpp-python", "convert-hf-to-gguf")},
    }


def _convert(model: Path, output: Path) -> bool:
    """Convert a checkpoint; whether its way of splitting text was guessed."""
    leave_out_sklearn()
    try:
        import conversion
        import gguf
    except ModuleNotFoundError as error:
        raise InputError(NO_PACKAGE.format(name=error.name)) from error
    import torch

    # It says a line for each tensor.
    logging.getLogger("hf-to-gguf").setLevel(logging.ERROR)
    logging.getLogger("gguf").setLevel(logging.ERROR)
    settings = conversion.ModelBase.load_hparams(model, False)
    architecture = conversion.get_model_architecture(settings, conversion.ModelType.TEXT)
    try:
        known = conversion.get_model_class(architecture)
    except NotImplementedError as error:
        raise InputError(
            f"llama.cpp's converter does not know the architecture of {model}, {architecture}"
        ) from error
    guessed = []

    class Converted(known):  # type: ignore[misc, valid-type]
        model_arch = known.model_arch

        def get_vocab_base_pre(self, tokenizer: Any) -> str:
            """The name of the split of texts into words."""
            try:
                return super().get_vocab_base_pre(tokenizer)
            except NotImplementedError:
                guessed.append(_TRIED_SPLIT)
                return _TRIED_SPLIT

    numbers = _STORED.get(str(settings.get("dtype") or settings.get("torch_dtype")), "GUESSED")
    with torch.inference_mode():
        Converted(model, gguf.LlamaFileType[numbers], output).write()
    return bool(guessed)


def _has_same_tokens(model: Path, file: Path) -> bool:
    """Whether llama.cpp splits a text into the tokens of the model's tokenizer."""
    import llama_cpp
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    # Special tokens too: the end of a turn is one.
    text = _PROBE + "".join(map(str, tokenizer.all_special_tokens)) + _PROBE
    # Of words alone it warns that there is no context.
    with contextlib.redirect_stderr(io.StringIO()):
        own = llama_cpp.Llama(str(file), vocab_only=True, verbose=False)
    found = own.tokenize(text.encode(), add_bos=False, special=True)
    return list(found) == tokenizer.encode(text, add_special_tokens=False)


def _quantize(llama_cpp: Any, source: Path, kind: str, output: Path) -> None:
    settings = llama_cpp.llama_model_quantize_default_params()
    settings.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind.upper()}")
    # It writes a line for each tensor; what became of them is counted from the file.
    logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL)
    status = llama_cpp.llama_model_quantize(
        str(source).encode(), str(output).encode(), ctypes.byref(settings)
    )
    if status:
        raise InputError(f"llama.cpp could not write {source} as {kind}: it ended with {status}")
