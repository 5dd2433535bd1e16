"""Whether the learning curves of a config can be measured: before any job, with the way out."""

from collections.abc import Iterator
from typing import Any

from sqladder.experiment.curve_points import with_curve
from sqladder.experiment.reading import Config
from sqladder.experiment.variants import choosing_variants, setting
from sqladder.training.settings import TRAINED

_REASONS = {
    "none": "the base itself is not trained",
    "reuse": "its model is another variant's; put the curve there",
    "quantized": "its model is another variant's; put the curve there",
    "served": "a server's model is not trained here",
    "imported": "its predictions were made elsewhere",
    "rejection": "its rows are drawn by a model that learned from all questions",
    "dpo": "its pairs are drawn by a model that learned from all questions",
}


def misplaced_curves(config: Any) -> Iterator[str]:
    """Yield each learning curve of a variant that is not trained.

    Args:
        config: as it was read, which may be of any shape.
    """
    variants = config.get("variants") if isinstance(config, dict) else None
    for name, entry in (variants if isinstance(variants, dict) else {}).items():
        if not isinstance(entry, dict) or "learning_curve" not in entry:
            continue
        if entry.get("method") in _REASONS:
            yield (
                f"variants.{name}.learning_curve: {_REASONS[entry['method']]}, so no model of it learns from fewer "
                f"rows; remove it, or give method: {' or '.join(sorted(TRAINED))}"
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
