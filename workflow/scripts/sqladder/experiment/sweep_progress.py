"""How far the sweeps of a run are, in a line for each: candidates done, the best so far, the time left."""

import time
from collections.abc import Sequence
from pathlib import Path

from sqladder.errors import InputError
from sqladder.experiment.halved_sweeps import halved, rungs_of
from sqladder.experiment.reading import Config
from sqladder.experiment.sweeps import Candidate, candidates, searching
from sqladder.texts.numbers import clock
from sqladder.texts.settings_line import settings_line
from sqladder.training.tried_candidates import TriedCandidate, best_candidate, read_candidate


class SweepProgress:
    """The sweep of a variant, as what its candidates leave tells of it.

    Args:
        variant: that searches.
        tried: its candidates.
        results: the folder of all results.
        rungs: that each has, 1 where all are trained to their end.
    """

    def __init__(
        self, variant: str, tried: Sequence[Candidate], results: Path, rungs: int = 1
    ) -> None:
        self._steps = [*(f"rung_{number}.json" for number in range(1, rungs)), "train.json"]
        self._variant, self._tried, self._results = variant, tried, results
        self._since: float | None = None
        self._before = 0
        self._names = {own.name for own in tried}

    def owns(self, replicate: str) -> bool:
        """Whether a job's replicate is one of the candidates."""
        return replicate in self._names

    def begin(self) -> None:
        """Start the clock, with the first candidate of this run."""
        if self._since is None:
            self._since, self._before = time.monotonic(), sum(self._counts())

    def line(self) -> str:
        """What is known of the sweep; "" before the first of its candidates was started in this run."""
        if self._since is None:
            return ""
        counts, number = self._counts(), len(self._tried)
        own = f"sweep of {self._variant}  "
        # Later ones may have files of those that were in the sweep when it had fewer.
        rung = next((place for place, n in enumerate(counts) if n < number), len(counts) - 1)
        if len(counts) > 1:
            own += f"rung {rung + 1} of {len(counts)}: "
        parts = [f"{own}{counts[rung]} of {number} candidates"]
        of_this_run, left = sum(counts) - self._before, number - sum(counts)
        # Rungs take times of their own.
        if of_this_run and left and len(counts) == 1:
            passed = time.monotonic() - self._since
            parts.append(f"about {clock(passed / of_this_run * left)} left")
        # Last, since a narrow terminal cuts the settings first.
        return "  ".join([*parts, *self._best()])

    def _counts(self) -> list[int]:
        """Candidates that are done with each rung."""
        return [
            sum((self._results / own.name / file).is_file() for own in self._tried)
            for file in self._steps
        ]

    def _best(self) -> list[str]:
        """The most right answers so far, and what gave them."""
        found = []
        for own in self._tried:
            folder = self._results / own.name
            left = [file for file in self._steps if (folder / file).is_file()]
            if left:
                found.append(read_candidate(folder, own.swept, left[-1]))
        tried = [own for own in found if isinstance(own, TriedCandidate)]
        known = [own for own in tried if own.stopped is None]
        try:
            best = best_candidate(known) if known else None
        except InputError:
            # Of another validation split; those of them are trained again in this run.
            best = None
        if best is None:
            return []
        return [f"best {best.right} of {len(best.correct)} right: {settings_line(best.swept)}"]


def sweeps_of_run(config: Config) -> list[SweepProgress]:
    """The sweeps that a config has."""
    results = Path("results")
    halving = halved(config)
    return [
        SweepProgress(
            name,
            candidates(config, name),
            results,
            len(rungs_of(config, name)) if name in halving else 1,
        )
        for name in searching(config)
    ]
