"""How variants that were trained by reward went: their curves, and where the time of a step went."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from sqladder.report.charts import reward_curves
from sqladder.report.charts.reward_curves import by_reward
from sqladder.report.results import OneSeed
from sqladder.report.sections.one_file import on_one_file
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.times import timed
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import UNKNOWN, number

# Rows of the table: the first points of the curves, the last ones, and some between.
_STAGES = 5
_COLUMNS: Mapping[str, str] = {
    "reward": "reward",
    "right": "right",
    "runs": "only runs",
    "select": "wrong, one SELECT",
    "tokens": "tokens",
    "cut_off": "cut off",
    "entropy": "entropy",
    "kl": "KL to start",
    "equal": "groups all equal",
    "none_right": "none right",
}
_SHARES = frozenset({"right", "runs", "select", "cut_off", "equal", "none_right"})
_PARTS: Mapping[str, str] = {
    "generation_seconds": "generation",
    "judging_seconds": "judging",
    "training_seconds": "training",
    "waiting_seconds": "waiting",
}


def of_rewards(inputs: ReportInputs) -> str:
    """What is told of trainings by reward, in Markdown; there is one at least."""
    trained = by_reward(inputs.comparison)
    times = table(
        ["training", "seconds a step", *_PARTS.values()],
        [_time_row(own) for own in trained],
        "l" + "r" * (len(_PARTS) + 1),
    )
    return "\n\n".join(
        [
            "Trained by reward: at each step the model that is trained draws answers, they are executed, and those of "
            "one question are compared. An answer is *right* where its results are gold's on every file. Of a group "
            "whose rewards are all equal nothing is learned: too many say that the questions are too hard or too easy "
            "for the model. Entropy that falls to 0 says that it tries nothing new, lengths that grow without right "
            "answers that rewards are learned instead of SQL.",
            inputs.chart(reward_curves.CHART),
            *map(_of_training, trained),
            timed([f"Seconds of a step, and which share each part had:\n\n{times}"]),
        ]
    )


def _of_training(own: OneSeed) -> str:
    learning = own.training["learning"]
    curves = learning["curves"]
    named = {key: name for key, name in _COLUMNS.items() if key in curves}
    rows = [
        [_between(curves["step"], stage), *(_mean(curves[key], stage, key) for key in named)]
        for stage in _stages(len(curves["step"]))
    ]
    groups = learning["groups"]
    return (
        f"### {escape(own.label)}, from {escape(own.training['start_from'])}\n\n"
        f"{learning['samples']} answers to each of {learning['questions_a_step']} questions a step, at temperature "
        f"{learning['temperature']:g}. Of {number(groups)} groups {number(learning['groups_all_equal'])} were all "
        f"equal, and {number(learning['groups_none_right'])} had no right answer."
        f"{on_one_file(learning)}\n\n"
        + table(["steps", *named.values()], rows, "l" + "r" * len(named))
    )


def _stages(points: int) -> list[range]:
    """The points of each row of the table."""
    edges = [points * part // _STAGES for part in range(_STAGES + 1)]
    return [range(*pair) for pair in pairwise(edges) if pair[0] < pair[1]]


def _between(steps: Sequence[int], stage: range) -> str:
    begin = steps[stage[0] - 1] + 1 if stage[0] else 1
    return f"{begin} to {steps[stage[-1]]}"


def _mean(curve: Sequence[float | None], stage: range, key: str) -> str:
    known = [value for place in stage if (value := curve[place]) is not None]
    if not known:
        return UNKNOWN
    mean = sum(known) / len(known)
    if key in _SHARES:
        return f"{mean:.1%}"
    return f"{mean:.1f}" if key == "tokens" else f"{mean:.3f}"


def _time_row(own: OneSeed) -> list[str]:
    curves: Mapping[str, Any] = own.training["learning"]["curves"]
    whole = sum(curves["step_seconds"])
    shares = [f"{sum(curves[key]) / whole:.0%}" for key in _PARTS]
    return [escape(own.label), f"{whole / len(curves['step']):.2f}", *shares]
