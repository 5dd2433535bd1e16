"""Which layers of a base model get adapters, and what those weigh."""

import difflib
from collections.abc import Collection, Mapping, Sequence

from sqladder.models.shapes import Shape
from sqladder.training.settings import ALL_LINEAR, LoraSettings


def wrong_target(names: Sequence[str], layers: Collection[str]) -> str | None:
    """What is wrong with the names of target modules, with those that there are; None where nothing is.

    Args:
        names: of `target_modules`.
        layers: names of the base model's linear layers.
    """
    for name in names:
        if name != ALL_LINEAR and name not in layers:
            close = difflib.get_close_matches(name, layers, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            return (
                f"{name!r} is no linear layer of the base model{hint}; it has {', '.join(layers)}, and "
                f"{ALL_LINEAR} means each"
            )
    return None


def adapter_weights(lora: LoraSettings, layers: Mapping[str, Sequence[Shape]]) -> int:
    """Trained weights of adapters: rank times what each adapted layer takes and gives, and DoRA's lengths.

    Args:
        lora: rank, kind and names of the adapted layers.
        layers: name of a linear layer -> its shape in each block, (numbers it gives, numbers it takes).
    """
    names = list(layers) if lora.target_modules == [ALL_LINEAR] else lora.target_modules
    adapted = [shape for name in names for shape in layers.get(name, ())]
    lengths = sum(shape[0] for shape in adapted) if lora.dora else 0
    return lora.rank * sum(map(sum, adapted)) + lengths
