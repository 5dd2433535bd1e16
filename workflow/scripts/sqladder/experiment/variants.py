"""What holds for each variant: its settings over those of the experiment, its seeds, and so its replicates."""

from typing import Any

from sqladder.experiment.reading import Config
from sqladder.statistics.replicates import Replicate

# The methods that train a model.
TRAINED = frozenset({"lora", "full"})


def variants_by_method(config: Config, methods: frozenset[str]) -> list[str]:
    """Name the variants whose method is one of `methods`, in the config's order."""
    return [name for name, v in config["variants"].items() if v["method"] in methods]


def setting(config: Config, variant: str, key: str) -> Any:
    """Give the `key` that holds for one variant: its own, or else the experiment's.

    A mapping (`training`, `decoding`) is merged key by key, so that a variant names only what differs.
    """
    common, own = config[key], config["variants"][variant].get(key)
    if own is None:
        return common
    return {**common, **own} if isinstance(common, dict) else own


def first_seed(config: Config) -> int:
    """Give the seed of what all variants share: splits, few-shot examples, the toy base model."""
    return _named_seeds(config)[0]


def _named_seeds(entry: Config) -> list[int]:
    return entry["seeds"] if "seeds" in entry else [entry["seed"]]


def is_fixed(config: Config, variant: str) -> bool:
    """Whether a variant's answers are the same with every seed: imported, or untrained and greedy."""
    method = config["variants"][variant]["method"]
    if method == "imported":
        return True
    return method not in TRAINED and setting(config, variant, "decoding")["temperature"] == 0


def seeds_of(config: Config, variant: str) -> list[int]:
    """Give the seeds that a variant is run with: its own, or else the experiment's."""
    own = config["variants"][variant]
    named = _named_seeds(own if {"seed", "seeds"} & set(own) else config)
    return named[:1] if is_fixed(config, variant) else named


def replicates(config: Config) -> list[Replicate]:
    """Give every variant with each of its seeds, in the config's order."""
    found = []
    for variant in config["variants"]:
        seeds = seeds_of(config, variant)
        # One seed needs no folder of its own.
        found += [Replicate(variant, seed if len(seeds) > 1 else None) for seed in seeds]
    return found


def parallelism(config: Config, variant: str) -> Config:
    """Give how a variant's training is spread over GPUs: its own entry, or else the experiment's."""
    own = config["variants"][variant].get("parallelism")
    return own or config.get("parallelism", {"method": "single"})
