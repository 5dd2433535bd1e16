"""The candidates of sweeps, each judged by validation questions, read with what the choice among them is worth."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sqladder.report.judged_models import JudgedModels, each_once, marks_of
from sqladder.report.results import OneSeed, Variant
from sqladder.statistics.groups import Groups
from sqladder.statistics.paired_difference import PairedDifference
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
        chosen_then: marks of the chosen one as far as each was trained, shape (candidates, n): of its best checkpoint
            until the share at which that one was stopped.
        left_out: what those tried that were not started, with the reason of each.
        scales: how much the update of adapters is scaled at each rank that was tried, by rank, lowest first, where the
            same alpha went with all ranks; empty where that did not change with the rank.
        alpha: that alpha; None without such scales.
    """

    labels: Sequence[str]
    answers: Answers
    hours: Sequence[float]
    groups: Groups
    chosen: int
    stopped: Sequence[float | None]
    chosen_then: Answers
    left_out: Sequence[tuple[str, str]] = ()
    scales: Mapping[int, float] = field(default_factory=dict)
    alpha: int | None = None

    def behind(self, place: int) -> PairedDifference:
        """The chosen candidate's accuracy less another one's after as much training, paired by question."""
        return PairedDifference.of(
            self.chosen_then[place][None], self.answers[place][None], self.groups
        )

    @property
    def worst(self) -> int:
        """Place of the one that is furthest behind the chosen one."""
        return int(np.argmax(self.chosen_then.sum(axis=1) - self.answers.sum(axis=1)))


def judged_candidates(training: Mapping[str, Any]) -> JudgedCandidates | None:
    """What a training's train.json says of the candidates that it was chosen among; None where there were none.

    Args:
        training: its content.
    """
    sweep = training.get("sweep")
    if sweep is None:
        return None
    rows = sweep["candidates"]
    stopped = [row.get("stopped") for row in rows]
    scales, alpha = _scales(training["settings"], [row["swept"] for row in rows])
    return JudgedCandidates(
        [settings_line(row["swept"]) for row in rows],
        marks_of(rows),
        [row["device_hours"] for row in rows],
        Groups.of(training["validation"]["groups"]),
        sweep["chosen"],
        stopped,
        marks_of([_until(training, share) or rows[sweep["chosen"]] for share in stopped]),
        [(settings_line(row["swept"]), row["reason"]) for row in sweep["left_out"]],
        scales,
        alpha,
    )


def _scales(
    chosen: Mapping[str, Any], tried: Sequence[Mapping[str, Any]]
) -> tuple[dict[int, float], int | None]:
    """Scales by rank, and the alpha of all (JudgedCandidates): W + alpha / rank * B A, Hu et al., 2021.

    rsLoRA has another scale, made for ranks to be compared.
    """
    ranks = {row["rank"] for row in tried if "rank" in row}
    together = any("alpha" in row or "rslora" in row for row in tried)
    if len(ranks) < 2 or together or chosen["rslora"]:
        return {}, None
    return {rank: chosen["alpha"] / rank for rank in sorted(ranks)}, chosen["alpha"]


def _until(training: Mapping[str, Any], share: float | None) -> Mapping[str, Any] | None:
    """The best checkpoint of a training until a share of it, of equal ones the first; None for the whole of it."""
    if share is None:
        return None
    # A share is one of whole steps; half a step is more than its rounding.
    last = share * training["steps"] + 0.5
    points = [point for point in training["validation"]["points"] if point["step"] <= last]
    return max(points, key=lambda point: point["correct"].count("1"))


def sweeps_of(replicates: Iterable[OneSeed]) -> list[tuple[OneSeed, JudgedCandidates]]:
    """The sweeps of a run, each once: a reused model has that of its own variant."""
    return each_once(replicates, judged_candidates)


def number_tried(variant: Variant) -> int:
    """Candidates that a variant's settings were chosen among; 1 where nothing was searched."""
    return max(
        len(own.training.get("sweep", {"candidates": [0]})["candidates"]) for own in variant.seeds
    )
