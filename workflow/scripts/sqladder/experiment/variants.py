"""What holds for each variant, and for each of its replicates: settings over those of the experiment, and seeds.

A replicate is a variant with one of its seeds; the workflow names it by its folder below results/.
"""

from collections.abc import Collection
from typing import Any

from sqladder.errors import InputError
from sqladder.experiment.reading import Config
from sqladder.statistics.replicates import Replicate
from sqladder.training.settings import KEYS_OF_VALIDATION, TRAINED

IN_ROUNDS = frozenset({"rejection", "dpo"})
"""The methods that learn from answers that were drawn and judged before."""
BY_REWARD = frozenset({"grpo"})
"""The methods that draw, judge and learn at each step."""
LEARNING = IN_ROUNDS | BY_REWARD
"""The methods that learn from what a model's own answers give when they are executed."""
WITH_TRAINING = TRAINED | LEARNING
"""The methods that make a model."""


def variants_by_method(config: Config, methods: Collection[str]) -> list[str]:
    """The variants whose method is one of `methods`, in the config's order."""
    return [name for name, v in config["variants"].items() if v["method"] in methods]


def setting(config: Config, variant: str, key: str) -> Any:
    """The `key` that holds for one variant: its own, or else the experiment's.

    A mapping (`training`, `decoding`) is merged key by key, so that a variant names only what differs. One that takes
    its last checkpoint takes over nothing of how the others choose among theirs.
    """
    common, own = config[key], config["variants"][variant].get(key)
    if own is None:
        return common
    if not isinstance(common, dict):
        return own
    dropped = KEYS_OF_VALIDATION if own.get("choose") == "last" else ()
    return {**{name: value for name, value in common.items() if name not in dropped}, **own}


def parallelism(config: Config, variant: str) -> Config:
    """How a variant's training is spread over GPUs: its own entry, or else the experiment's."""
    own = config["variants"][variant].get("parallelism")
    return own or config.get("parallelism", {"method": "single"})


def model_owner(config: Config, variant: str) -> str:
    """The variant whose training, or base, a variant's model comes from: itself, unless it names another one's.

    Raises:
        InputError: the variants name each other's models in a circle, or one that there is not.
    """
    return _followed(config, variant, ("reuse", "quantized"))


def _asked_variant(config: Config, variant: str) -> str:
    """The variant in whose folder the model lies that a variant asks: a quantized one has its own."""
    return _followed(config, variant, ("reuse",))


def _followed(config: Config, variant: str, methods: Collection[str]) -> str:
    way = [variant]
    while config["variants"][way[-1]]["method"] in methods:
        source = config["variants"][way[-1]]["model_of"]
        if source not in config["variants"]:
            has = ", ".join(config["variants"])
            raise InputError(f"there is no variant {source!r}; the config has {has}")
        if source in way:
            circle = " -> ".join([*way, source])
            raise InputError(f"no variant makes this model: {circle}; name one that does")
        way.append(source)
    return way[-1]


def line_of(config: Config, variant: str) -> list[str]:
    """The variants whose trainings lead to a variant's model: that which starts from the base first, itself last.

    Raises:
        InputError: the trainings start from each other in a circle, or from a variant that there is not.
    """
    way = [variant]
    while "start_from" in config["variants"][way[-1]]:
        source = config["variants"][way[-1]]["start_from"]
        if source not in config["variants"]:
            has = ", ".join(config["variants"])
            raise InputError(f"there is no variant {source!r}; the config has {has}")
        if source in way:
            circle = " -> ".join([*way, source])
            raise InputError(
                f"no training starts from the base: {circle}; leave start_from out of one of them"
            )
        way.append(source)
    return way[::-1]


def choosing_variants(config: Config) -> list[str]:
    """The variants whose checkpoint is chosen by the questions of the validation split."""
    return [
        name
        for name in variants_by_method(config, WITH_TRAINING)
        if setting(config, name, "training").get("choose") == "validation"
    ]


# Seeds


def first_seed(config: Config) -> int:
    """The seed of what all variants share: splits, few-shot examples, the toy base model."""
    return _named_seeds(config)[0]


def _named_seeds(entry: Config) -> list[int]:
    return entry["seeds"] if "seeds" in entry else [entry["seed"]]


def is_fixed(config: Config, variant: str) -> bool:
    """Whether a variant's answers are the same with every seed: imported, or untrained and greedy."""
    method = config["variants"][model_owner(config, variant)]["method"]
    if method == "imported":
        return True
    return method not in WITH_TRAINING and setting(config, variant, "decoding")["temperature"] == 0


