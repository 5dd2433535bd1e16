"""Learning curves as the jobs of a run left them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqladder.errors import InputError
from sqladder.files import read_object
from sqladder.report.judged_models import marks_of
from sqladder.report.learning_curves import LearningCurve
from sqladder.statistics.groups import Groups


def read_curves(paths: Sequence[Path]) -> Mapping[str, LearningCurve]:
    """Read learning_curve.json of several variants.

    Raises:
        InputError: a file lacks a part, or its samples do not grow with their share.
    """
    found = {}
    for path in paths:
        content = read_object(path, {"variant": str, "groups": list, "sizes": list})
        sizes = content["sizes"]
        rows = [size["rows"] for size in sizes]
        if rows != sorted(set(rows)):
            raise InputError(
                f"{path}: its samples have {', '.join(map(str, rows))} rows, and each has to have more than the one "
                "before; give learning_curve.rows larger or fewer shares"
            )
        found[content["variant"]] = LearningCurve(
            content["variant"],
            rows,
            [marks_of(size["draws"]) for size in sizes],
            [sum(draw["device_hours"] for draw in size["draws"]) for size in sizes],
            Groups.of(content["groups"]),
        )
    return found
