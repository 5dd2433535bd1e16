"""A causal language model in this process, on the device that is here."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from sqladder.models.device import number_format


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
