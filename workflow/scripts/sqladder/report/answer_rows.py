"""First rows of what gold and wrong answers give, marked by how they differ, for the page's browser of questions.

Queries are executed once more, in a process of its own under the limits of the scoring, on the file of the test suite
on which the verdict found the difference. Right answers give what gold gives and are not executed again.
"""

import math
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from sqladder.files import Row
from sqladder.metric.normalise import executable, order_matters, prepare_gold, prepare_prediction
from sqladder.metric.sandbox import Database, Limits, QueryError
from sqladder.metric.worker import confine
from sqladder.processes.guarded import Death, guarded

COMPARED = 500
"""Rows of a result that are compared; a difference beyond them is not shown."""

SHOWN = 3
"""Rows of each kind that are shown: of both, of the answer only, of gold only."""

COLUMNS = 6
"""Columns that are shown."""

LETTERS = 40
"""Characters of a value that are shown."""

BOTH, ONLY_HERE, ONLY_GOLD, MOVED = "=", "+", "-", "~"
"""Marks of a row: in both results, in the answer's only, in gold's only, in both but at another place."""


class Query(NamedTuple):
    """A text to execute on a database file."""

    file: str
    sql: str


@dataclass(frozen=True)
class Table:
    """The first rows of a result, or why there is none."""

    names: Sequence[str] = ()
    rows: Sequence[tuple[object, ...]] = ()
    complete: bool = True
    problem: str = ""


def shown_results(
    questions: Iterable[Row],
    verdicts: Mapping[str, Mapping[str, Row]],
    predictions: Mapping[str, Mapping[str, Row]],
    databases: Path,
    limits: Limits,
) -> Iterator[Row]:
    """Give a row for each gold query and each wrong result: what to show of it.

    Args:
        questions: id, db_id and gold sql; those without a verdict were not scored.
        verdicts: name of a variant (or variant/seed_<seed>) -> id -> verdict and detail.
        predictions: the same names -> id -> sql.
        databases: folder with <db_id>/<db_id>.sqlite and the other files of its suite.
        limits: what one execution may cost.

    Yields:
        id; variant, "" for gold; file; names of columns; rows of (mark, values as text); n, the number of
        rows, None beyond what is compared; and problem, "" or why there is no result.
    """
    wanted = [
        (question, variant, query, gold)
        for question in questions
        for variant, query, gold in _queries(question, verdicts, predictions, databases)
    ]
    tables = execute({query for _, _, *pair in wanted for query in pair}, limits)
    for question, variant, query, gold in wanted:
        ordered = order_matters(gold.sql)
        told = _gold(tables[gold]) if not variant else _answer(tables[query], tables[gold], ordered)
        yield {"id": question["id"], "variant": variant, "file": Path(query.file).name, **told}


def _queries(
    question: Row,
    verdicts: Mapping[str, Mapping[str, Row]],
    predictions: Mapping[str, Mapping[str, Row]],
    databases: Path,
) -> Iterator[tuple[str, Query, Query]]:
    """Gold on the original file, then every wrong result with gold on the file that shows it."""
    name = question["db_id"]
    folder = databases / name
    gold = executable(prepare_gold(question["sql"]))
    scored = {variant: rows.get(question["id"]) for variant, rows in verdicts.items()}
    if not any(scored.values()):
        return
    original = Query(str(folder / f"{name}.sqlite"), gold)
    yield "", original, original
    for variant, verdict in scored.items():
        if verdict is None or verdict["verdict"] != "wrong_result":
            continue
        # The detail begins with the file that shows the difference.
        file = folder / Path(verdict["detail"].partition(":")[0]).name
        if file.is_file():
            answer = predictions[variant][question["id"]]["sql"]
            sql = executable(prepare_prediction(answer))
            yield variant, Query(str(file), sql), Query(str(file), gold)


