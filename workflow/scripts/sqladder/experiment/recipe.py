"""What a model card says of a model's making, read from the config that the run's facts hold."""

import re

from sqladder.experiment.paths import download_of
from sqladder.experiment.reading import Config
from sqladder.experiment.variants import seeds_of, setting
from sqladder.statistics.replicates import Replicate

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def base_repository(config: Config) -> str | None:
    """Return the base model's name on the Hub, if the config tells it: its download's repository."""
    download = download_of(config["base_model"].get("path", ""))
    name = str(config.get("downloads", {}).get(download, {}).get("repository", ""))
    return name if _REPOSITORY.fullmatch(name) else None


def recipe(config: Config, own: Replicate) -> Config:
    """Return the settings that a replicate was trained with, flat, for its model card."""
    entry = config["variants"][own.variant]
    named = {k: v for k, v in entry.items() if not isinstance(v, dict) and k != "seeds"}
    return {
        **named,
        "seed": seeds_of(config, own.variant)[0] if own.seed is None else own.seed,
        "context": setting(config, own.variant, "context"),
        **setting(config, own.variant, "training"),
    }
