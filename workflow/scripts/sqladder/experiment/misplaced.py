"""Keys of variants that only a training has a use for, where there is none."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqladder.training.settings import TRAINED

UNTRAINED = {
    "none": "the base itself is not trained",
    "reuse": "its model is another variant's; put the {what} there",
    "quantized": "its model is another variant's; put the {what} there",
    "served": "a server's model is not trained here",
    "imported": "its predictions were made elsewhere",
}
"""Why a variant of each method learns nothing in its run; `what` is what the key asks for."""

OTHER_METHOD = f"remove it, or give method: {' or '.join(sorted(TRAINED))}"


def entries_with(config: Any, key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield name and entry of each variant that has a key.

    Args:
        config: as it was read, which may be of any shape.
        key: of the variant.
    """
    variants = config.get("variants") if isinstance(config, dict) else None
    for name, entry in (variants if isinstance(variants, dict) else {}).items():
        if isinstance(entry, dict) and key in entry:
            yield name, entry
