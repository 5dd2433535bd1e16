"""Trainings that are compared on their way: how far a rung of successive halving goes, and what is known there.

All candidates are trained for a share of the steps, the best part of them goes on, and so on until the last rung, which
is the whole training (Jamieson & Talwalkar, 2016, arXiv:1502.07943; a bracket of Hyperband, Li et al., 2018,
arXiv:1603.06560). The schedule of the learning rate is that of the whole training from the first step on.
"""

import math
from pathlib import Path
from typing import Any

from sqladder.files import read_json

# In the work folder: the facts of a training as far as it was taken, a whole one's too.
TRAINED_FILE = "trained.json"


def rung_step(steps: int, between: int, share: float) -> int:
    """The step that a rung ends at: the first checkpoint that is judged with at least its share of the steps.

    Args:
        steps: of the whole training.
        between: steps between two checkpoints.
        share: of the steps.
    """
    return min(steps, between * max(1, math.ceil(share * steps / between - 1e-9)))


def facts_at(facts: dict[str, Any], share: float) -> dict[str, Any] | None:
    """The facts of a training with the marks that it had at a rung's end; None if it has not come so far.

    Time and cost stay those of all that was trained.

    Args:
        facts: as far as it was taken.
        share: of the steps, of the rung.
    """
    validation = facts["validation"]
    end = rung_step(facts["planned_steps"], facts["checkpoint_steps"], share)
    if validation["points"][-1]["step"] < end:
        return None
    points = [point for point in validation["points"] if point["step"] <= end]
    best = max(points, key=lambda point: (point["correct"].count("1"), -point["step"]))
    return {**facts, "validation": {**validation, "points": points, "chosen": best["step"]}}


def share_trained(facts: dict[str, Any]) -> float:
    """Share of the steps of a training that its marks go to: a rung ends at a checkpoint, so rather later than planned.

    Args:
        facts: at a rung's end.
    """
    return float(round(facts["validation"]["points"][-1]["step"] / facts["planned_steps"], 4))


def known_facts(work_folder: Path, share: float) -> dict[str, Any] | None:
    """The same of what lies in a work folder; None where something is to be trained."""
    path = work_folder / TRAINED_FILE
    return facts_at(read_json(path), share) if path.is_file() else None
