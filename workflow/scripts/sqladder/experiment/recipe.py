"""What a model card says of a model's making, read from the config that the run's facts hold."""

import re

from sqladder.experiment.paths import download_of
from sqladder.experiment.reading import Config
from sqladder.experiment.variants import seeds_of, setting
from sqladder.report.model_card import Repositories
from sqladder.statistics.replicates import Replicate

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def repositories(config: Config) -> Repositories:
    """Return the names on the Hub that the config tells: those of downloads."""
    trained_on = config["datasets"].get(config.get("train_on", ""), {})
    return Repositories(
        _repository(config, config["base_model"].get("path", "")),
        _repository(config, trained_on.get("questions", "")),
    )


def _repository(config: Config, path: str) -> str | None:
    """The repository of the download that a path lies in."""
    name = str(config.get("downloads", {}).get(download_of(path), {}).get("repository", ""))
    return name if _REPOSITORY.fullmatch(name) else None


def recipe(config: Config, own: Replicate, swept: Config) -> Config:
    """Return the settings that a replicate was trained with, flat, for its model card.

    Args:
        config: the experiment.
        own: the replicate.
        swept: the settings that its sweep chose, if there was one.
    """
    entry = config["variants"][own.variant]
    named = {k: v for k, v in entry.items() if not isinstance(v, dict) and k != "seeds"}
    return {
        **named,
        "seed": seeds_of(config, own.variant)[0] if own.seed is None else own.seed,
        "context": setting(config, own.variant, "context"),
        **setting(config, own.variant, "training"),
        **swept,
    }
