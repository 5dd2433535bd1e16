"""The choice among a sweep's candidates: the best one's model becomes the variant's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqladder.errors import LOG, InputError
from sqladder.models.folders import link_files, replacing_folder
from sqladder.texts.settings_line import settings_line
from sqladder.training.sweep_budget import device_hours
from sqladder.training.tried_candidates import LeftOut, TriedCandidate, best_candidate


def take_best(known: Sequence[TriedCandidate | LeftOut], output: Path) -> dict[str, Any]:
    """Link the best candidate's model as the variant's; return its facts with those of the choice.

    Args:
        known: all candidates, in the order of the sweep.
        output: folder of the variant's model.

    Raises:
        InputError: none was started, or they cannot be compared.
    """
    tried = [own for own in known if isinstance(own, TriedCandidate)]
    left_out = [own for own in known if isinstance(own, LeftOut)]
    if not tried:
        raise InputError(
            f"no candidate was started ({left_out[0].reason}); give the sweep more gpu_hours"
        )
    best = best_candidate(tried)
    with replacing_folder(output) as folder:
        link_files(best.folder / "model", folder)
    LOG.info(
        f"chose candidate {tried.index(best) + 1} of {len(tried)}, {best.right} of {len(best.correct)} right: "
        f"{settings_line(best.swept)}"
    )
    return {
        **best.facts,
        "swept": dict(best.swept),
        "sweep": {
            "chosen": tried.index(best),
            "candidates": [
                {
                    "folder": str(own.folder),
                    "swept": dict(own.swept),
                    "correct": own.correct,
                    "device_hours": round(device_hours(dict(own.facts)), 6),
                    **({} if own.stopped is None else {"stopped": own.stopped}),
                }
                for own in tried
            ],
            "left_out": [{"swept": dict(own.swept), "reason": own.reason} for own in left_out],
        },
    }
