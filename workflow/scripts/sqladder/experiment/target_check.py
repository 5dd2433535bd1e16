"""Whether the base model has the layers that a variant puts adapters beside."""

from collections.abc import Collection, Iterator
from pathlib import Path

from sqladder.demo.settings import LINEAR_LAYERS
from sqladder.experiment.paths import input_path
from sqladder.experiment.reading import Config
from sqladder.models.shapes import linear_layers
from sqladder.training.adapters import wrong_target


def check_targets(config: Config, name: str, place: str = "target_modules") -> Iterator[str]:
    """Yield what is wrong with the names of a variant's layers, where the base's are known before it is downloaded.

    Args:
        config: the experiment.
        name: of the variant.
        place: the variant's key that names them.
    """
    base, targets = config["base_model"], config["variants"][name].get("target_modules", [])
    layers: Collection[str] = LINEAR_LAYERS
    if base["source"] == "folder":
        layers = linear_layers(Path(input_path(base["path"])))
    wrong = (
        wrong_target([targets] if isinstance(targets, str) else targets, layers) if layers else None
    )
    if wrong:
        yield f"variants.{name}.{place}: {wrong}"
