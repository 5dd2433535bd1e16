"""Variants that are trained by reward (method grpo): files, flags and GPUs of their jobs, and what is refused.

Where jobs are planned they are trainings like others, which start from another variant's model; what draws and judges
besides is said here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sqladder.experiment.data_jobs import examples_of
from sqladder.experiment.flags import as_flags, named
from sqladder.experiment.learning import judging_databases, judging_flags
from sqladder.experiment.reading import Config
from sqladder.experiment.training_jobs import JUDGE, fitted_prompts, training_values
from sqladder.experiment.variants import (
    BY_REWARD,
    chosen_on_validation,
    own_seed,
    replicates,
    replicates_by_method,
    seeds_of,
    setting,
    start_of,
    variants_by_method,
)
from sqladder.reinforcement.settings import AnyReinforced, Drawn, Reinforcement
from sqladder.settings.program_flags import to_flags
from sqladder.settings.slices import kept, sliced
from sqladder.training.settings import AnyTraining


def reinforced(config: Config) -> list[str]:
    """Names of the replicates that are trained by reward."""
    return replicates_by_method(config, BY_REWARD)


def with_rewards(config: Config) -> Config:
    """The config with each training by reward as a variant that is trained; for the jobs that train."""
    changed = {
        variant: _entry(config, variant) for variant in variants_by_method(config, BY_REWARD)
    }
    return {**config, "variants": {**config["variants"], **changed}} if changed else config


def _entry(config: Config, variant: str) -> Config:
    own = config["variants"][variant]
    copied = ("training", "parallelism", "decoding", "context", "start_from")
    return {
        **{key: own[key] for key in copied if key in own},
        **own["tune"],
        "seeds": seeds_of(config, variant),
        "reinforcement": kept(Reinforcement, own),
        "drawn": kept(Drawn, setting(config, variant, "decoding")),
    }


def kind_of_training(config: Config, variant: str) -> Any:
    """The declaration of a training's settings.

    Args:
        config: with all trainings.
        variant: that is trained.
    """
    return AnyReinforced if "reinforcement" in config["variants"][variant] else AnyTraining


# Jobs


def reward_flags(config: Config, replicate: str) -> list[str]:
    """A replicate's settings, and what it starts from.

    Args:
        config: with all trainings.
        replicate: that is trained by reward.
    """
    variant = replicates(config)[replicate].variant
    values = training_values(config, variant, own_seed(config, replicate))
    files = {"data": fitted_prompts(config, replicate), "start_from": start_of(config, replicate)}
    return to_flags(sliced(AnyReinforced, values)) + as_flags(
        named({key: own or [] for key, own in files.items()})
    )


def reward_examples(config: Config) -> str | list[str]:
    """The training questions with their gold, where rewards are given for answers to them."""
    return examples_of(config, "train") if reinforced(config) else []


def reward_databases(config: Config) -> str | list[str]:
    """Where those answers are executed."""
    return judging_databases(config) if reinforced(config) else []


def reward_limits(config: Config) -> list[str]:
    """What one execution may cost."""
    return judging_flags(config) if reinforced(config) else []


def reward_code(config: Config, replicate: str, code: Mapping[str, str]) -> list[str]:
    """The digests of the programs that make a replicate's model.

    Args:
        config: with all trainings.
        replicate: whose model is made.
        code: digests by program.
    """
    judge = [JUDGE] if replicate in chosen_on_validation(config) else []
    return [code[program] for program in ("reinforce.py", *judge)]


def reward_problems(config: Config) -> Iterator[str]:
    """Yield what keeps a variant from being trained by reward, beside what its settings say."""
    for name in variants_by_method(config, BY_REWARD):
        penalty = setting(config, name, "decoding")["repetition_penalty"]
        if penalty != 1:
            yield (
                f"variants.{name}: decoding.repetition_penalty: is {penalty}, by which answers would be drawn from "
                f"another model than is trained; give variants.{name}.decoding.repetition_penalty: 1"
            )