def execute(queries: Iterable[Query], limits: Limits) -> dict[Query, Table]:
    """Execute each query once; one that ends its process costs that process and its own table, no more."""
    waiting = sorted(queries)
    found: dict[Query, Table] = {}
    while len(found) < len(waiting):
        left = waiting[len(found) :]
        answers = guarded(_serve, (left, limits), len(left), limits.timeout)
        # Fewer answers than queries are left where one of them ends the process.
        for query, answer in zip(left, answers, strict=False):
            died = Table(problem="ended the process that executed it, or took too long")
            found[query] = died if isinstance(answer, Death) else answer
    return found


def _serve(answers: Connection, queries: Sequence[Query], limits: Limits) -> None:
    """Run in the process: answer each query with a table, one file after the other."""
    confine(limits)
    for file, group in groupby(queries, key=lambda query: query.file):
        database = Database(Path(file), limits)
        for query in group:
            signal.setitimer(signal.ITIMER_REAL, limits.timeout)
            try:
                result = database.execute(query.sql, max_rows=COMPARED)
            except QueryError as error:
                answers.send(Table(problem=error.detail))
                continue
            answers.send(Table(result.names, result.rows[:COMPARED], result.complete))
        database.close()


def _gold(table: Table) -> Row:
    return _told(table, [(BOTH, row) for row in table.rows[: 2 * SHOWN]])


def _answer(table: Table, gold: Table, ordered: bool) -> Row:
    return _told(table, list(differences(table.rows, gold.rows, ordered)))


def differences(
    rows: Sequence[tuple[object, ...]], gold: Sequence[tuple[object, ...]], ordered: bool
) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Give the first rows of each kind with their marks: in both, only in the answer, only in gold.

    Where both have the same rows and their order counts, rows at another place than gold's are marked.
    """
    keys, wanted = [*map(_key, rows)], [*map(_key, gold)]
    here, there = Counter(keys), Counter(wanted)
    if here == there:
        marks = [
            BOTH if not ordered or key == other else MOVED
            for key, other in zip(keys, wanted, strict=True)
        ]
        yield from _first(list(zip(marks, rows, strict=True)), (BOTH, MOVED))
        return
    marked = [*_marked(rows, keys, there, ONLY_HERE)]
    missing = [pair for pair in _marked(gold, wanted, here, ONLY_GOLD) if pair[0] == ONLY_GOLD]
    yield from _first([*marked, *missing], (BOTH, ONLY_HERE, ONLY_GOLD))


def _marked(
    rows: Sequence[tuple[object, ...]],
    keys: Sequence[tuple[object, ...]],
    others: Counter,
    mark: str,
) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Mark the rows that occur more often here than among the others."""
    left = Counter(others)
    for row, key in zip(rows, keys, strict=True):
        left[key] -= 1
        yield (mark if left[key] < 0 else BOTH), row


def _first(
    marked: Sequence[tuple[str, tuple[object, ...]]], marks: Sequence[str]
) -> Iterator[tuple[str, tuple[object, ...]]]:
    """The first rows of each mark, in their order."""
    left = dict.fromkeys(marks, SHOWN)
    for mark, row in marked:
        if left[mark]:
            left[mark] -= 1
            yield mark, row


def _key(row: tuple[object, ...]) -> tuple[object, ...]:
    """A row by which equal ones are found: NaN equals itself, text is never a number."""
    return tuple(
        "nan" if isinstance(v, float) and math.isnan(v) else (isinstance(v, str), v) for v in row
    )


def _told(table: Table, marked: Sequence[tuple[str, tuple[object, ...]]]) -> dict[str, Any]:
    return {
        "names": [_cut(name) for name in table.names[:COLUMNS]],
        "more_columns": max(0, len(table.names) - COLUMNS),
        "rows": [[mark, *map(_text, row[:COLUMNS])] for mark, row in marked],
        "n": len(table.rows) if table.complete else None,
        "problem": table.problem,
    }


def _text(value: object) -> str | None:
    """A value as it is shown; NULL stays None, which no text can be taken for."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return f"blob of {len(value)} bytes"
    return _cut(str(value))


def _cut(text: str) -> str:
    return f"{text[:LETTERS]}…" if len(text) > LETTERS else text
