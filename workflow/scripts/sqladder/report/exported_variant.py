"""The model that a variant of a finished run was asked with, as it is handed on."""

from pathlib import Path

from sqladder.asking.settings import ModelAsking, read_asking
from sqladder.errors import InputError
from sqladder.models.folders import check_model_folder
from sqladder.models.weights import gguf_files


def exported_model(variant: Path) -> tuple[ModelAsking, Path]:
    """How a variant was asked, and the folder of its model.

    Raises:
        InputError: the folder is no variant, a server answers for it, or its model is not whole.
    """
    asking = read_asking(variant)
    if not isinstance(asking, ModelAsking):
        raise InputError(f"{variant} has no model here, a server answers for it: nothing to export")
    model = (variant / asking.model).resolve()
    check_model_folder(model, "model", is_asked=True)
    if gguf_files(model):
        raise InputError(
            f"{variant} is a GGUF file already: {gguf_files(model)[0]}; copy it, or export the variant that it was "
            "made from"
        )
    return asking, model
