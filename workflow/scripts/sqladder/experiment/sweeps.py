"""The candidates of variants that search their settings (`sweep:`): trainings of the DAG, one of which goes on.

A candidate is a variant of its own in every respect but one: it is never asked a question of the test. Its folder,
results/<variant>/candidates/<digest>, is named after the values that it tries, so that a sweep that gets one value more
finds the others where they were.
"""

import hashlib
import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from sqladder.errors import InputError
from sqladder.experiment.reading import Config
from sqladder.experiment.sweep_settings import CONTEXT, SWEPT_KEYS, TRAINING_KEYS
from sqladder.experiment.variants import (
    quantized,
    replicates,
    seeds_of,
    variants_by_method,
    with_model,
)
from sqladder.files import read_json, read_object
from sqladder.statistics.replicates import Replicate
from sqladder.training.settings import ALL_LINEAR, TRAINED

FOLDER = "candidates"


class Candidate(NamedTuple):
    """One combination of the values of a sweep.

    Attributes:
        variant: that searches.
        swept: the settings that it tries.
    """

    variant: str
    swept: dict[str, Any]

    @property
    def name(self) -> str:
        """Its path below results/, as a replicate has one."""
        return f"{self.variant}/{FOLDER}/{_digest(self.swept)}"


def searching(config: Config) -> list[str]:
    """The variants that search their settings."""
    trained = variants_by_method(config, TRAINED)
    return [name for name in trained if "sweep" in config["variants"][name]]


def candidates(config: Config, variant: str) -> list[Candidate]:
    """What a variant tries, in the order of its lists, the first key's values slowest."""
    sweep = config["variants"][variant]["sweep"]
    lists = {key: own for key, own in sweep.items() if key in SWEPT_KEYS}
    grid = [
        Candidate(variant, dict(zip(lists, map(_plain, values), strict=True)))
        for values in product(*lists.values())
    ]
    if "random" not in sweep:
        return grid
    seed = seeds_of(config, variant)[0]
    # By a number of each one's own: more draws, or one value more, leave most of the others drawn.
    drawn = sorted(grid, key=lambda candidate: _digest([seed, candidate.swept]))[: sweep["random"]]
    return [candidate for candidate in grid if candidate in drawn]


def all_candidates(config: Config) -> list[Candidate]:
    """The candidates of all variants that search."""
    return [own for variant in searching(config) for own in candidates(config, variant)]


def with_candidates(config: Config) -> Config:
    """The config with each candidate as a variant, by its name; for the jobs that train."""
    added = {own.name: _entry(config, own) for own in all_candidates(config)}
    return {**config, "variants": {**config["variants"], **added}} if added else config


def searched(config: Config) -> list[str]:
    """Names of the replicates whose model is a candidate's: those of the first seeds."""
    return [_first(config, variant).name for variant in searching(config)]


def trained_by_a_job(config: Config) -> list[str]:
    """Names of the replicates and candidates that have a training, or a base to be linked, of their own."""
    other = {*searched(config), *quantized(config)}
    own = [name for name in with_model(config) if name not in other]
    return own + [candidate.name for candidate in all_candidates(config)]


def candidate_files(config: Config, replicate: str, name: str) -> list[str]:
    """The file or folder of this name of each candidate that a replicate's model is chosen from."""
    return [f"results/{own.name}/{name}" for own in _candidates_of(config, replicate)]


def choice_flags(config: Config, replicate: str) -> list[str]:
    """The candidates that a replicate's model is chosen from: where each is, and what it tries."""
    flags = []
    for own in _candidates_of(config, replicate):
        flags += ["--candidate", f"results/{own.name}", json.dumps(own.swept)]
    return flags


def budget_flags(config: Config, replicate: str) -> list[str]:
    """The hours that a candidate shares with the others; [] for others.

    One that was trained keeps the hours that it was trained under, so that another budget trains only those that the
    old one had left out.
    """
    own = {candidate.name: candidate for candidate in all_candidates(config)}.get(replicate)
    if own is None:
        return []
    sweep = config["variants"][own.variant]["sweep"]
    # What is trained first decides; whoever goes on from there has its hours.
    facts = Path(f"results/{replicate}/{'rung_1' if 'halving' in sweep else 'train'}.json")
    known = read_json(facts) if facts.is_file() else {"left_out": ""}
    hours = sweep.get("gpu_hours") if "left_out" in known else known.get("budget")
    return [] if hours is None else [f"--budget={float(hours)}"]


def settings_file(config: Config, replicate: str) -> str | list[str]:
    """The file with the settings that a further seed of a variant that searches is trained with; none for others."""
    own = replicates(config).get(replicate)
    if own is None or own.variant not in searching(config) or replicate in searched(config):
        return []
    return f"results/{_first(config, own.variant).name}/train.json"


def searching_context(config: Config) -> list[str]:
    """The variants whose context a sweep chooses."""
    return [name for name in searching(config) if CONTEXT in config["variants"][name]["sweep"]]


def context_choices(config: Config, replicate: str | None) -> dict[str, str]:
    """The replicates whose choice has to be known before a job, each by its variant.

    Args:
        config: the experiment's, or that with all trainings.
        replicate: whose job it is; None for a job of all.
    """
    wanted = searching_context(config)
    if replicate is not None:
        own = replicates(config).get(replicate)
        wanted = [name for name in wanted if own is not None and name == own.variant]
    return {name: _first(config, name).name for name in wanted}


def context_choice(config: Config, replicate: str) -> list[str]:
    """The file that says which context was chosen for a replicate; none where a sweep chooses none."""
    choices = context_choices(config, replicate)
    return [f"results/{chosen}/train.json" for chosen in choices.values()]


def with_contexts(config: Config, choices: Mapping[str, str]) -> Config:
    """The config with the contexts that sweeps have chosen, as the variants' own.

    Args:
        config: the experiment's, or that with all trainings.
        choices: the replicates with the choice, by variant (`context_choices`).

    Raises:
        InputError: a file with a choice names no context of the config.
    """
    chosen = {}
    for variant, replicate in choices.items():
        facts = Path(f"results/{replicate}/train.json")
        context = read_object(facts, {"swept": dict})["swept"].get(CONTEXT)
        if context not in config["contexts"]:
            raise InputError(
                f"{facts}: swept.{CONTEXT} is {context!r}, and the sweep of {variant!r} chooses one of "
                f"{', '.join(config['variants'][variant]['sweep'][CONTEXT])}; delete the file, and it chooses anew"
            )
        chosen[variant] = {**config["variants"][variant], CONTEXT: context}
    return {**config, "variants": {**config["variants"], **chosen}} if chosen else config


def _candidates_of(config: Config, replicate: str) -> list[Candidate]:
    return candidates(config, replicates(config)[replicate].variant)


def _first(config: Config, variant: str) -> Replicate:
    """The replicate of a variant's first seed."""
    return next(own for own in replicates(config).values() if own.variant == variant)


def _entry(config: Config, own: Candidate) -> Config:
    """A candidate's entry of the config."""
    variant = config["variants"][own.variant]
    kept = {key: value for key, value in variant.items() if key not in ("sweep", "seeds")}
    tried = {key: value for key, value in own.swept.items() if key in TRAINING_KEYS}
    return {
        **kept,
        **{key: value for key, value in own.swept.items() if key not in TRAINING_KEYS},
        "training": {**variant.get("training", {}), **tried},
        "seed": seeds_of(config, own.variant)[0],
    }


def _plain(value: Any) -> Any:
    """A value as a training's settings hold it: all-linear may be written without a list."""
    return [value] if value == ALL_LINEAR else value


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
