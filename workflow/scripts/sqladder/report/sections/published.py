"""A published table beside this run's own figures, with the difference of every cell."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from sqladder.errors import InputError
from sqladder.files import Row
from sqladder.report.metrics import COLUMN_TITLES, COLUMNS, METRICS
from sqladder.report.results import Run, level_count
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import UNKNOWN, listing, number, plural, points, rate

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
    asked = [number(published["questions"][level]) for level in COLUMNS]
    scored = [number(level_count(run, run.variants[0], level, metric).n) for level in COLUMNS]
    lines = [["questions", "published", *asked], ["questions", "this run", *scored]]
    for variant, row in rows.items():
        lines += _lines(run, variant, published["rows"][row], metric)
    cells = table(["variant", "figure", *COLUMN_TITLES.values()], lines, "llrrrrrr")
    compared = [f"*{escape(name)}* with its row *{escape(row)}*" for name, row in rows.items()]
    return f"""## Beside the published table

{cells}

Published by <{published["source"]}>; compared are {listing(compared)}. The published figures are accuracy with
{METRICS[metric].title}, so this run's figures are too: they are not those of the ranking.{_questions(run, published)} A
difference is this run's figure less the published one, in points; {escape(OUTSIDE)} marks a published figure outside of
the 95 % interval of this run's."""


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
    totals = [level_count(run, run.named(name), level, metric) for level in COLUMNS]
    gaps = []
    for level, total in zip(COLUMNS, totals, strict=True):
        if total.rate is None:
            gaps.append(UNKNOWN)
            continue
        low, high = total.interval
        mark = "" if low <= row[level] <= high else f" {escape(OUTSIDE)}"
        gaps.append(points(total.rate - row[level]) + mark)
    return [
        [escape(name), "published", *(rate(row[level]) for level in COLUMNS)],
        [escape(name), "this run", *(rate(total.rate) for total in totals)],
        [escape(name), "difference", *gaps],
    ]


def _questions(run: Run, published: Row) -> str:
    """What the differences owe to questions that only the published figures are about."""
    asked = published["questions"]["all"]
    if asked == run.n:
        return ""
    missing = sorted({question["db_id"] for question in run.left_out})
    why = (
        f": those of {listing([escape(name) for name in missing])} were left out" if missing else ""
    )
    return (
        f" They are about {plural(run.n, 'question')}, the published ones about {number(asked)}{why}, so a part of "
        "every difference may be due to the questions."
    )
