"""Whether the sweeps of a config can be run: before any job, with the way out."""

from collections.abc import Iterator
from typing import Any

from sqladder.experiment.misplaced import OTHER_METHOD, UNTRAINED, entries_with
from sqladder.experiment.reading import Config
from sqladder.experiment.sweeps import (
    all_candidates,
    candidates,
    searching,
    searching_context,
    with_candidates,
)
from sqladder.experiment.target_check import check_targets
from sqladder.experiment.training_jobs import training_values
from sqladder.experiment.variants import choosing_variants, setting
from sqladder.settings.problems import dotted, problems
from sqladder.settings.slices import kept
from sqladder.training.settings import AnyTraining


def misplaced_sweeps(config: Any) -> Iterator[str]:
    """Yield each sweep of a variant that is not trained.

    Args:
        config: as it was read, which may be of any shape.
    """
    for name, entry in entries_with(config, "sweep"):
        if reason := UNTRAINED.get(str(entry.get("method"))):
            yield (
                f"variants.{name}.sweep: {reason.format(what='sweep')}, so there is nothing to search; {OTHER_METHOD}"
            )


def check_sweeps(config: Config) -> Iterator[str]:
    """Yield what is wrong with sweeps, each candidate's settings among it."""
    judged, expanded = choosing_variants(config), with_candidates(config)
    for name in searching(config):
        if name not in judged:
            yield (
                f"variants.{name}.sweep: candidates are chosen on validation questions; give training.choose: "
                "validation, for all variants or for this one"
            )
        found = candidates(config, name)
        wanted = config["variants"][name]["sweep"].get("random", 1)
        if wanted > len(found):
            yield (
                f"variants.{name}.sweep.random: {wanted} combinations cannot be drawn from {len(found)}; leave random "
                "out, which tries all, or give more values"
            )
        yield from _halving_problems(config, name)
        for context in config["variants"][name]["sweep"].get("context", []):
            if context not in config["contexts"]:
                yield (
                    f"variants.{name}.sweep.context: there is no context {context!r}; the config has "
                    f"{', '.join(config['contexts'])}"
                )
    for own in all_candidates(config):
        values = kept(AnyTraining, training_values(expanded, own.name, 0))

        def place(location: Any, variant: str = own.variant) -> str:
            return f"variants.{variant}.sweep: {dotted(location)}"

        yield from problems(AnyTraining, values, place)
        for problem in check_targets(expanded, own.name, "sweep.target_modules"):
            yield problem.replace(own.name, own.variant, 1)


def _halving_problems(config: Config, name: str) -> Iterator[str]:
    """Yield what keeps candidates from being compared on their way."""
    sweep, place = config["variants"][name]["sweep"], f"variants.{name}.sweep.halving"
    if "halving" not in sweep:
        return
    number, factor = len(candidates(config, name)), sweep["halving"]["factor"]
    if number < factor:
        yield (
            f"{place}.factor: is {factor}, so one of {factor} goes on, and the sweep has {number} candidate"
            f"{'s' * (number > 1)}; give more values or a smaller factor, or leave halving out"
        )
    if len(sweep.get("epochs", [])) > 1:
        yield (
            f"{place}: compares candidates after the same share of their training, and those with more epochs would "
            f"have seen more by then; take variants.{name}.sweep.epochs out, or halving"
        )
    if "stop_early" in setting(config, name, "training"):
        yield (
            f"{place}: stops those that fall behind the others, and stop_early those that fall behind themselves; "
            "take out one of the two"
        )


def asked_in_no_chosen_context(config: Config, name: str, owner: str) -> Iterator[str]:
    """Say that a variant takes a model whose context is chosen by a sweep, and neither names nor searches one itself.

    Args:
        config: the experiment.
        name: of the variant that asks the model, or is trained from it on.
        owner: whose model it takes.
    """
    searching = searching_context(config)
    if owner in searching and not (name in searching or "context" in config["variants"][name]):
        yield (
            f"variants.{name}: the sweep of {owner!r} chooses a context, and this variant, which takes its model, "
            f"would be asked in {config['context']!r}; give variants.{name}.context (train.json of {owner!r} says, "
            "under swept, what was chosen)"
        )
