"""The curves of a training by reward, as train.json keeps them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from sqladder.reinforcement.settings import Reinforcement
from sqladder.reinforcement.step_clock import PARTS

# Names in train.json, and what TRL's log or ours calls it.
CURVES: Mapping[str, str] = {
    "reward": "reward",
    "right": "rewards/right/mean",
    "runs": "rewards/runs/mean",
    "select": "rewards/select/mean",
    "tokens": "completions/mean_length",
    "cut_off": "completions/cut_off",
    "entropy": "entropy",
    "kl": "kl",
    "clipped": "clip_ratio/region_mean",
    "equal": "groups/equal",
    "none_right": "groups/none_right",
    "all_right": "groups/all_right",
    **{f"{part}_seconds": f"seconds/{part}" for part in (*PARTS, "waiting", "step")},
}


def reinforcement_facts(
    history: Sequence[Mapping[str, Any]],
    own: Reinforcement,
    at_once: int,
    drawings: int,
    judged_on: Mapping[str, int],
) -> dict[str, Any]:
    """What was learned from execution, by the form that other methods' facts have.

    Args:
        history: a Trainer's log, whole also after a kill.
        own: the settings.
        at_once: questions of a step.
        drawings: how often was drawn.
        judged_on: of an answer judge, how many databases there are.
    """
    points = [row for row in history if "loss" in row]
    curves = {
        name: [row.get(key) for row in points]
        for name, key in CURVES.items()
        if any(key in row for row in points)
    }
    groups = at_once * drawings
    mean_equal = _by_steps(points, CURVES["equal"])
    return {
        "method": "grpo",
        "rounds": [],
        "spent": [],
        "samples": own.samples,
        "temperature": own.temperature,
        "questions_a_step": at_once,
        **judged_on,
        "groups": groups,
        # Of these nothing is learned.
        "groups_all_equal": round(groups * mean_equal),
        "groups_none_right": round(groups * _by_steps(points, CURVES["none_right"])),
        "curves": {"step": [row["step"] for row in points], **curves},
    }


def _by_steps(points: Sequence[Mapping[str, Any]], key: str) -> float:
    """Mean of a curve over all steps: a point is the mean of those since the last one."""
    ends = [row["step"] for row in points]
    steps = [end - begin for begin, end in pairwise([0, *ends])]
    return sum(row[key] * own for row, own in zip(points, steps, strict=True)) / sum(steps)
