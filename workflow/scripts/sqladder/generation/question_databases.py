"""Which database each prompt's question is about."""

from collections.abc import Sequence
from pathlib import Path

from sqladder.errors import InputError
from sqladder.files import Fields, Row, by_id, read_jsonl
from sqladder.metric.showing import brief

EXAMPLE_FIELDS: Fields = {"id": str, "db_id": str}


def database_names(rows: Sequence[Row], prompts: Path, examples: Path) -> dict[str | int, str]:
    """The name of each prompt's database, by the prompt's id.

    Args:
        rows: the prompts, all or those of one GPU.
        prompts: their file, named in messages.
        examples: the questions that they were made of, or more.

    Raises:
        InputError: a question is missing.
    """
    questions = by_id(read_jsonl(examples, EXAMPLE_FIELDS), examples)
    lacking = [row["id"] for row in rows if row["id"] not in questions]
    if lacking:
        raise InputError(
            f"{examples} lacks {len(lacking)} of the {len(rows)} questions of {prompts}, first "
            f"{brief(lacking[0])}: give the examples that the prompts were made of"
        )
    return {row["id"]: questions[row["id"]]["db_id"] for row in rows}
