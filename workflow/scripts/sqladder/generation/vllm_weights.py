"""New weights for a network of vLLM's that is at work: what vLLM's own reload does not see to."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import AutoConfig

from sqladder.errors import InputError
from sqladder.models.weights import tensor_shapes

# What transformers calls the weights that give the logits.
HEAD = "lm_head.weight"
# vLLM's log of what its own reload does.
RELOADING = "vllm.model_executor.model_loader.reload.layerwise"


def same_network(
    weights: Iterable[tuple[str, Tensor]], model: Path, source: Path
) -> Iterator[tuple[str, Tensor]]:
    """Hand on the weights of a model that takes another one's place, as far as they fit: vLLM only logs what it lacks.

    Args:
        weights: names and tensors.
        model: the folder of the model whose place they take.
        source: where they are from.

    Raises:
        InputError: a name or shape is not the model's, or one is missing.
    """
    expected = tensor_shapes(model)
    is_tied = AutoConfig.from_pretrained(model).tie_word_embeddings
    for name, tensor in weights:
        # A head that is the embedding itself is in some files and not in others; vLLM leaves it out.
        if is_tied and name == HEAD:
            continue
        shape = expected.pop(name, None)
        if shape != list(tensor.shape):
            raise InputError(
                f"{source} is no checkpoint of the model {model}: {name} has the shape {list(tensor.shape)} there, "
                f"and here {shape or 'there is no such weight'}"
            )
        yield name, tensor
    if is_tied:
        expected.pop(HEAD, None)
    if expected:
        raise InputError(
            f"{source} is no whole checkpoint of the model {model}: it lacks {len(expected)} weights, first "
            f"{min(expected)}"
        )


def prepare_tied_layers(network: Any) -> None:
    """Have layers that share the weights of another one prepare them anew; to be called on vLLM's network.

    A reload prepares the layers whose names the weights have. On a CPU a head that shares those of the embedding has
    packed a copy of them, which stays the old one (vLLM 0.28, model_executor/model_loader/reload/layerwise.py).
    """
    owners: dict[int, Any] = {}
    for layer in network.modules():
        weight = getattr(layer, "weight", None)
        if weight is not None and owners.setdefault(id(weight), layer) is not layer:
            layer.quant_method.process_weights_after_loading(layer)
