"""Whether the sweeps of a config can be run: before any job, with the way out."""

from collections.abc import Iterator
from typing import Any

from sqladder.experiment.misplaced import OTHER_METHOD, UNTRAINED, entries_with
from sqladder.experiment.reading import Config
from sqladder.experiment.sweeps import all_candidates, candidates, searching, with_candidates
from sqladder.experiment.target_check import check_targets
from sqladder.experiment.training_jobs import training_values
from sqladder.experiment.variants import choosing_variants
from sqladder.settings.problems import dotted, problems
from sqladder.settings.slices import kept
from sqladder.training.settings import AnyTraining


def misplaced_sweeps(config: Any) -> Iterator[str]:
    """Yield each sweep of a variant that is not trained, or of what no sweep can choose.

    Args:
        config: as it was read, which may be of any shape.
    """
    for name, entry in entries_with(config, "sweep"):
        if reason := UNTRAINED.get(str(entry.get("method"))):
            yield (
                f"variants.{name}.sweep: {reason.format(what='sweep')}, so there is nothing to search; {OTHER_METHOD}"
            )
        elif isinstance(entry["sweep"], dict) and "context" in entry["sweep"]:
            yield (
                f"variants.{name}.sweep.context: a sweep chooses settings of the training; give each context a variant "
                "of its own, with this sweep, and compare them with test_split: validation"
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
    for own in all_candidates(config):
        values = kept(AnyTraining, training_values(expanded, own.name, 0))

        def place(location: Any, variant: str = own.variant) -> str:
            return f"variants.{variant}.sweep: {dotted(location)}"

        yield from problems(AnyTraining, values, place)
        for problem in check_targets(expanded, own.name, "sweep.target_modules"):
            yield problem.replace(own.name, own.variant, 1)
