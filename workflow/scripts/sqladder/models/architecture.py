"""Whether a checkpoint is one that writes text and can be trained, by its config.json: no weight is read."""

import ast
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from sqladder.files import read_json

# What transformers calls the classes that write text; others read it, as an embedding model does.
_WRITERS = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
_TABLE = "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES"


def unfit(model: Path, is_asked: bool = False) -> str | None:
    """Why a checkpoint can be no base model, with the way out; None where nothing speaks against it.

    Args:
        model: its folder.
        is_asked: it is only asked, so its weights may be quantised.
    """
    config = read_json(model / "config.json")
    if config.get("is_encoder_decoder"):
        return "is an encoder with a decoder, and prompts are written for decoders alone; name a causal language model"
    packed = config.get("quantization_config")
    if packed and not is_asked:
        return (
            f"holds quantised weights ({packed.get('quant_method', 'of an unknown kind')}), into which no adapter can "
            "be merged; name the checkpoint that it was made from, and quantize: nf4 for training"
        )
    classes = config.get("architectures") or []
    if classes and not any(name.endswith(_WRITERS) for name in classes):
        return f"is a {', '.join(classes)}, which writes no text; name a causal language model"
    known, kind = _causal_language_models(), config.get("model_type")
    if known and kind is not None and kind not in known:
        return (
            f"is of the architecture {kind!r}, which is no causal language model of transformers "
            f"{version('transformers')}; name another, or install a transformers that has it"
        )
    return None


@cache
def _causal_language_models() -> frozenset[str]:
    """The architectures that the installed transformers has a causal language model for; none without transformers.

    From the text of its table: to import that takes six seconds, which a plan should not.
    """
    package = find_spec("transformers")
    if package is None or package.origin is None:
        return frozenset()
    source = Path(package.origin).parent / "models/auto/modeling_auto.py"
    for statement in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == _TABLE:
            # OrderedDict([("llama", "LlamaForCausalLM"), ...])
            rows = ast.walk(statement.value)
            return frozenset(
                row.elts[0].value
                for row in rows
                if isinstance(row, ast.Tuple)
                and isinstance(row.elts[0], ast.Constant)
                and isinstance(row.elts[0].value, str)
            )
    return frozenset()
