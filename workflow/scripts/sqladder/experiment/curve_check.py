"""Whether the learning curves of a config can be measured: before any job, with the way out."""

from collections.abc import Iterator
from typing import Any

from sqladder.experiment.curve_points import with_curve
from sqladder.experiment.misplaced import OTHER_METHOD, UNTRAINED, entries_with
from sqladder.experiment.reading import Config
from sqladder.experiment.variants import choosing_variants, setting

_REASONS = {
    **UNTRAINED,
    "rejection": "its rows are drawn by a model that learned from all questions",
    "dpo": "its pairs are drawn by a model that learned from all questions",
    "grpo": "it starts from a model that learned from all questions",
}


def misplaced_curves(config: Any) -> Iterator[str]:
    """Yield each learning curve of a variant that is not trained.

    Args:
        config: as it was read, which may be of any shape.
    """
    for name, entry in entries_with(config, "learning_curve"):
        if reason := _REASONS.get(str(entry.get("method"))):
            yield (
                f"variants.{name}.learning_curve: {reason.format(what='curve')}, so no model of it learns from fewer "
                f"rows; {OTHER_METHOD}"
            )


def check_curves(config: Config) -> Iterator[str]:
    """Yield what is wrong with learning curves.

    Args:
        config: of the right shape.
    """
    judged = choosing_variants(config)
    for name in with_curve(config):
        place = f"variants.{name}.learning_curve"
        if name not in judged:
            yield (
                f"{place}: its models are measured by validation questions; give training.choose: validation, for all "
                "variants or for this one"
            )
        if "sweep" in config["variants"][name]:
            yield (
                f"{place}: is the curve of one recipe, and sweep looks for one; write the settings that were chosen "
                "(results/<variant>/train.json, swept) into the variant and remove sweep"
            )
        if start := config["variants"][name].get("start_from"):
            yield (
                f"{place}: each training would start from the model of {start!r}, which has learned from all rows "
                "already; put the curve there, or leave start_from out"
            )
        yield from _context_problems(config, name)


def _context_problems(config: Config, name: str) -> Iterator[str]:
    used = setting(config, name, "context")
    context = config["contexts"].get(used, {})
    place = f"variants.{name}.learning_curve: its context {used!r}"
    if "examples" in context:
        yield (
            f"{place} shows examples that are taken from all training rows, so a share of them would see more than its "
            "rows; give the variant a context without examples"
        )
    if context.get("schema_orders", 1) > 1:
        yield (
            f"{place} writes each question as several rows (schema_orders), so a share of the rows would have more "
            "than its share of the questions; give the variant a context without schema_orders"
        )
