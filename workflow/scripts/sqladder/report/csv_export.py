"""The report's numbers for machines: metrics.csv, pairs.csv and results.json."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqladder.files import Row
from sqladder.report.comparison import Comparison, Pair
from sqladder.report.metrics import COLUMNS
from sqladder.report.results import Count, Run, level_count

HEADER = (
    *("variant", "level", "n", "correct", "rate", "low", "high", "metric", "seed", "sd"),
    *("stderr", "best_rank", "worst_rank"),
)
PAIR_HEADER = (
    *("level", "first", "second", "n", "only_first", "only_second", "difference", "stderr"),
    *("low", "high", "new_databases_low", "new_databases_high", "p", "p_holm", "comparisons"),
    *("detectable", "significant", "p_holm_baseline"),
)


def metrics_csv(comparison: Comparison) -> str:
    """One row a variant, metric and level; low and high are its 95 % interval, ranks those over all questions.

    Of a variant with several seeds this row is their mean, with the standard deviation between them; a
    row for each seed, which it names, follows.
    """
    run, rows = comparison.run, []
    for variant in run.variants:
        for metric in variant.marks:
            for level in COLUMNS:
                total = level_count(run, variant, level, metric)
                ranked = (metric, level) == ("test_suite", "all")
                ranks = comparison.ranks[variant.name] if ranked else ("", "")
                rows.append([*_cells(variant.name, level, total, metric, ""), *ranks])
                if len(variant.seeds) == 1:
                    continue
                for own, answers in zip(variant.seeds, total.answers, strict=True):
                    one = Count(answers[None], total.groups)
                    cells = _cells(variant.name, level, one, metric, own.replicate.seed)
                    rows.append([*cells, "", ""])
    return _table(HEADER, rows)


def pairs_csv(comparison: Comparison) -> str:
    """Every pair over all questions, then those of charted variants on each level.

    Difference, intervals of its family, p, what it could find. Shares, not points. Intervals for new databases are of
    all questions only.
    """
    rows = (
        [level, *map(_cell, pair_numbers(comparison, level, pair).values())]
        for level, pair in every_pair(comparison)
    )
    return _table(PAIR_HEADER, rows)


def every_pair(comparison: Comparison) -> Iterator[tuple[str, Pair]]:
    """Yield each pair over all questions, then those of charted variants on each level, with the level."""
    yield from (("all", pair) for pair in comparison.pairs)
    for level, pairs in comparison.level_pairs.items():
        yield from ((level, pair) for pair in pairs)


def pair_numbers(comparison: Comparison, level: str, pair: Pair) -> Row:
    """The numbers of a pair by the columns of pairs.csv after the level; None where there is none."""
    elsewhere = comparison.on_new_databases(pair) if level == "all" else None
    low, high = (None, None) if elsewhere is None else elsewhere
    return {
        "first": pair.first,
        "second": pair.second,
        "n": pair.n,
        "only_first": pair.counts.wins,
        "only_second": pair.counts.losses,
        "difference": pair.difference,
        "stderr": pair.paired.standard_error,
        "low": pair.interval.low,
        "high": pair.interval.high,
        "new_databases_low": low,
        "new_databases_high": high,
        "p": pair.p_alone,
        "p_holm": pair.p,
        "comparisons": pair.comparisons,
        "detectable": pair.detectable,
        "significant": bool(pair.significant),
        "p_holm_baseline": comparison.p_with_baseline(level, pair),
    }


def results_json(run: Run) -> Row:
    """Accuracies in the shape of lm-evaluation-harness's results: a metric, and its standard error, of each name.

    A variant stands where the harness has a task, and each of its levels as <variant>_<level>.
    """
    results: Row = {}
    samples: Row = {}
    for variant in run.variants:
        for level in COLUMNS:
            name = variant.name if level == "all" else f"{variant.name}_{level}"
            own: Row = {"alias": name}
            for metric in variant.marks:
                total = level_count(run, variant, level, metric)
                own |= {metric: total.rate, f"{metric}_stderr": total.standard_error}
                samples[name] = {"original": total.n, "effective": total.n}
            results[name] = own
    higher = dict.fromkeys(run.variants[0].marks, True)
    return {
        "results": results,
        "n-samples": samples,
        "higher_is_better": dict.fromkeys(results, higher),
    }


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _cells(
    variant: str, level: str, total: Count, metric: str, seed: int | str | None
) -> list[Any]:
    shares = [_decimals(share) for share in (total.rate, *total.interval)]
    correct = total.correct if len(total.by_seed) == 1 else f"{total.correct:.6f}"
    spread = [_decimals(total.sd), _decimals(total.standard_error)]
    return [variant, level, total.n, correct, *shares, metric, seed, *spread]


def _cell(value: Any) -> Any:
    # First what most cells of many thousand rows are.
    if type(value) is float:
        return f"{value:.6g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value


def _decimals(share: float | None) -> str:
    return "" if share is None else f"{share:.6f}"
