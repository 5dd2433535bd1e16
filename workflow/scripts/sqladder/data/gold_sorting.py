"""Which examples stay, by what became of their gold queries."""

from collections.abc import Mapping

from sqladder.data.gold_execution import DIALECT, FAILING, PROBLEMS, Check
from sqladder.errors import InputError
from sqladder.files import Row
from sqladder.metric.showing import brief


def action_of(status: str, actions: Mapping[str, str]) -> str:
    """What is done with gold of a status: in another dialect, it fails and is treated so."""
    return actions.get(FAILING if status == DIALECT else status, "keep")


def sort_out(
    examples: list[Row], checks: Mapping[str, Check], actions: Mapping[str, str]
) -> list[Row]:
    """The examples that stay.

    Args:
        examples: what was checked.
        checks: id -> check.
        actions: problem -> "keep", "drop" or "stop".

    Raises:
        InputError: a problem occurred whose action is to stop, or no example is left.
    """
    for problem in PROBLEMS:
        found = [row for row in examples if checks[row["id"]].status == problem]
        if found and action_of(problem, actions) == "stop":
            first, key = found[0], FAILING if problem == DIALECT else problem
            raise InputError(
                f"{len(found)} of {len(examples)} gold queries are {problem}, first that of {brief(first['id'])}: "
                f"{checks[first['id']].detail}; mend them, or set gold_problems.{key} to keep or drop"
            )
    kept = [row for row in examples if action_of(checks[row["id"]].status, actions) == "keep"]
    if not kept:
        raise InputError(f"none of {len(examples)} gold queries can be used: see the table of them")
    return kept
