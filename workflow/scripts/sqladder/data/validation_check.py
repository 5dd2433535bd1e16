"""Questions that a choice falls by: whether they are others than those of the test, on other databases."""

from collections.abc import Sequence
from typing import NamedTuple

from sqladder.errors import InputError
from sqladder.files import Row
from sqladder.metric.showing import brief
from sqladder.texts.words import folded


class ValidationQuestions(NamedTuple):
    """What a choice rests on.

    Attributes:
        questions: how many.
        databases: that they are about.
        of_the_test: databases among these that the test asks about, too.
    """

    questions: int
    databases: int
    of_the_test: int


def checked(
    validation: Sequence[Row], test: Sequence[Row], *, is_one_set: bool
) -> ValidationQuestions:
    """Count the questions of a choice, which are none of the test's.

    Args:
        validation: examples that checkpoints are chosen by.
        test: examples that variants are compared on.
        is_one_set: both are parts of one data set, whose only database they may share.

    Raises:
        InputError: there is no question, one is the test's, or a database of another data set is.
    """
    if not validation:
        raise InputError(
            "no question is left to choose checkpoints by: give the data set a larger share for validation, or name "
            "another as validate_on"
        )
    asked = {_question(row) for row in test}
    same = [row for row in validation if _question(row) in asked]
    if same:
        raise InputError(
            f"{len(same)} of {len(validation)} questions that checkpoints are chosen by are asked in the test, first "
            f"{brief(same[0]['question'])} of database {same[0]['db_id']!r}: no choice may see them; name another data "
            "set as validate_on, or leave them out there"
        )
    names = {row["db_id"] for row in validation}
    shared = names & {row["db_id"] for row in test}
    if shared and not is_one_set:
        raise InputError(
            f"{len(shared)} of {len(names)} databases that checkpoints are chosen on are those of the test, first "
            f"{min(shared)!r}: name another data set as validate_on, or split one data set by database"
        )
    return ValidationQuestions(len(validation), len(names), len(shared))


def _question(row: Row) -> tuple[str, str]:
    return row["db_id"], folded(row["question"])
