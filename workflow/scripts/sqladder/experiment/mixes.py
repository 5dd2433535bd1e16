"""Several training sets (`train_mix:`): a data set of the workflow's own, made of them, that stands for `train_on`.

Everything that reads training rows reads this one: decontamination, prompts, few-shot examples, lengths. Each row is in
it once. How often the rows of a set are seen is a setting of the training (training/row_weights.py), so another weight
renders and searches nothing anew.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sqladder.experiment.data_jobs import part_of_dataset, row_datasets, training_sets
from sqladder.experiment.reading import Config
from sqladder.experiment.variants import LEARNING, variants_by_method
from sqladder.training.row_weights import write_weights

NAME = "train_mix"
FACTS = f"results/{NAME}.json"


def wrong_training_keys(config: Any) -> Iterator[str]:
    """Say where the config names no training data, or names them twice.

    Args:
        config: of the right shape.
    """
    if "train_on" in config and NAME in config:
        yield f"{NAME}: train_on names a training set already; keep one of both"
    if not {"train_on", NAME} & set(config):
        yield f"config: lacks train_on; add it, or several sets with weights as {NAME}"
    if NAME in config["datasets"]:
        yield f"datasets.{NAME}: is what the mix of train_mix is called; choose another name"
    if NAME in config:
        for name in config[NAME]:
            if name not in config["datasets"]:
                known = ", ".join(config["datasets"])
                yield f"{NAME}.{name}: there is no data set {name!r}; the config has {known}"


def with_mix(config: Config) -> Config:
    """The config with the mix as the data set that is trained on; without `train_mix` as it is."""
    if NAME not in config or NAME in config["datasets"]:
        return config
    return {
        **config,
        "train_on": NAME,
        "datasets": {**config["datasets"], NAME: {"source": "mix"}},
    }


def without_mix(config: Config) -> Config:
    """The config as it was written, for those who read it."""
    if NAME not in config:
        return config
    written = {key: value for key, value in config.items() if key != "train_on"}
    return {**written, "datasets": {k: v for k, v in config["datasets"].items() if k != NAME}}


def mixed_weights(config: Config) -> list[str]:
    """How often the rows of each set are seen, as the training's settings write it."""
    weights: Mapping[str, float] = config.get(NAME, {})
    return write_weights(dict(weights))


def check_mix(config: Config) -> Iterator[str]:
    """Yield what keeps the sets of a mix from being trained on together.

    Args:
        config: with the mix as a data set.
    """
    if NAME not in config:
        return
    for name in training_sets(config):
        if name in row_datasets(config):
            yield (
                f"{NAME}.{name}: has no databases, and rows that bring their schemas are not mixed with others; train "
                "on it alone by train_on, or give it databases"
            )
    for name in variants_by_method(config, LEARNING):
        yield (
            f"variants.{name}.method: answers are drawn and judged for the rows of one training set, and {NAME} names "
            f"several with weights; name one by train_on, or take the variant out"
        )


# Jobs


def mixed_files(config: Config, what: str) -> list[str]:
    """The training rows ("examples") or the databases ("databases") of the sets, in the order of their names."""
    if NAME not in config:
        return []
    return [_file(config, name, what) for name in training_sets(config)]


def mixing_flags(config: Config) -> list[str]:
    """The sets with their files."""
    flags = []
    for name in training_sets(config):
        flags += ["--set", name, *(_file(config, name, own) for own in ("examples", "databases"))]
    return flags


def mix_facts(config: Config) -> str | list[str]:
    """The file that says how many rows each set has, where several are mixed."""
    return FACTS if NAME in config else []


def _file(config: Config, name: str, what: str) -> str:
    if what == "examples":
        return part_of_dataset(config, name, "train")
    return f"resources/datasets/{name}/databases"
