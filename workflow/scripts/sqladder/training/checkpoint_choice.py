"""Checkpoints that are judged as they are saved: which of them goes on, and when none of them gets better any more.

Who judges is another program (workflow/scripts/judge_checkpoints.py), so that a training depends on the code of
generation and metric only where it asks for that. It says once what it judges by, as a line of JSON; from then on it
reads the folder of a checkpoint from each line and answers with the marks of all questions.
"""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import TrainerCallback

from sqladder.errors import LOG
from sqladder.files import read_json, write_json
from sqladder.training.checkpoints import CURVE_FILE
from sqladder.training.program_beside import ProgramBeside
from sqladder.training.settings import TrainingSettings
from sqladder.training.watch import TrainingWatch, checkpoint_folder

# Beside the work folder's own, which go with the training.
KEPT_FOLDER = "checkpoints"
# What only a training needs of a checkpoint.
_OF_TRAINING = ("optimizer", "scheduler", "rng_state", "global_step", "trainer_state", "scaler")


class TrainingOverError(Exception):
    """A training that goes on from its last checkpoint has nothing to do: no step may be taken."""


class Point(NamedTuple):
    """A checkpoint that was judged.

    Attributes:
        step: of the optimizer, after which it was saved.
        epoch: passes over the rows by then.
        loss: the training's last one before it.
        correct: a mark of each question, "1" where its answer is right.
        seconds: that the judge took.
    """

    step: int
    epoch: float
    loss: float | None
    correct: str
    seconds: float

    @property
    def right(self) -> int:
        """Number of right answers."""
        return self.correct.count("1")


def best_of(points: Sequence[Point]) -> Point:
    """The checkpoint with the most right answers; of equal ones the earliest."""
    return max(points, key=lambda point: (point.right, -point.step))


def is_over(points: Sequence[Point], patience: int | None) -> bool:
    """Whether so many checkpoints since the best one were no better than it."""
    if patience is None or not points:
        return False
    best = best_of(points)
    return sum(point.step > best.step for point in points) >= patience


class CheckpointJudge:
    """The program that judges, beside the training.

    Args:
        command: the program, by its name among those of the rules or by its path, and its flags.

    Raises:
        InputError: the python that the environment names for it is none.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._program = ProgramBeside(command, "judges checkpoints")

    def about(self) -> dict[str, Any]:
        """What it judges by, as JSON; waits until that is loaded."""
        return json.loads(self._program.read())

    def judge(self, checkpoint: Path) -> str:
        """The marks of all questions, "1" where the checkpoint's answer is right."""
        return self._program.ask(str(checkpoint)).strip()

    def close(self) -> None:
        """End it."""
        self._program.close()


