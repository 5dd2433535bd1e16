"""Which candidates of a sweep go on after a rung of successive halving (training/rungs.py)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqladder.errors import LOG
from sqladder.files import read_object
from sqladder.training.tried_candidates import check_same_questions


def choose_rung(facts: Sequence[Path], keep: int, share: float) -> dict[str, Any]:
    """The candidates that go on: those with the most right answers so far, of equal ones the first.

    Args:
        facts: a file of each candidate that was in the sweep at its start, in its folder; those that were stopped or
            left out before are passed over.
        keep: how many go on.
        share: of the training, that the rung ends at.

    Raises:
        InputError: they answered different questions.
    """
    known = {path.parent: read_object(path) for path in facts}
    judged = {
        folder: own for folder, own in known.items() if not {"left_out", "stopped"} & set(own)
    }
    check_same_questions(list(judged.values()))
    right = {str(folder): _right(own) for folder, own in judged.items()}
    best = sorted(right, key=lambda folder: -right[folder])[:keep]
    LOG.info(
        f"after {100 * share:.3g} % of the training {len(best)} of {len(right)} candidates go on"
    )
    return {"after": share, "right": right, "go_on": [own for own in right if own in best]}


def _right(facts: dict[str, Any]) -> int:
    """Right answers of the best checkpoint so far."""
    return max(int(point["correct"].count("1")) for point in facts["validation"]["points"])
