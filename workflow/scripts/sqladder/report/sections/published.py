"""A published table beside this run's own figures, with the difference of every cell."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from sqladder.errors import InputError
from sqladder.files import Row
from sqladder.report.metrics import COLUMN_TITLES, METRICS
from sqladder.report.results import Run, level_count, shown_columns
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.wording import FURTHER
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import UNKNOWN, listing, number, points, rate

OUTSIDE = "*"
"""Marks a published figure that lies outside of the interval of this run's own."""


def section(inputs: ReportInputs) -> str:
    """The section in Markdown, "" where no published table is named."""
    if inputs.published is None:
        return ""
    return published_table(inputs.comparison.run, inputs.published, inputs.published_rows)


def published_table(run: Run, path: Path, rows: Mapping[str, str]) -> str:
    """The section from a published table.

    Args:
        run: the scored run.
        path: YAML file with source, metric, questions of each level, and rows of rates.
        rows: variant -> the row of the table that it is compared with.

    Raises:
        InputError: a variant, a row or the metric is not there.
    """
    published = yaml.safe_load(path.read_text(encoding="utf-8"))
    _check(run, path, published, rows)
    metric = published["metric"]
    levels = shown_columns(run)
    asked = [number(published["questions"][level]) for level in levels]
    scored = [number(level_count(run, run.variants[0], level, metric).n) for level in levels]
    lines = [["questions", "published", *asked], ["questions", "this run", *scored]]
    for variant, row in rows.items():
        lines += _lines(run, variant, published["rows"][row], metric)
    cells = table(
        ["variant", "figure", *(COLUMN_TITLES[level] for level in levels)],
        lines,
        "ll" + "r" * len(levels),
    )
    compared = [f"*{escape(name)}* with its row *{escape(row)}*" for name, row in rows.items()]
    return f"""## Beside the published table

{cells}

**{_other_answers(run, published)}**

Published by <{published["source"]}>; compared are {listing(compared)}. The published figures are accuracy with
{METRICS[metric].title}, so this run's figures are too: they are not those of the ranking. A difference is this run's
figure less the published one, in points; {escape(OUTSIDE)} marks a published figure outside of the 95 % interval of
this run's {FURTHER}, which knows nothing of how uncertain the published figure itself is."""


def _check(run: Run, path: Path, published: Row, rows: Mapping[str, str]) -> None:
    names = [variant.name for variant in run.variants]
    for variant, row in rows.items():
        if variant not in names:
            raise InputError(f"{path}: {variant!r} is no variant of this run: {', '.join(names)}")
        if row not in published["rows"]:
            known = ", ".join(published["rows"])
            raise InputError(f"{path} has no row {row!r} for variant {variant!r}: it has {known}")
    if published["metric"] not in run.variants[0].marks:
        raise InputError(f"{path}: this run did not measure {published['metric']!r}")


def _lines(run: Run, name: str, row: Mapping[str, float], metric: str) -> list[list[str]]:
    levels = shown_columns(run)
    totals = [level_count(run, run.named(name), level, metric) for level in levels]
    gaps = []
    for level, total in zip(levels, totals, strict=True):
        if total.rate is None:
            gaps.append(UNKNOWN)
            continue
        low, high = total.interval
        mark = "" if low <= row[level] <= high else f" {escape(OUTSIDE)}"
        gaps.append(points(total.rate - row[level]) + mark)
    return [
        [escape(name), "published", *(rate(row[level]) for level in levels)],
        [escape(name), "this run", *(rate(total.rate) for total in totals)],
        [escape(name), "difference", *gaps],
    ]


def _other_answers(run: Run, published: Row) -> str:
    """What the published side is of: answers that this run has not seen, often to other questions."""
    asked = published["questions"]["all"]
    if asked == run.n:
        return (
            f"The published side is of other answers, to {number(asked)} questions, which this run cannot see: the "
            "differences are not paired, and no test goes with them."
        )
    missing = sorted({question["db_id"] for question in run.left_out})
    why = (
        f" (those of {listing([escape(name) for name in missing])} were left out)"
        if missing
        else ""
    )
    return (
        f"The published side is of other questions' answers: of {number(asked)} questions, this run's of "
        f"{number(run.n)}{why}. A part of every difference may be due to the questions, and no test goes with it."
    )
