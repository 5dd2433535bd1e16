"""The report's numbers for machines: metrics.csv."""

import csv
import io

from sqladder.report.data import Run, level_count
from sqladder.report.tables import COLUMNS
from sqladder.statistics import wilson_interval

HEADER = ("variant", "level", "n", "correct", "rate", "low", "high", "metric")


def metrics_csv(run: Run) -> str:
    """One row a variant, metric and level; low and high are Wilson's 95 % interval."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for variant in run.variants:
        for metric in variant.marks:
            for level in COLUMNS:
                total = level_count(run, variant, level, metric)
                interval = wilson_interval(total.correct, total.n)
                share = "" if total.rate is None else f"{total.rate:.6f}"
                ends = [f"{end:.6f}" for end in interval]
                writer.writerow([variant.name, level, total.n, total.correct, share, *ends, metric])
    return text.getvalue()
