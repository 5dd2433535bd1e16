"""The rungs of sweeps with successive halving (`halving:`), as jobs of the workflow.

Which candidates go on is known when a rung has ended, but each has a job in every rung: one that was stopped only says
so. The plan of a run is thereby known before it (training/rungs.py has the method and its sources).
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from sqladder.experiment.flags import as_flags, named
from sqladder.experiment.reading import Config
from sqladder.experiment.sweeps import (
    FOLDER,
    Candidate,
    all_candidates,
    budget_flags,
    candidates,
    searching,
)
from sqladder.experiment.training_jobs import training_code
from sqladder.experiment.variants import setting


class SweepRung(NamedTuple):
    """A rung of a sweep.

    Attributes:
        number: from 1 on.
        until: share of the whole training that it ends at; 1 is the last one.
        keep: candidates that go on from it.
    """

    number: int
    until: float
    keep: int


def halved(config: Config) -> list[str]:
    """The variants whose sweep stops the worse candidates on the way."""
    return [name for name in searching(config) if "halving" in config["variants"][name]["sweep"]]


def rungs_of(config: Config, variant: str) -> list[SweepRung]:
    """The rungs of a variant's sweep: so many that the last has fewer candidates than would be parted once more.

    Each rung but the last keeps one of `factor` and ends at a share of the training that is `factor` times that of the
    one before, so that all rungs take about the same.
    """
    factor = config["variants"][variant]["sweep"]["halving"]["factor"]
    number = len(candidates(config, variant))
    parts = 0
    while factor ** (parts + 1) <= number:
        parts += 1
    return [
        SweepRung(place + 1, factor ** float(place - parts), number // factor ** (place + 1))
        for place in range(parts)
    ] + [SweepRung(parts + 1, 1.0, 1)]


def halved_candidates(config: Config) -> dict[str, Candidate]:
    """The candidates of sweeps with halving, by name."""
    wanted = halved(config)
    return {own.name: own for own in all_candidates(config) if own.variant in wanted}


def all_rungs(config: Config) -> list[str]:
    """The jobs of all rungs but the last: <candidate>.<number>, as their measurements are named."""
    return [
        f"{name}.{rung.number}"
        for name, own in halved_candidates(config).items()
        for rung in rungs_of(config, own.variant)[:-1]
    ]


def rung_facts(config: Config, variant: str, rung: str) -> list[str]:
    """The facts of each candidate at a rung's end, in the sweep's order."""
    return [f"results/{own.name}/rung_{rung}.json" for own in candidates(config, variant)]


def choice_flags_of_rung(config: Config, variant: str, rung: str) -> list[str]:
    """How many candidates go on from a rung."""
    own = rungs_of(config, variant)[int(rung) - 1]
    return as_flags({"keep": own.keep, "after": own.until})


def files_before(config: Config, replicate: str, rung: str | None = None) -> dict[str, str]:
    """What a candidate's job of a rung needs of the rung before, by flag; nothing in the first, and for others.

    Args:
        config: the experiment, with or without its trainings.
        replicate: the candidate.
        rung: its number, None for the last.
    """
    own = halved_candidates(config).get(replicate)
    if own is None:
        return {}
    before = (int(rung) if rung else len(rungs_of(config, own.variant))) - 1
    if before == 0:
        return {}
    return {
        "choice": f"results/{own.variant}/{FOLDER}/rung_{before}.json",
        "before": f"results/{replicate}/rung_{before}.json",
    }


def inputs_before(config: Config, replicate: str, rung: str | None = None) -> list[str]:
    """The same files as inputs."""
    return list(files_before(config, replicate, rung).values())


def rung_flags(
    config: Config, replicate: str, code: Mapping[str, str], rung: str | None = None
) -> list[str]:
    """How far a candidate is trained, if it goes on; [] for trainings that are not halved.

    Args:
        config: the experiment, with or without its trainings.
        replicate: the candidate.
        code: digests by program.
        rung: its number, None for the last.
    """
    own = halved_candidates(config).get(replicate)
    if own is None:
        return []
    rungs = rungs_of(config, own.variant)
    until = rungs[int(rung) - 1 if rung else -1].until
    made_by = ".".join(training_code(config, replicate, code))
    files = named(files_before(config, replicate, rung))
    return as_flags({"until": until, "made_by": made_by, **files})


def shared_hours(config: Config, replicate: str, rung: str | None = None) -> list[str]:
    """The hours that a candidate shares with the others, before its training or its first rung; [] for others.

    Rungs after the first ask nobody: what all of them take is kept from the candidates that start.
    """
    own = halved_candidates(config).get(replicate)
    if own is None:
        return budget_flags(config, replicate)
    if rung != "1" or not (hours := budget_flags(config, replicate)):
        return []
    rungs = rungs_of(config, own.variant)
    epochs = own.swept.get("epochs", setting(config, own.variant, "training")["epochs"])
    later = sum(before.keep * (rung.until - before.until) for before, rung in pairwise(rungs))
    return [*hours, *as_flags({"later_epochs": round(epochs * later, 6)})]
