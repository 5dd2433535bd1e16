"""Examples (questions with their gold SQL) and predictions made elsewhere: reading, checking, pairing."""

from collections.abc import Iterable
from pathlib import Path

from sqladder.errors import InputError
from sqladder.files import Row, by_id, join_by_id, read_jsonl, read_text
from sqladder.metric.showing import brief

EXAMPLE_FIELDS = ("id", "db_id", "question", "sql")


def read_examples(path: Path) -> list[Row]:
    """Read examples (JSON Lines: id, db_id, question, sql), each field a text that is not empty.

    Raises:
        InputError: the file has no example, a field is missing, empty or not text, or an id occurs twice.
    """
    rows = read_jsonl(path)
    if not rows:
        raise InputError(f"{path} holds no example; write one JSON object a line")
    for number, row in enumerate(rows, start=1):
        for field in EXAMPLE_FIELDS:
            value = row.get(field)
            if not isinstance(value, str) or not value.strip():
                raise InputError(
                    f"{path} example {number} (id {brief(row.get('id'))}): {field!r} is {brief(value)}, "
                    "but must be a text that is not empty"
                )
    by_id(rows, path)
    return rows


def read_repairs(path: Path, examples: list[Row], left_out: Iterable[Row] = ()) -> dict[str, str]:
    """The queries that somebody holds to be right (JSON Lines: id, sql), by the id of their example.

    Args:
        path: the file.
        examples: the examples of the data set.
        left_out: questions of the data set that were left out here; their queries are left out too.

    Raises:
        InputError: a row has no text in `sql`, an id occurs twice, is that of no question, or none is that of an
            example.
    """
    rows = by_id(read_jsonl(path, {"id": str, "sql": str}), path)
    known = {example["id"] for example in examples}
    named = known | {row["id"] for row in left_out}
    unknown = [key for key in rows if key not in named]
    if unknown:
        raise InputError(
            f"{path}: {len(unknown)} of {len(rows)} ids are those of no question, first {brief(unknown[0])}; "
            f"the questions have ids such as {brief(examples[0]['id'])}: mend these ids or remove their lines"
        )
    repairs = {key: row["sql"] for key, row in rows.items() if key in known}
    if not repairs:
        raise InputError(f"{path} repairs no question that is asked here; leave gold_repairs out")
    return repairs


def read_answers(path: Path, ids: Iterable[str]) -> dict[str, Row]:
    """The rows of a predictions file, by the id of their question.

    Raises:
        InputError: a row has no text in `sql`, or one of the ids has no row.
    """
    answers = by_id(read_jsonl(path, {"id": str, "sql": str}), path)
    missing = [key for key in ids if key not in answers]
    if missing:
        raise InputError(f"{path} lacks the prediction of question {brief(missing[0])}")
    return answers


def replace_gold(examples: list[Row], gold: Path) -> list[Row]:
    """The examples with the gold SQL of a file in the official format, line by line.

    The file has one line `sql<TAB>db_id` per example in their order; blank lines separate sessions and are skipped.

    Raises:
        InputError: another number of lines than examples, a line without database, or another database.
    """
    lines = _statement_lines(gold)
    _check_count(gold, len(lines), len(examples))
    replaced = []
    for example, (number, line) in zip(examples, lines, strict=True):
        sql, _, db_id = line.partition("\t")
        if db_id != example["db_id"]:
            raise InputError(
                f"{gold} line {number} names database {brief(db_id)}, but example {brief(example['id'])} "
                f"in the same place is about {brief(example['db_id'])}"
            )
        replaced.append({**example, "sql": sql})
    return replaced


def without_missing(
    examples: list[Row], databases: set[str], allow_missing: bool
) -> tuple[list[Row], list[Row]]:
    """Split examples into those whose database is there and those whose database is missing.

    Raises:
        InputError: a database is missing and `allow_missing` is false, or every one is missing.
    """
    kept = [row for row in examples if row["db_id"] in databases]
    left_out = [row for row in examples if row["db_id"] not in databases]
    missing = sorted({row["db_id"] for row in left_out})
    if left_out and not (allow_missing and kept):
        raise InputError(
            f"{len(left_out)} of {len(examples)} questions have no database: {', '.join(missing)}; add the "
            "databases, or set allow_missing_databases: true to leave the questions out (not all of them)"
        )
    return kept, left_out


def import_predictions(path: Path, questions: list[Row], kept: list[Row]) -> list[Row]:
    """Read predictions made elsewhere and give them the form of generated ones, in the order of `kept`.

    Args:
        path: `.jsonl` with id and sql, or any other name for the official format: one statement a line in the order
            of `questions`, blank lines skipped, whatever follows a tab ignored.
        questions: every question of the data set, those without a database too.
        kept: the questions that are scored.

    Raises:
        InputError: an id is missing, unknown or doubled, or the number of lines is not that of the questions.
    """
    if path.suffix == ".jsonl":
        rows = read_jsonl(path)
        for number, row in enumerate(rows, start=1):
            if not isinstance(row.get("sql"), str):
                raise InputError(
                    f"{path} prediction {number} (id {brief(row.get('id'))}) has no text in 'sql'"
                )
        pairs = join_by_id(questions, rows, "the questions", path)
        sql_of = {question["id"]: row["sql"] for question, row in pairs}
    else:
        lines = _statement_lines(path)
        _check_count(path, len(lines), len(questions))
        sql_of = {
            question["id"]: line.split("\t")[0]
            for question, (_, line) in zip(questions, lines, strict=True)
        }
    return [_imported(row["id"], sql_of[row["id"]]) for row in kept]


def _imported(key: str, sql: str) -> Row:
    return {
        "id": key,
        "sql": sql,
        "text": sql,
        "finish_reason": "imported",
        "prompt_tokens": None,
        "output_tokens": None,
    }


def _statement_lines(path: Path) -> list[tuple[int, str]]:
    """Read the lines that are not blank, stripped, with their numbers."""
    text = read_text(path)
    # Only line feeds end a line: str.splitlines would also cut at a form feed inside a literal.
    lines = enumerate(text.split("\n"), start=1)
    return [(number, line.strip()) for number, line in lines if line.strip()]


def _check_count(path: Path, found: int, expected: int) -> None:
    if found != expected:
        raise InputError(
            f"{path} holds {found} statements for {expected} questions; it needs one for each, in their order"
        )
