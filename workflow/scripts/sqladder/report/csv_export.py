"""The CSV export of the report's numbers: metrics.csv."""

import csv
import io
from typing import Any

from sqladder.report.metrics import COLUMNS
from sqladder.report.results import Count, Run, level_count

HEADER = ("variant", "level", "n", "correct", "rate", "low", "high", "metric", "seed", "sd")


def metrics_csv(run: Run) -> str:
    """One row a variant, metric and level; low and high are its 95 % interval.

    Of a variant with several seeds this row is their mean, with the standard deviation between them; a
    row for each seed, which it names, follows.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for variant in run.variants:
        for metric in variant.marks:
            for level in COLUMNS:
                total = level_count(run, variant, level, metric)
                writer.writerow(_row(variant.name, level, total, metric, ""))
                if len(variant.seeds) == 1:
                    continue
                for own, answers in zip(variant.seeds, total.answers, strict=True):
                    one = Count(answers[None], total.groups)
                    writer.writerow(_row(variant.name, level, one, metric, own.replicate.seed))
    return text.getvalue()


def _row(variant: str, level: str, total: Count, metric: str, seed: int | str | None) -> list[Any]:
    shares = [_decimals(share) for share in (total.rate, *total.interval)]
    correct = total.correct if len(total.by_seed) == 1 else f"{total.correct:.6f}"
    return [variant, level, total.n, correct, *shares, metric, seed, _decimals(total.sd)]


def _decimals(share: float | None) -> str:
    return "" if share is None else f"{share:.6f}"
