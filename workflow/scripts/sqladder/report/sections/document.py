"""The report as Markdown that reads on GitHub: its sections, one module each, in their order."""

from collections.abc import Callable

from sqladder.report.sections import (
    by_database,
    by_feature,
    chosen_checkpoints,
    contamination,
    costs,
    differences,
    doubtful_gold,
    failures,
    learned,
    levels,
    methods,
    observations,
    opening,
    overview,
    published,
    quantised,
    ranking,
    repairs,
    rows_needed,
    run_facts,
    samples,
    searched_settings,
    secondary,
    seed_spread,
    training_loss,
    wins,
    wordings,
)
from sqladder.report.sections.report_inputs import ReportInputs

SECTIONS: tuple[Callable[[ReportInputs], str], ...] = (
    opening.section,
    ranking.section,
    seed_spread.section,
    levels.section,
    wordings.section,
    observations.section,
    overview.section,
    differences.section,
    by_database.section,
    contamination.section,
    doubtful_gold.section,
    by_feature.section,
    secondary.section,
    samples.section,
    repairs.section,
    quantised.section,
    published.section,
    failures.section,
    wins.section,
    training_loss.section,
    searched_settings.section,
    rows_needed.section,
    chosen_checkpoints.section,
    learned.section,
    costs.section,
    methods.section,
    run_facts.section,
)
"""In the order of the report; a section that has nothing to say about a run is ""."""


def render(inputs: ReportInputs) -> str:
    """The whole report."""
    texts = [section(inputs) for section in SECTIONS]
    return "\n\n".join(text for text in texts if text) + "\n"
