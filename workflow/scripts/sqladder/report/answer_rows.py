"""First rows of gold and of wrong results, which score.py kept for each variant, read for the report and the page."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from sqladder.files import Row, read_jsonl
from sqladder.statistics.replicates import replicate_of


def answer_rows(paths: Iterable[Path]) -> Iterator[Row]:
    """The shown results of a run.

    Args:
        paths: rows.jsonl of each variant and seed, in the folder that is named after it.

    Yields:
        For each question's gold, and each wrong result: id; variant (or variant/seed_<seed>), "" for gold; and what
        metric.first_rows.FirstRows says of it.
    """
    golds = {}
    for path in paths:
        for row in read_jsonl(path, {"id": str, "gold": dict | None, "answer": dict | None}):
            # Gold is the same for all, but one that gave no SQL never met it.
            if row["gold"]:
                golds[row["id"]] = row["gold"]
            if row["answer"]:
                yield {"id": row["id"], "variant": replicate_of(path).name, **row["answer"]}
    for key, gold in golds.items():
        yield {"id": key, "variant": "", **gold}
