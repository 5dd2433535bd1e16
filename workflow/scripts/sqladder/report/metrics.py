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
    "ex": Metric(
        "BIRD's execution accuracy",
        "*BIRD's execution accuracy*: the rows of the original database as a set, columns in gold's order.",
    ),
    "soft_f1": Metric(
        "BIRD's soft F1",
        "*BIRD's soft F1*: the share of values that are gold's, row by row.",
    ),
    "efficiency": Metric(
        "BIRD's efficiency, by steps",
        "*BIRD's efficiency, by steps*: the reward-based valid efficiency score, by steps of SQLite's virtual machine "
        "where BIRD measures time.",
    ),
    "optional_columns": Metric(
        "optional columns forgiven",
        "*Optional columns forgiven*: columns that a question calls optional may be there or not.",
    ),
    "any_order": Metric(
        "order forgiven",
        "*Order forgiven*: where a question says so, the order of rows does not matter, whatever gold orders by.",
    ),
    "tolerance": Metric(
        "numbers nearly equal",
        "*Numbers nearly equal*: numbers may be as far apart as the question allows.",
    ),
}
"""The headline metric and the secondary ones, by their names in verdicts.jsonl and metrics.json."""

SHARES = ("soft_f1", "efficiency")
"""Those that give an answer a share instead of right or wrong."""
