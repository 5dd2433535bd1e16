"""A causal language model in this process, on the device that is here."""

from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, PreTrainedModel

from sqladder.models.device import number_format
from sqladder.models.weights import ADAPTER_CONFIG, check_weights


def load_network(model: str | Path, numbers: str | None = None) -> PreTrainedModel:
    """The model of a folder or of a name on the hub, on the GPU if there is one, ready to answer.

    Args:
        model: folder or name.
        numbers: floating-point format of the weights; None for `number_format`.
    """
    network: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        model, dtype=numbers or number_format()
    )
    # torch's own, as transformers' has no types.
    torch.nn.Module.to(network, "cuda" if torch.cuda.is_available() else "cpu")
    return network.eval()


def load_checkpoint(base_model: Path, checkpoint: Path) -> PreTrainedModel:
    """The model that a training would leave if it ended at a checkpoint.

    Args:
        base_model: the folder that the training started from.
        checkpoint: a whole model, or adapters, which are merged into the base.
    """
    if not (checkpoint / ADAPTER_CONFIG).is_file():
        return load_network(checkpoint)
    from peft import PeftModel

    merged: PreTrainedModel = PeftModel.from_pretrained(
        load_network(base_model), checkpoint
    ).merge_and_unload()
    return merged.eval()


def checkpoint_weights(base_model: Path, checkpoint: Path) -> Iterator[tuple[str, torch.Tensor]]:
    """The weights of the same model, one after the other: name and tensor, as its safetensors files would have them.

    Those of a whole model are read from its files, on the CPU; adapters are merged on the GPU if there is one.

    Raises:
        InputError: weights are missing or cut off.
    """
    if (checkpoint / ADAPTER_CONFIG).is_file():
        yield from load_checkpoint(base_model, checkpoint).state_dict().items()
        return
    check_weights(checkpoint, "checkpoint")
    for path in sorted(checkpoint.glob("*.safetensors")):
        yield from load_file(path).items()
