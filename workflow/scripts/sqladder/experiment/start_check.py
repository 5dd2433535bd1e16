"""The check of what trainings start from: each line of them has to begin at the base."""

from collections.abc import Iterator

from sqladder.errors import InputError
from sqladder.experiment.reading import Config
from sqladder.experiment.sweep_check import asked_in_no_chosen_context
from sqladder.experiment.variants import WITH_TRAINING, line_of, seeds_of

_REASONS = {
    "none": "is the base itself, from which trainings start anyway; leave start_from out",
    "reuse": "trains nothing and asks another variant's model; name a variant that is trained",
    "quantized": "is another variant's model with smaller numbers, which cannot be trained; name that one: {model_of}",
    "served": "has no model here, a server answers for it; name a variant that is trained here",
    "imported": "has no model, its predictions were made elsewhere; name a variant that is trained here",
}


def wrong_starts(config: Config) -> Iterator[str]:
    """Yield each `start_from` that no training can start from.

    Args:
        config: of the right shape, with a seed.
    """
    for name, entry in config["variants"].items():
        if "start_from" not in entry:
            continue
        place = f"variants.{name}.start_from"
        try:
            line = line_of(config, name)
        except InputError as error:
            yield f"{place}: {error}"
            continue
        start = config["variants"][line[-2]]
        if start["method"] not in WITH_TRAINING:
            yield f"{place}: {line[-2]!r} {_REASONS[start['method']].format(**start)}"
        elif all(config["variants"][own]["method"] in WITH_TRAINING for own in line):
            yield from _wrong_seeds(config, name)
            yield from asked_in_no_chosen_context(config, name, entry["start_from"])


def _wrong_seeds(config: Config, name: str) -> Iterator[str]:
    start = config["variants"][name]["start_from"]
    there = seeds_of(config, start)
    if missing := [seed for seed in seeds_of(config, name) if seed not in there]:
        key = "seeds" if "seeds" in config["variants"][name] else "seed"
        yield (
            f"variants.{name}.{key}: {start!r}, from whose model of the same seed the training starts, has no seed "
            f"{missing[0]}; it has {', '.join(map(str, there))}; leave {key} out, seeds go along"
        )
