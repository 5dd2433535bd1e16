"""Whether a checkpoint is one that writes text and can be trained, by its config.json: no weight is read."""

from pathlib import Path

from sqladder.errors import InputError
from sqladder.files import read_json

# What transformers calls the classes that write text; others read it, as an embedding model does.
_WRITERS = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")


def unfit(model: Path) -> str | None:
    """Why a checkpoint can be no base model, with the way out; None where nothing speaks against it."""
    config = read_json(model / "config.json")
    if config.get("is_encoder_decoder"):
        return "is an encoder with a decoder, and prompts are written for decoders alone; name a causal language model"
    if packed := config.get("quantization_config"):
        return (
            f"holds quantised weights ({packed.get('quant_method', 'of an unknown kind')}), into which no adapter can "
            "be merged; name the checkpoint that it was made from, and quantize: nf4 for training"
        )
    classes = config.get("architectures") or []
    if classes and not any(name.endswith(_WRITERS) for name in classes):
        return f"is a {', '.join(classes)}, which writes no text; name a causal language model"
    return None


def check_known(model: Path) -> None:
    """Refuse a checkpoint of an architecture that the installed transformers does not call a causal LM.

    Raises:
        InputError: names its model_type.
    """
    from transformers import __version__
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    kind = read_json(model / "config.json").get("model_type")
    if kind not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise InputError(
            f"base model {model} is of the architecture {kind!r}, which is no causal language model of transformers "
            f"{__version__}; name another, or install a transformers that has it"
        )
