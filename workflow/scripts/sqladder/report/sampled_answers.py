"""The samples that variants chose their answers among, read with what each of them would have been worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sqladder.errors import InputError
from sqladder.files import Row, by_id, read_jsonl
from sqladder.report.results import OneSeed, Run
from sqladder.statistics.replicates import replicate_of
from sqladder.statistics.sampling import Sampled, choice_at, pass_at, sizes


@dataclass(frozen=True)
class Samples:
    """What one variant drew with one seed.

    Attributes:
        questions: the samples of each question, in the order of the run.
        greedy_first: whether the first sample is the greedy answer.
        tokens: output tokens of all samples of a question, the mean over questions.
        starting: seconds from the generation's start to its file that do not grow with the samples; None if not known.
        generating: seconds that do.
    """

    questions: Sequence[Sampled]
    greedy_first: bool
    tokens: float
    starting: float | None
    generating: float

    @property
    def drawn(self) -> int:
        """Samples of a question."""
        return len(self.questions[0].correct)

    def choice(self, n: int) -> NDArray[np.float64]:
        """For each question how likely the choice among n samples is right."""
        return np.array([choice_at(each, n, self.greedy_first) for each in self.questions])

    def some(self, n: int) -> NDArray[np.float64]:
        """For each question how likely one of n samples is right (pass@n)."""
        return np.array([pass_at(each.correct, n, self.greedy_first) for each in self.questions])

    def seconds(self, n: int) -> float | None:
        """Seconds that n samples of each question take, from the start to the file; None if they are not known."""
        return None if self.starting is None else self.starting + self.generating * n / self.drawn

    def numbers(self) -> list[int]:
        """Numbers of samples to look at."""
        return sizes(self.drawn)


def sampled_answers(paths: Sequence[Path], run: Run) -> dict[str, list[Samples]]:
    """The samples of each variant that has some, a seed after the other.

    Args:
        paths: sample_verdicts.jsonl of each variant and seed.
        run: the run, whose predictions hold the samples.

    Raises:
        InputError: a file lacks a question of the run, or has other samples than the predictions.
    """
    files = {replicate_of(path): path for path in paths}
    found: dict[str, list[Samples]] = {}
    for own in run.replicates:
        if own.replicate in files:
            samples = _samples(own, files[own.replicate])
            found.setdefault(own.replicate.variant, []).append(samples)
    return found


def _samples(own: OneSeed, path: Path) -> Samples:
    verdicts = by_id(read_jsonl(path, {"id": str, "correct": list}), path)
    questions = [_sampled(row, verdicts, path) for row in own.predictions]
    tokens = [sum(s["output_tokens"] for s in row["samples"]) for row in own.predictions]
    decoding = own.generation.get("settings", {})
    seconds = own.generation.get("seconds")
    generating = own.generation.get("stages", {}).get("generation", 0.0)
    return Samples(
        questions,
        decoding.get("include_greedy", False),
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
