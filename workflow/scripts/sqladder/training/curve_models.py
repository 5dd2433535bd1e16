"""The models of a learning curve as their trainings leave them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqladder.errors import InputError
from sqladder.training.sweep_budget import device_hours
from sqladder.training.tried_candidates import LeftOut, read_candidate


class CurveModel(NamedTuple):
    """A model of a learning curve.

    Attributes:
        share: of the training rows that it saw.
        seed: of its rows and its training.
        facts: its train.json.
    """

    share: float
    seed: int
    facts: Path


def gather(models: Sequence[CurveModel]) -> dict[str, Any]:
    """Read what a curve is drawn from: of each share the rows, and of each seed the marks and cost.

    Raises:
        InputError: a model was not judged by validation questions, or two by different ones.
    """
    groups: list[Any] | None = None
    sizes: dict[float, dict[str, Any]] = {}
    for share, seed, path in models:
        read = read_candidate(path.parent, {})
        if isinstance(read, LeftOut):
            raise InputError(f"{path}: was not trained: {read.reason}")
        own = read.facts["validation"]["groups"]
        if groups not in (None, own):
            raise InputError(f"{path}: was judged by other validation questions; train it again")
        groups = own
        size = sizes.setdefault(share, {"share": share, "rows": read.facts["rows"], "draws": []})
        hours = round(device_hours(dict(read.facts)), 6)
        size["draws"].append({"seed": seed, "correct": read.correct, "device_hours": hours})
    return {"groups": groups, "sizes": [sizes[share] for share in sorted(sizes)]}
