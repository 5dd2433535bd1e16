"""The candidates of sweeps, each judged by validation questions, read with what the choice among them is worth."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sqladder.report.judged_models import JudgedModels, each_once, marks_of
from sqladder.report.results import OneSeed, Variant
from sqladder.statistics.groups import Groups
from sqladder.statistics.seeds import Answers
from sqladder.texts.settings_line import settings_line


@dataclass(frozen=True)
class JudgedCandidates(JudgedModels):
    """All candidates of one sweep that were trained, in its order.

    Attributes:
        labels: what each tried.
        answers: marks of the validation questions, shape (candidates, n).
        hours: of each training times its devices.
        groups: of the n questions.
        chosen: place of the one that is the variant's model.
        stopped: share of its training after which each was stopped for others, None for one trained to its end.
        left_out: what those tried that were not started, with the reason of each.
    """

    labels: Sequence[str]
    answers: Answers
    hours: Sequence[float]
    groups: Groups
    chosen: int
    stopped: Sequence[float | None]
    left_out: Sequence[tuple[str, str]] = ()

    @property
    def worst(self) -> int:
        """Place of the one with the fewest right answers."""
        return int(np.argmin(self.answers.sum(axis=1)))


def judged_candidates(training: Mapping[str, Any]) -> JudgedCandidates | None:
    """What a training's train.json says of the candidates that it was chosen among; None where there were none.

    Args:
        training: its content.
    """
    sweep = training.get("sweep")
    if sweep is None:
        return None
    rows = sweep["candidates"]
    return JudgedCandidates(
        [settings_line(row["swept"]) for row in rows],
        marks_of(rows),
        [row["device_hours"] for row in rows],
        Groups.of(training["validation"]["groups"]),
        sweep["chosen"],
        [row.get("stopped") for row in rows],
        [(settings_line(row["swept"]), row["reason"]) for row in sweep["left_out"]],
    )


def sweeps_of(replicates: Iterable[OneSeed]) -> list[tuple[OneSeed, JudgedCandidates]]:
    """The sweeps of a run, each once: a reused model has that of its own variant."""
    return each_once(replicates, judged_candidates)


def number_tried(variant: Variant) -> int:
    """Candidates that a variant's settings were chosen among; 1 where nothing was searched."""
    return max(
        len(own.training.get("sweep", {"candidates": [0]})["candidates"]) for own in variant.seeds
    )
