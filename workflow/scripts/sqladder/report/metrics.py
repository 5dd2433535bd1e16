"""The levels and the metrics of a report, with the names that it prints."""

from typing import NamedTuple

LEVELS = ("easy", "medium", "hard", "extra")

COLUMNS = (*LEVELS, "all", "joint_all")
"""The columns of the published table."""

COLUMN_TITLES = {level: level.title() for level in COLUMNS} | {"joint_all": "Joint_All"}


class Metric(NamedTuple):
    """A metric as the report names it, and what sets a secondary one apart from the headline metric."""

    title: str
    note: str = ""


METRICS = {
    "test_suite": Metric("test suite, own values"),
    "plug_value": Metric(
        "oracle values (plug_value)",
        "*Oracle values*: the gold query's values are put in the place of the model's own, so wrong values are "
        "forgiven.",
    ),
    "single_database": Metric(
        "single database",
        "*Single database*: one database file instead of the suite, so answers that are right by accident pass.",
    ),
    "exact_match": Metric(
        "exact match",
        "*Exact match*: nothing is executed; the query must have the gold query's clauses, values left aside, so "
        "right answers that are written otherwise fail (Spider's exact set match; gold outside its grammar matches "
        "nothing).",
    ),
}
"""The headline metric and the secondary ones, by their names in verdicts.jsonl and metrics.json."""
