"""The training of a candidate for a rung of successive halving (training/rungs.py).

What was trained stays in the candidate's work folder, the whole model too: whether a candidate goes on hangs on the
others, and when one joins them, none takes a step twice.
"""

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from sqladder.errors import LOG
from sqladder.files import read_object
from sqladder.models.folders import link_files, replacing_folder
from sqladder.training.launch import TrainingFiles, fine_tune
from sqladder.training.rungs import share_trained
from sqladder.training.settings import TrainingSettings

# In the work folder.
WHOLE_MODEL = "whole_model"


class Rung(NamedTuple):
    """A rung as a candidate's job knows it.

    Attributes:
        until: share of the steps that it ends at; 1 is the last one.
        choice: who goes on from the rung before, None in the first.
        before: the candidate's facts of the rung before, None in the first.
        made_by: digest of the code that trains; what other code has trained is not gone on from.
    """

    until: float
    choice: Path | None
    before: Path | None
    made_by: str


def add_rung_flags(parser: ArgumentParser) -> None:
    """Let a program be told which rung it trains a candidate for; without --until it is none."""
    parser.add_argument("--until", type=float, help="train a candidate for this share of its steps")
    parser.add_argument("--choice", type=Path, help="who goes on from the rung before, for --until")
    parser.add_argument("--before", type=Path, help="own facts of the rung before, for --until")
    parser.add_argument("--made-by", default="", help="digest of the code, for --until")


def rung_of(args: Namespace) -> Rung:
    """The rung that a program was told."""
    return Rung(args.until, args.choice, args.before, args.made_by)


def train_rung(settings: TrainingSettings, files: TrainingFiles, rung: Rung) -> dict[str, Any]:
    """Train a candidate as far as a rung goes, if it is one of those that go on; return its facts.

    The last rung also gives the model: an empty folder of one that was stopped.

    Args:
        settings: of the whole training.
        files: of the candidate; its work folder lies in the folder that choices name.
        rung: which.
    """
    if rung.choice is not None and rung.before is not None:
        earlier = read_object(rung.before)
        if str(files.work_folder.parent) not in read_object(rung.choice)["go_on"]:
            if rung.until == 1:
                with replacing_folder(files.output):
                    pass
            LOG.info("stopped: others had more right answers, or it was not started")
            return (
                earlier if "left_out" in earlier else {"stopped": share_trained(earlier), **earlier}
            )
    model = files.work_folder / WHOLE_MODEL
    own = replace(files, output=model, until=rung.until, more={"made_by": rung.made_by})
    facts = fine_tune(settings, own)
    if rung.until == 1:
        with replacing_folder(files.output) as folder:
            link_files(model, folder)
    return facts
