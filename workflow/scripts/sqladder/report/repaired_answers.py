"""What variants would have answered if nothing that failed had been asked again."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sqladder.errors import InputError
from sqladder.files import by_id, read_jsonl
from sqladder.metric.showing import brief
from sqladder.report.results import OneSeed, Run
from sqladder.statistics.replicates import replicate_of
from sqladder.statistics.seeds import Answers, Marks


def unrepaired_answers(paths: Sequence[Path], run: Run) -> dict[str, Answers]:
    """Which first answers are right, of each variant that asks again what failed.

    Args:
        paths: unrepaired_verdicts.jsonl of each variant and seed.
        run: the run.

    Returns:
        Marks by variant, shape (seeds, questions), seeds and questions in the order of the run.

    Raises:
        InputError: a file lacks a question of the run.
    """
    files = {replicate_of(path): path for path in paths}
    found: dict[str, list[Marks]] = {}
    for own in run.replicates:
        if own.replicate in files:
            marks = _marks(own, files[own.replicate])
            found.setdefault(own.replicate.variant, []).append(marks)
    return {name: np.array(marks) for name, marks in found.items()}


def _marks(own: OneSeed, path: Path) -> Marks:
    verdicts = by_id(read_jsonl(path, {"id": str, "correct": bool}), path)
    lacking = [row["id"] for row in own.predictions if row["id"] not in verdicts]
    if lacking:
        raise InputError(
            f"{path} has no verdict of question {brief(lacking[0])}: score this variant's first answers again"
        )
    return np.array([verdicts[row["id"]]["correct"] for row in own.predictions])
