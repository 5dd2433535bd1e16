"""What shows trainings to a team: TensorBoard, MLflow, Weights & Biases, Trackio, each through its own library.

All work without a network unless the environment says otherwise, by the variables that each library documents. A
library is imported when its tracker is made, since none is needed.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from sqladder.training.tracked_run import Measurement, TrackedRun
from sqladder.training.wandb_files import read_history

TrackerName = Literal["tensorboard", "mlflow", "wandb", "trackio"]

PROJECT = "sqladder"
# By it MLflow, which gives its runs numbers of its own, finds a run again.
_TAG = "sqladder.run"
# MLflow cuts nothing, and refuses longer ones.
_LONGEST_PARAMETER = 6000
# What libraries tell their makers, and how long they try a server that is gone; the user's own values hold.
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "WANDB_ERROR_REPORTING": "false",
    "WANDB_FINISH_TIMEOUT": "60",
    "WANDB_FINISH_TIMEOUT_RAISES": "true",
}


class Tracker(Protocol):
    """One place where runs are shown.

    Attributes:
        destination: where it is, in words.
    """

    destination: str

    def send(self, run: TrackedRun, measured: Sequence[Measurement]) -> None:
        """Add to a run, which is made if it is not there."""

    def close(self, run: TrackedRun) -> None:
        """Write out what is still on its way, and leave the run."""

    def kept(self, run: TrackedRun) -> Mapping[str, int] | None:
        """The last step of each part that is there after a process was killed; None: all that was sent is."""


class TensorBoard:
    """Event files, a folder for each run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "tensorboard"
        self.destination = str(self._folder)
        self._writers: dict[str, Any] = {}

    def send(self, run: TrackedRun, measured: Sequence[Measurement]) -> None:
        """Append to the run's event files."""
        from tensorboard.summary import Writer

        if run.id not in self._writers:
            self._writers[run.id] = Writer(str(self._folder / run.name / run.id))
        writer = self._writers[run.id]
        for own in measured:
            for key, value in own.values.items():
                writer.add_scalar(key, value, own.step, wall_time=own.time)
        writer.flush()

    def close(self, run: TrackedRun) -> None:
        """Close the run's event file."""
        if run.id in self._writers:
            self._writers.pop(run.id).close()

    def kept(self, run: TrackedRun) -> None:
        """Each sending is written out."""


class MLflow:
    """A server, or a SQLite file where MLFLOW_TRACKING_URI names none."""

    def __init__(self, folder: Path) -> None:
        from mlflow import MlflowClient

        database = folder.absolute() / "mlflow.db"
        folder.mkdir(parents=True, exist_ok=True)
        self.destination = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{database}"
        self._files = None if "MLFLOW_TRACKING_URI" in os.environ else folder / "mlflow"
        self._client = MlflowClient(self.destination)
        self._runs: dict[str, str] = {}

    def send(self, run: TrackedRun, measured: Sequence[Measurement]) -> None:
        """Log to the run with this id among its tags."""
        from mlflow.entities import Metric

        number = self._number(run)
        for own in measured:
            metrics = [
                Metric(key, value, round(own.time * 1000), own.step)
                for key, value in own.values.items()
            ]
            self._client.log_batch(number, metrics=metrics)

    def close(self, run: TrackedRun) -> None:
        """Mark the run as finished."""
        if run.id in self._runs:
            self._client.set_terminated(self._runs.pop(run.id))

    def kept(self, run: TrackedRun) -> None:
        """The server has answered to each sending."""

    def _number(self, run: TrackedRun) -> str:
        if run.id not in self._runs:
            experiment = self._experiment()
            found = self._client.search_runs([experiment], f"tags.`{_TAG}` = '{run.id}'")
            number = found[0].info.run_id if found else self._create(run, experiment)
            self._client.update_run(number, status="RUNNING")
            self._runs[run.id] = number
        return self._runs[run.id]

    def _experiment(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        known = self._client.get_experiment_by_name(name)
        if known:
            return str(known.experiment_id)
        files = self._files.absolute().as_uri() if self._files else None
        return str(self._client.create_experiment(name, artifact_location=files))

    def _create(self, run: TrackedRun, experiment: str) -> str:
        from mlflow.entities import Param

        made = self._client.create_run(experiment, run_name=run.name, tags={_TAG: run.id})
        params = [
            Param(key, value[:_LONGEST_PARAMETER]) for key, value in run.settings.items() if value
        ]
        self._client.log_batch(made.info.run_id, params=params)
        return str(made.info.run_id)


class WeightsAndBiases:
    """Files for `wandb sync`, or the server where WANDB_MODE is online."""

    def __init__(self, folder: Path) -> None:
        self._mode = os.environ.get("WANDB_MODE", "offline")
        self._folder = Path(os.environ.get("WANDB_DIR", folder))
        self.destination = f"{self._folder / 'wandb'} ({self._mode})"
        self._runs: dict[str, Any] = {}

    def send(self, run: TrackedRun, measured: Sequence[Measurement]) -> None:
        """Log to the run of this id; further files of an id are parts of one run to wandb."""
        if run.id not in self._runs:
            self._runs[run.id] = self._begin(run)
        for own in measured:
            self._runs[run.id].log({**own.values, "step": own.step, "_timestamp": own.time})

    def close(self, run: TrackedRun) -> None:
        """Finish the run's files."""
        if run.id in self._runs:
            self._runs.pop(run.id).finish()

    def kept(self, run: TrackedRun) -> Mapping[str, int]:
        """Read from the run's files, which are written every 15 seconds."""
        paths = self._folder.glob(f"wandb/*run-*-{run.id}/*.wandb")
        rows = [row for path in paths for row in read_history(path)]
        return _last_steps((row["step"], row) for row in rows if "step" in row)

    def _begin(self, run: TrackedRun) -> Any:
        import wandb

        self._folder.mkdir(parents=True, exist_ok=True)
        begun = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            id=run.id,
            name=run.name,
            config=dict(run.settings),
            mode=self._mode,
            dir=str(self._folder),
            resume="allow",
            reinit="create_new",
            # Measurements, and nothing else of this machine.
            settings=wandb.Settings(
                console="off",
                disable_git=True,
                save_code=False,
                silent=True,
                x_disable_stats=True,
                x_disable_meta=True,
            ),
        )
        begun.define_metric("step")
        begun.define_metric("*", step_metric="step")
        return begun


