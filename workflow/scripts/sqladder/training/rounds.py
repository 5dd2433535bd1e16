"""What is known of a round of learning from execution: what was learned, and what it took."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from sqladder.errors import LOG
from sqladder.metric.database_files import suite_files

Facts = dict[str, Any]


def of_one_file(databases: Path, db_ids: Collection[str]) -> int:
    """How many of some databases have no suite: an answer that is right there by accident counts as right.

    Args:
        databases: folder of <db_id>/<db_id>.sqlite, or of <db_id>.sqlite.
        db_ids: their names.

    Raises:
        InputError: one of them is missing.
    """
    return sum(len(suite_files(databases, db_id)) == 1 for db_id in db_ids)


def say_of_one_file(judged_on: Mapping[str, int]) -> None:
    """Say on screen where answers were judged without a suite: `databases` and `databases_of_one_file`."""
    if alone := judged_on["databases_of_one_file"]:
        LOG.info(
            f"{alone} of {judged_on['databases']} databases have one file: answers that are right there by accident "
            "count as right; datasets.<name>.suite of the training set makes others"
        )


def round_facts(
    method: str,
    counts: Mapping[str, Any],
    drawn: Mapping[str, Any],
    judged: Mapping[str, Any],
    before: Mapping[str, Any] | None,
) -> Facts:
    """The facts of a round with those of the rounds before it.

    Args:
        method: of learning.
        counts: what could be done before and what is learned, by hardness.
        drawn: facts of the generation.
        judged: facts of the judging.
        before: train.json of the round before, None in the first.
    """
    earlier = before["learning"] if before else {"rounds": [], "spent": []}
    number = len(earlier["rounds"]) + 1
    own = {
        "samples": drawn["settings"]["samples"],
        "temperature": drawn["settings"]["temperature"],
        "different": judged["different"],
        "judging_seconds": judged["seconds"],
        "databases": judged["databases"],
        "databases_of_one_file": judged["databases_of_one_file"],
        "levels": counts,
    }
    spent = [_spent(f"training of round {number - 1}", before)] if before else []
    spent.append(_spent(f"drawing of round {number}", drawn))
    return {
        "method": method,
        "rounds": [*earlier["rounds"], own],
        "spent": [*earlier["spent"], *spent],
    }


def _spent(what: str, facts: Mapping[str, Any]) -> Facts:
    devices = facts.get("gpus", 1) * facts.get("nodes", 1)
    return {"what": what, "seconds": facts["seconds"], "devices": devices}
