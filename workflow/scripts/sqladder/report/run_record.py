"""run.json: what made the run, and what its report claims, for machines."""

from typing import Any

from sqladder.files import Row
from sqladder.report.comparison import Comparison
from sqladder.report.csv_export import every_pair, pair_numbers
from sqladder.report.metrics import COLUMNS
from sqladder.report.results import Count, Variant, level_count
from sqladder.statistics.seeds import new_databases_interval


def run_record(facts: Row, comparison: Comparison) -> Row:
    """The run's facts with its ranking and pairs.

    Shares, not points. Of many variants the pairs are those of the ones that charts draw; all are in pairs.csv, whose
    columns the keys of a pair are.
    """
    shown = {variant.name for variant in comparison.charted}
    pairs = [
        {
            "level": level,
            **pair_numbers(comparison, level, pair),
            "of_models": comparison.of_models(pair),
        }
        for level, pair in every_pair(comparison)
        if {pair.first, pair.second} <= shown
    ]
    return {
        **facts,
        "baseline": comparison.run.baseline,
        "ranking": [_ranked(comparison, variant) for variant in comparison.ranking],
        "pairs": pairs,
        "pairs_of": [variant.name for variant in comparison.charted],
    }


def _ranked(comparison: Comparison, variant: Variant) -> Row:
    """A variant's ranks and accuracies: of the headline metric by level, of the others over all questions."""
    run = comparison.run
    best, worst = comparison.ranks[variant.name]
    elsewhere = new_databases_interval(variant.correct, run.groups, run.database_groups)
    return {
        "variant": variant.name,
        "best_rank": best,
        "worst_rank": worst,
        "seeds": len(variant.seeds),
        "trained_once": variant.single_seed_varies,
        **_accuracy(level_count(run, variant, "all")),
        "new_databases_interval": elsewhere,
        "by_level": {level: _accuracy(level_count(run, variant, level)) for level in COLUMNS},
        "secondary": {
            metric: _accuracy(level_count(run, variant, "all", metric))
            for metric in variant.marks
            if metric != "test_suite"
        },
    }


def _accuracy(total: Count) -> dict[str, Any]:
    return {
        "n": total.n,
        "correct": total.correct,
        "accuracy": total.rate,
        "stderr": total.standard_error,
        "interval": total.interval,
        "sd": total.sd,
    }