class Trackio:
    """A SQLite file, or the space that TRACKIO_SPACE_ID names."""

    def __init__(self, folder: Path) -> None:
        self.destination = os.environ.setdefault("TRACKIO_DIR", str(folder.absolute() / "trackio"))
        self._runs: dict[str, Any] = {}

    def send(self, run: TrackedRun, measured: Sequence[Measurement]) -> None:
        """Log to the run of this name and id."""
        if run.id not in self._runs:
            self._runs[run.id] = self._begin(run)
        for own in measured:
            self._runs[run.id].log(dict(own.values), step=own.step)

    def close(self, run: TrackedRun) -> None:
        """Wait until all is in the file."""
        if run.id in self._runs:
            self._runs.pop(run.id).finish()

    def kept(self, run: TrackedRun) -> Mapping[str, int] | None:
        """Read from the file, which is written twice a second; None where a space has it."""
        if "TRACKIO_SPACE_ID" in os.environ:
            return None
        from trackio.sqlite_storage import SQLiteStorage

        rows = SQLiteStorage.get_logs(self._project(), self._name(run))
        return _last_steps((row["step"], row) for row in rows)

    @staticmethod
    def _project() -> str:
        return os.environ.get("TRACKIO_PROJECT", PROJECT)

    @staticmethod
    def _name(run: TrackedRun) -> str:
        return f"{run.name} {run.id}"

    def _begin(self, run: TrackedRun) -> Any:
        import trackio

        return trackio.init(
            project=self._project(),
            name=self._name(run),
            config=dict(run.settings),
            resume="allow",
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )


def _last_steps(rows: Iterable[tuple[int, Iterable[str]]]) -> dict[str, int]:
    """The last step of each part, of the steps and the names of what was logged."""
    last: dict[str, int] = {}
    for step, names in rows:
        for name in names:
            part, _, is_own = name.partition("/")
            if is_own:
                last[part] = max(step, last.get(part, step))
    return last


_KINDS: dict[str, Callable[[Path], Tracker]] = {
    "tensorboard": TensorBoard,
    "mlflow": MLflow,
    "wandb": WeightsAndBiases,
    "trackio": Trackio,
}


def make_tracker(name: str, folder: Path) -> Tracker:
    """Make a tracker.

    Args:
        name: one of `TrackerName`.
        folder: where it writes, unless the environment says otherwise.
    """
    for variable, value in _QUIET.items():
        os.environ.setdefault(variable, value)
    return _KINDS[name](folder)
