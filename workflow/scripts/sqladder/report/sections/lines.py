"""Which training needed which other one's model, to start from or to draw answers, and what the whole line took."""

from collections.abc import Iterator, Mapping, Sequence

from sqladder.report.cost import device_seconds, line_seconds
from sqladder.report.results import OneSeed, Run
from sqladder.texts.numbers import seconds

_BASE = "base model"


def lines_part(run: Run) -> str:
    """The trainings as a tree; nothing where all of them needed the base alone."""
    trained = [own for own in run.replicates if own.training.get("steps")]
    own_trainings = [own for own in trained if "model_of" not in own.training]
    if not any(own.earlier for own in own_trainings):
        return ""
    started: dict[str, list[OneSeed]] = {}
    for own in own_trainings:
        started.setdefault(own.training.get("start_from", _BASE), []).append(own)
    drawn = "\n".join([_BASE, *_branches(_BASE, started, "")])
    return (
        "What was trained by what, as its start or by answers that it drew: each training's own time x devices, and "
        "where it\nneeded more than the base, that of its whole line, which the chart and the report's head count."
        f"\n\n```line\n{drawn}\n```"
    )


def _branches(start: str, started: Mapping[str, Sequence[OneSeed]], indent: str) -> Iterator[str]:
    branches = started.get(start, ())
    for place, own in enumerate(branches, start=1):
        is_last = place == len(branches)
        yield f"{indent}{'└─' if is_last else '├─'} {own.replicate.name}: {_times(own)}"
        yield from _branches(own.replicate.name, started, indent + ("   " if is_last else "│  "))


def _times(own: OneSeed) -> str:
    alone = seconds(device_seconds(own.training))
    return f"{alone}, whole line {seconds(line_seconds(own.line))}" if own.earlier else alone
