"""The kind of every failure of a run: sorted from verdicts, answers and schemas, and kept in failures.jsonl."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path

from sqladder.databases.schema import read_schema
from sqladder.files import Fields, Row, read_jsonl, write_jsonl
from sqladder.report.taxonomy import Failure, columns_of, sort_failures
from sqladder.statistics.replicates import Replicate

FAILURE_FIELDS: Fields = {"variant": str, "id": str, "kind": str, "reason": str}


def failure_rows(
    path: Path,
    databases: Path | None,
    questions: Sequence[Row],
    verdicts: Mapping[Replicate, Sequence[Row]],
    predictions: Mapping[Replicate, Sequence[Row]],
    dialect: str,
) -> dict[tuple[str, str], Row]:
    """The failures of all variants and seeds by the variant's, or seed's, name and the question's id.

    Args:
        path: failures.jsonl, written where the databases are there, and else read.
        databases: folder of <db_id>/<db_id>.sqlite; None of a run whose databases are elsewhere.
        questions: with gold, in the order of verdicts and predictions.
        verdicts: of each variant and seed.
        predictions: of each variant and seed.
        dialect: of the engine that judged.
    """
    if databases is None:
        rows = read_jsonl(path, FAILURE_FIELDS)
    else:
        rows = list(_sorted(databases, questions, verdicts, predictions, dialect))
        write_jsonl(path, rows)
    return {(row["variant"], row["id"]): row for row in rows}


def _sorted(
    databases: Path,
    questions: Sequence[Row],
    verdicts: Mapping[Replicate, Sequence[Row]],
    predictions: Mapping[Replicate, Sequence[Row]],
    dialect: str,
) -> Iterator[Row]:
    names = sorted({question["db_id"] for question in questions})
    columns = {name: columns_of(read_schema(databases / name / f"{name}.sqlite")) for name in names}
    known: dict[Hashable, Failure] = {}
    for replicate, judged in verdicts.items():
        answers = predictions[replicate]
        for row in sort_failures(questions, judged, answers, columns, known, dialect):
            yield {"variant": replicate.name, **row}