def seeds_of(config: Config, variant: str) -> list[int]:
    """The seeds that a variant is run with: those of its model's variant, of its start, or else the experiment's."""
    own = config["variants"][model_owner(config, variant)]
    if {"seed", "seeds"} & set(own):
        named = _named_seeds(own)
    elif "start_from" in own:
        return seeds_of(config, own["start_from"])
    else:
        named = _named_seeds(config)
    return named[:1] if is_fixed(config, variant) else named


def with_several_seeds(config: Config) -> list[str]:
    """The variants that have more than one replicate."""
    return [variant for variant in config["variants"] if len(seeds_of(config, variant)) > 1]


# Replicates


def replicates(config: Config) -> dict[str, Replicate]:
    """Every variant with each of its seeds, by name, in the config's order."""
    found = []
    for variant in config["variants"]:
        seeds = seeds_of(config, variant)
        # One seed needs no folder of its own.
        found += [Replicate(variant, seed if len(seeds) > 1 else None) for seed in seeds]
    return {replicate.name: replicate for replicate in found}


def replicates_by_method(config: Config, methods: Collection[str]) -> list[str]:
    """Names of the replicates of the variants whose method is one of `methods`."""
    chosen = variants_by_method(config, methods)
    return [name for name, own in replicates(config).items() if own.variant in chosen]


def imported(config: Config) -> list[str]:
    """Names of the replicates whose predictions were made elsewhere."""
    return replicates_by_method(config, ["imported"])


def with_model(config: Config) -> list[str]:
    """Names of the replicates that have a model of their own, the untrained and the quantized ones among them."""
    return replicates_by_method(config, ["none", "quantized", *WITH_TRAINING])


def generated(config: Config) -> list[str]:
    """Names of the replicates whose predictions are generated in this run, by a model here or behind a server."""
    return replicates_by_method(config, ["none", "reuse", "quantized", "served", *WITH_TRAINING])


def served(config: Config) -> list[str]:
    """Names of the replicates whose predictions a server gives."""
    return replicates_by_method(config, ["served"])


def model_source(config: Config, replicate: str) -> str:
    """The replicate whose model a replicate asks: itself, or that of the other variant with the same seed."""
    return _with_model_of(config, replicate, replicates(config)[replicate].variant)


def quantized_source(config: Config, replicate: str) -> str:
    """The replicate whose model a quantized one is made from."""
    return _with_model_of(config, replicate, own_entry(config, replicate)["model_of"])


def quantization(config: Config, variant: str) -> str | None:
    """What became of the numbers of the model that a variant asks; None where they are as they were trained."""
    asked = config["variants"][_asked_variant(config, variant)]
    return asked.get("quantize") if asked["method"] == "quantized" else None


def _with_model_of(config: Config, replicate: str, variant: str) -> str:
    return _with_seed_of(config, replicate, _asked_variant(config, variant))


def start_of(config: Config, replicate: str) -> str | None:
    """The replicate from whose model a replicate's training starts, None where that is the base."""
    start = own_entry(config, replicate).get("start_from")
    return None if start is None else _with_seed_of(config, replicate, start)


def _with_seed_of(config: Config, replicate: str, variant: str) -> str:
    """The replicate of a variant with the seed of another one."""
    # A model that is the same with every seed is there once, for all of them.
    has_several = len(seeds_of(config, variant)) > 1
    return Replicate(variant, own_seed(config, replicate) if has_several else None).name


def quantized(config: Config) -> list[str]:
    """Names of the replicates whose model is another one's with smaller numbers."""
    return replicates_by_method(config, ["quantized"])


def trained(config: Config) -> list[str]:
    """Names of the replicates that are trained."""
    return replicates_by_method(config, WITH_TRAINING)


def chosen_on_validation(config: Config) -> list[str]:
    """Names of the replicates whose checkpoint is chosen by the questions of the validation split."""
    chosen = choosing_variants(config)
    return [name for name, own in replicates(config).items() if own.variant in chosen]


def files_of_seeds(config: Config, variant: str, name: str) -> list[str]:
    """The file of this name of each of a variant's replicates."""
    own = [replicate for replicate, part in replicates(config).items() if part.variant == variant]
    return [f"results/{replicate}/{name}" for replicate in own]


def own_entry(config: Config, replicate: str) -> Config:
    """The config's entry of the variant that a replicate belongs to."""
    return config["variants"][replicates(config)[replicate].variant]


def own_setting(config: Config, replicate: str, key: str) -> Any:
    """The `key` that holds for a replicate: its variant's own, or else the experiment's."""
    return setting(config, replicates(config)[replicate].variant, key)


def own_seed(config: Config, replicate: str) -> int:
    """The seed of a replicate: that of its folder, or the only one of its variant."""
    variant, seed = replicates(config)[replicate]
    return seeds_of(config, variant)[0] if seed is None else seed
