"""The samples that variants chose their answers among, read with what each of them would have been worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqladder.errors import InputError
from sqladder.files import Row, by_id, read_jsonl
from sqladder.statistics.groups import Groups
from sqladder.statistics.intervals import Interval
from sqladder.statistics.sampling import Sampled, choice_at, pass_at, sizes
from sqladder.statistics.seeds import accuracy_interval


@dataclass(frozen=True)
class Samples:
    """What one variant drew with one seed, and what 1, 2, 4, ... of it, and all, would have given.

    Attributes:
        drawn: samples of a question.
        choice: by number of samples, for each question how likely the choice among so many is right.
        some: by number of samples, for each question how likely one of so many is right (pass@n).
        tokens: output tokens of all samples of a question, the mean over questions.
        starting: seconds of all devices, from the generation's start to its file, that do not grow with the samples;
            None if not known.
        generating: seconds of all devices that do.
    """

    drawn: int
    choice: Mapping[int, NDArray[np.float64]]
    some: Mapping[int, NDArray[np.float64]]
    tokens: float
    starting: float | None
    generating: float

    def seconds(self, n: int) -> float | None:
        """Seconds of all devices that n samples of each question take, from start to file; None if not known."""
        return None if self.starting is None else self.starting + self.generating * n / self.drawn


@dataclass(frozen=True)
class Fewer:
    """What n of a variant's samples would have given, as a mean over seeds.

    Attributes:
        n: samples of a question.
        choice: accuracy of the choice among them, over all questions.
        interval: its 95 % interval, for further questions on these databases.
        some: share of questions with a right one among them (pass@n).
        tokens: output tokens of a question.
        seconds: of all devices from the generation's start to its file; None if not known.
    """

    n: int
    choice: float
    interval: Interval
    some: float
    tokens: float
    seconds: float | None


def fewer_samples(seeds: Sequence[Samples], groups: Groups) -> list[Fewer]:
    """What 1, 2, 4, ... samples would have given, and all.

    Args:
        seeds: what a variant drew with each seed.
        groups: of the questions.
    """
    found = []
    for n in seeds[0].choice:
        choice = np.array([own.choice[n] for own in seeds])
        known = [taken for own in seeds if (taken := own.seconds(n)) is not None]
        point = Fewer(
            n,
            float(choice.mean()),
            accuracy_interval(choice, groups),
            float(np.mean([own.some[n] for own in seeds])),
            float(np.mean([own.tokens * n / own.drawn for own in seeds])),
            float(np.mean(known)) if known else None,
        )
        found.append(point)
    return found


def answering_seconds(generation: Mapping[str, Any]) -> float | None:
    """Seconds of all devices, or of a server's client, from a generation's start to its file; None if not known."""
    taken = generation.get("seconds")
    return None if taken is None else taken * generation.get("gpus", 1)


def read_samples(path: Path, predictions: Sequence[Row], generation: Mapping[str, Any]) -> Samples:
    """What a variant drew with one seed, and which of it is right.

    Args:
        path: its sample_verdicts.jsonl.
        predictions: its answers with their samples, in the order of the run.
        generation: the facts of its generation.json.

    Raises:
        InputError: the file lacks a question of the run, or has other samples than the predictions.
    """
    verdicts = by_id(read_jsonl(path, {"id": str, "correct": list}), path)
    questions = [_sampled(row, verdicts, path) for row in predictions]
    tokens = [sum(s["output_tokens"] for s in row["samples"]) for row in predictions]
    greedy_first = generation.get("settings", {}).get("include_greedy", False)
    seconds = answering_seconds(generation)
    generating = generation.get("stages", {}).get("generation", 0.0) * generation.get("gpus", 1)
    drawn = len(questions[0].correct)
    return Samples(
        drawn,
        {n: np.array([choice_at(q, n, greedy_first) for q in questions]) for n in sizes(drawn)},
        {
            n: np.array([pass_at(q.correct, n, greedy_first) for q in questions])
            for n in sizes(drawn)
        },
        float(np.mean(tokens)),
        None if seconds is None else seconds - generating,
        generating,
    )


def _sampled(row: Row, verdicts: Mapping[str, Row], path: Path) -> Sampled:
    samples, key = row["samples"], row["id"]
    correct = verdicts[key]["correct"] if key in verdicts else []
    if len(correct) != len(samples):
        raise InputError(
            f"{path}: question {key!r} has verdicts of {len(correct)} samples, but {len(samples)} were drawn: score "
            "the samples of this variant again"
        )
    groups = None
    if all("group" in sample for sample in samples):
        groups = np.array([-1 if s["group"] is None else s["group"] for s in samples])
    likelihood = np.array([sample["log_probability"] for sample in samples])
    return Sampled(np.array(correct, dtype=bool), likelihood, groups)