class Validation(TrainerCallback):
    """Judges the checkpoints of a Hugging Face Trainer, in its first process; the others wait.

    Args:
        settings: of the training.
        judge: judges; None in a process that is not the first.
        watch: of the same training; it comes before this one among the Trainer's callbacks.
        work_folder: of the training.
        epochs: passes over the rows that the Trainer counts as one.
        pause: the step after whose checkpoint the training pauses; None if it does not.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        judge: CheckpointJudge | None,
        watch: TrainingWatch,
        work_folder: Path,
        epochs: float = 1.0,
        pause: int | None = None,
    ) -> None:
        self._pause = pause
        self._patience = settings.stop_early.patience if settings.stop_early else None
        self._keeps = settings.keep_checkpoints
        self._judge, self._watch, self._work_folder = judge, watch, work_folder
        self._epochs = epochs
        self._points: list[Point] = []
        self._about: dict[str, Any] = {}

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Take up what an earlier attempt judged.

        Raises:
            InputError: the judge cannot work.
            TrainingOverError: the earlier attempt had come to its end, or to the pause.
        """
        if self._judge:
            self._about = self._judge.about()
            curve = self._work_folder / CURVE_FILE
            known = [Point(*row) for row in read_json(curve)] if curve.is_file() else []
            # What was judged after the checkpoint that the training goes on from comes again.
            self._points = [point for point in known if point.step <= state.global_step]
        if state.global_step and not self._all_know(self._has_judged(state.global_step)):
            self._look(args, state)
        self._choose(args, state)
        if state.global_step and self._ends_at(state.global_step):
            self._watch.on_train_end(args, state, control)
            raise TrainingOverError

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Judge the checkpoint, and end the training where patience is."""
        self._look(args, state)
        self._choose(args, state)
        if self._ends_at(state.global_step):
            control.should_training_stop = True

    @property
    def chosen(self) -> Point:
        """The checkpoint that goes on."""
        return best_of(self._points)

    def finish(self) -> dict[str, Any]:
        """End the judge, and return the facts of the choice."""
        if self._judge:
            self._judge.close()
        stopped = is_over(self._points, self._patience)
        chosen = self.chosen
        is_best = "the best so far" if self._pause else "the model"
        LOG.info(
            f"validation: {is_best} is that after step {chosen.step} of {self._points[-1].step}, {chosen.right} of "
            f"{len(chosen.correct)} right{'; stopped early' if stopped else ''}"
        )
        return {
            **self._about,
            "points": [point._asdict() for point in self._points],
            "chosen": chosen.step,
            "stopped_early": stopped,
            "seconds": round(sum(point.seconds for point in self._points), 2),
        }

    def _ends_at(self, step: int) -> bool:
        """Whether no step comes after this one: patience is over, or the training pauses."""
        is_paused = self._pause is not None and step >= self._pause
        return self._all_know(is_over(self._points, self._patience)) or is_paused

    def _has_judged(self, step: int) -> bool:
        return any(point.step == step for point in self._points)

    def _look(self, args: Any, state: Any) -> None:
        began = time.monotonic()
        if self._judge:
            self._points.append(self._judged(self._judge, checkpoint_folder(args, state), state))
            write_json(self._work_folder / CURVE_FILE, self._points)
        # The others wait for the first, which asks the disk and the GPU for much.
        self._all_know(True)
        self._watch.leave_out(time.monotonic() - began)

    def _judged(self, judge: CheckpointJudge, checkpoint: Path, state: Any) -> Point:
        if torch.cuda.is_available():
            # The judge computes on the same GPU, if there is one only.
            torch.cuda.empty_cache()
        began = time.monotonic()
        correct = judge.judge(checkpoint)
        losses = [row["loss"] for row in state.log_history if "loss" in row]
        point = Point(
            state.global_step,
            round(state.epoch * self._epochs, 4),
            losses[-1] if losses else None,
            correct,
            round(time.monotonic() - began, 3),
        )
        LOG.info(
            f"validation: {point.right} of {len(correct)} right after step {point.step} "
            f"(epoch {point.epoch:.2f})"
        )
        if self._keeps:
            keep_weights(checkpoint, self._work_folder / KEPT_FOLDER / f"step_{point.step}")
        return point

    def _choose(self, args: Any, state: Any) -> None:
        """Have the Trainer leave the best checkpoint where it removes others."""
        if self._points:
            state.best_model_checkpoint = str(
                Path(args.output_dir) / f"checkpoint-{self.chosen.step}"
            )

    def _all_know(self, answer: bool) -> bool:
        """What the first process says, in every process."""
        if not torch.distributed.is_initialized():
            return answer
        device = "cuda" if torch.cuda.is_available() else "cpu"
        said = torch.tensor(int(answer), device=device)
        torch.distributed.broadcast(said, src=0)
        return bool(said.item())


def keep_weights(checkpoint: Path, folder: Path) -> None:
    """Keep what a checkpoint needs to answer, without a copy of its bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in checkpoint.iterdir():
        if file.is_file() and not file.name.startswith(_OF_TRAINING):
            (folder / file.name).unlink(missing_ok=True)
            os.link(file, folder / file.name)
