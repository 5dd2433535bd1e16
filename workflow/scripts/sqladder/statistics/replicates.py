"""Where the results of a variant and one of its seeds lie.

A variant with one seed has results/<variant>/; with several, results/<variant>/seed_<seed>/ for each. One such folder
with everything that was trained, generated and scored in it is a replicate, named by its path below results/.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqladder.files import Fields

METRICS_FIELDS: Fields = {"n": int, "accuracy": dict, "by_database": dict, "secondary": dict}
"""What every metrics.json has."""

_SEED_FOLDER = re.compile(r"seed_(\d+)")


class Replicate(NamedTuple):
    """A variant with one of its seeds; the seed of a variant's only folder is not told by its path (None)."""

    variant: str
    seed: int | None

    @property
    def name(self) -> str:
        """Its path below results/, which names its files, logs and jobs."""
        return self.variant if self.seed is None else f"{self.variant}/seed_{self.seed}"


def replicate_of(file: Path) -> Replicate:
    """Whose file it is, by the folder that it lies in."""
    folder = file.parent
    found = _SEED_FOLDER.fullmatch(folder.name)
    return Replicate(folder.parent.name, int(found[1])) if found else Replicate(folder.name, None)


def training_behind(replicate: str, asked: str | None, owners: Mapping[str, str]) -> str:
    """The replicate whose training is behind an answer: its own, or another's whose model it asks or has made smaller.

    Args:
        replicate: that answered.
        asked: whose model it asked, where that is known.
        owners: by replicate, the one whose model it takes.
    """
    model = asked or replicate
    while model in owners:
        model = owners[model]
    return model


def single_seed_varies(trainings: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a variant was trained here with a single seed, where another one would have given another model.

    Args:
        trainings: content of each seed's train.json, empty where there is none.
    """
    return len(trainings) == 1 and bool(trainings[0].get("steps"))


def is_seed_folder(name: str) -> bool:
    """Whether a folder of this name would be taken for that of a seed."""
    return bool(_SEED_FOLDER.fullmatch(name))
