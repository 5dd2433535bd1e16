"""Sizes of a checkpoint's network, from the shapes in the headers of its files: no weight is read.

What is multiplied with each token are the matrices of the repeated blocks, whose names hold the block's number
(`model.layers.0.self_attn.q_proj.weight`), whatever an architecture calls them.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from sqladder.files import read_json
from sqladder.models.weights import read_header

_IN_A_BLOCK = re.compile(r"(?:^|\.)(\d+)\.")
Shape = tuple[int, ...]


class NetworkWeights(NamedTuple):
    """What operations are counted by.

    Attributes:
        block_weights: of the matrices of all blocks.
        vocabulary_weights: of the matrix from hidden states to logits.
        blocks: their number.
        query_width: numbers of all heads' queries of a token.
    """

    block_weights: int
    vocabulary_weights: int
    blocks: int
    query_width: int


def linear_layers(model: Path) -> dict[str, list[Shape]]:
    """Names of the linear layers of a checkpoint's blocks, with the shapes of each in every block."""
    found: dict[str, list[Shape]] = defaultdict(list)
    for name, shape in _matrices(model):
        if _IN_A_BLOCK.search(name):
            found[name.removesuffix(".weight").rpartition(".")[2]].append(shape)
    return dict(found)


def network_weights(model: Path) -> NetworkWeights:
    """Sizes of a checkpoint's network."""
    inside, outside = 0, []
    blocks = set()
    for name, shape in _matrices(model):
        block = _IN_A_BLOCK.search(name)
        if block:
            blocks.add(block[1])
            inside += math.prod(shape)
        else:
            outside.append(shape)
    # Embeddings and the last layer, which may be tied, are alike in size.
    vocabulary = max(outside, key=math.prod)
    return NetworkWeights(
        inside, math.prod(vocabulary), len(blocks), _query_width(model, min(vocabulary))
    )


def _query_width(model: Path, hidden_width: int) -> int:
    config: Mapping[str, int] = read_json(model / "config.json")
    if "head_dim" in config and "num_attention_heads" in config:
        return config["num_attention_heads"] * config["head_dim"]
    # Where a configuration leaves the size of a head out, the heads share the width.
    return hidden_width


def _matrices(model: Path) -> Iterator[tuple[str, Shape]]:
    for path in sorted(model.glob("*.safetensors")):
        for name, tensor in read_header(path).items():
            if name.endswith(".weight") and len(tensor["shape"]) == 2:
                yield name, tuple(tensor["shape"])
