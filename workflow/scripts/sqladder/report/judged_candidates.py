"""The candidates of sweeps, each judged by validation questions, read with what the choice among them is worth."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sqladder.report.results import OneSeed, Variant
from sqladder.statistics.groups import Groups
from sqladder.statistics.intervals import Interval
from sqladder.statistics.paired_difference import PairedDifference
from sqladder.statistics.seeds import Answers, accuracy_interval
from sqladder.texts.settings_line import settings_line


@dataclass(frozen=True)
class JudgedCandidates:
    """All candidates of one sweep that were trained, in its order.

    Attributes:
        labels: what each tried.
        answers: marks of the validation questions, shape (candidates, n).
        hours: of each training times its devices.
        groups: of the n questions.
        chosen: place of the one that is the variant's model.
        left_out: what those tried that were not started, with the reason of each.
    """

    labels: Sequence[str]
    answers: Answers
    hours: Sequence[float]
    groups: Groups
    chosen: int
    left_out: Sequence[tuple[str, str]] = ()

    @cached_property
    def rates(self) -> list[float]:
        """Share of right answers of each candidate."""
        return [float(own.mean()) for own in self.answers]

    def interval(self, place: int) -> Interval:
        """95 % interval of a candidate's share, for further questions on the same databases."""
        return accuracy_interval(self.answers[place : place + 1], self.groups)

    def behind(self, place: int) -> PairedDifference:
        """The chosen candidate's accuracy less another one's, paired by question."""
        best, own = self.answers[self.chosen], self.answers[place]
        return PairedDifference.of(best[None], own[None], self.groups)

    @property
    def worst(self) -> int:
        """Place of the one with the fewest right answers."""
        return int(np.argmin(self.answers.sum(axis=1)))

    @cached_property
    def equal(self) -> int:
        """Candidates not known to be worse than the chosen one, itself among them: unadjusted, so rather too few."""
        return sum(self.behind(place).p >= 0.05 for place in range(len(self.labels)))


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
        np.array([[mark == "1" for mark in row["correct"]] for row in rows]),
        [row["device_hours"] for row in rows],
        Groups.of(training["validation"]["groups"]),
        sweep["chosen"],
        [(settings_line(row["swept"]), row["reason"]) for row in sweep["left_out"]],
    )


def sweeps_of(replicates: Iterable[OneSeed]) -> list[tuple[OneSeed, JudgedCandidates]]:
    """The sweeps of a run, each once: a reused model has that of its own variant."""
    found = []
    for own in replicates:
        judged = None if "model_of" in own.training else judged_candidates(own.training)
        if judged:
            found.append((own, judged))
    return found


def number_tried(variant: Variant) -> int:
    """Candidates that a variant's settings were chosen among; 1 where nothing was searched."""
    return max(
        len(own.training.get("sweep", {"candidates": [0]})["candidates"]) for own in variant.seeds
    )
