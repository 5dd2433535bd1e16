"""Trainings and scores reach trackers: each measurement once, through the real library where it is installed."""

import json
import os
import pickle
import shutil
import socket
import sqlite3
import subprocess
import sys
import time

import pytest

from sqladder.files import sha256_of, write_json
from sqladder.processes.lifetime import this_process
from sqladder.training import trackers, tracking
from sqladder.training.tracked_run import read_finished, read_live
from sqladder.training.tracking import Tracking, follow
from sqladder.training.wandb_files import read_history, read_records

SECONDS_TO_START = 120
RATE = {"n": 4, "correct": 3, "rate": 0.75}
NONE = {"n": 0, "correct": 0, "rate": None}


def row(step):
    return {"step": step, "epoch": step / 10, "loss": 3.0 / step, "time": 1000.0 + step}


def write_training(folder, steps, seed=1):
    """What a training that has come so far has written."""
    work = folder / "training"
    work.mkdir(parents=True, exist_ok=True)
    write_json(
        work / "settings.json",
        {"rank": 4, "lora": {"dora": True}, "seed": seed, "data": {}, "made_by": "code"},
    )
    (work / "log.jsonl").write_text("".join(f"{json.dumps(row(n))}\n" for n in steps))
    return folder


def finish_training(folder, steps):
    """The same, ended and scored."""
    identity = sha256_of(folder / "training/settings.json")
    shutil.rmtree(folder / "training")
    facts = {"identity": identity, "settings": {"rank": 4}, "log": [row(n) for n in steps]}
    facts |= {"steps": steps[-1], "seconds": 5.5, "gpu_hours": 0.0, "final_loss": 0.5}
    facts["validation"] = {"points": [{"step": steps[-1], "correct": "1100"}]}
    write_json(folder / "train.json", facts)
    accuracy = {"easy": RATE, "hard": NONE, "all": RATE}
    write_json(folder / "metrics.json", {"accuracy": accuracy, "secondary": {"plug": accuracy}})


class Kept:
    """A tracker that remembers; while `gone` it fails as a server that is away does; `lost` is cut off by a kill."""

    destination = "here"

    def __init__(self):
        self.gone, self.sent, self.closed, self.lost = False, [], [], 0

    def send(self, run, measured):
        if self.gone:
            raise ConnectionError("nobody answers\nat all")
        self.sent += [(run.id, own.part, own.step, dict(own.values)) for own in measured]

    def close(self, run):
        self.closed.append(run.id)

    def kept(self, run):
        self.sent = self.sent[: len(self.sent) - self.lost]
        return {part: step for _, part, step, _ in self.sent} if self.lost else None


@pytest.fixture
def kept(monkeypatch):
    own = Kept()
    monkeypatch.setattr(tracking, "make_tracker", lambda name, folder: own)
    return own


def test_each_measurement_is_sent_once_over_kills_and_to_the_scores(tmp_path, kept):
    folder, name = tmp_path / "lora", "lora"
    for steps in ([1, 2], [1], [1, 2, 3]):
        # Another process each time, as after a kill; a training that went back to a checkpoint has fewer rows.
        write_training(folder, steps)
        assert Tracking(["any"], tmp_path / "tracking").send(read_live(name, "key", folder)) == {}
    finish_training(folder, [1, 2, 3, 4])
    for _ in range(2):
        Tracking(["any"], tmp_path / "tracking").send(read_finished(name, "key", folder))
    assert len({run for run, _, _, _ in kept.sent}) == 1
    assert [(part, step) for _, part, step, _ in kept.sent] == [
        *(("train", step) for step in (1, 2, 3, 4)),
        ("validation", 4),
        ("score", 4),
    ]
    assert kept.sent[0][3] == {"train/loss": 3.0, "train/epoch": 0.1}
    assert kept.sent[4][3] == {"validation/accuracy": 0.5}
    assert kept.sent[5][3] == {
        "score/accuracy": 0.75,
        "score/easy": 0.75,
        "score/plug": 0.75,
        "training/seconds": 5.5,
        "training/gpu_hours": 0.0,
        "training/final_loss": 0.5,
    }


def test_other_settings_another_variant_or_another_base_are_another_run(tmp_path):
    runs = [
        read_live("lora", "key", write_training(tmp_path / "a", [1])).run,
        read_live("lora", "key", write_training(tmp_path / "b", [1], seed=2)).run,
        read_live("full", "key", tmp_path / "a").run,
        read_live("lora", "other", tmp_path / "a").run,
    ]
    assert len({run.id for run in runs}) == 4
    assert runs[0].settings == {"rank": "4", "lora.dora": "True", "seed": "1"}
    assert read_live("lora", "key", write_training(tmp_path / "c", [1, 2])).run == runs[0]


def test_a_line_that_is_being_written_is_read_once_it_is_whole(tmp_path):
    folder = write_training(tmp_path / "lora", [1])
    log = folder / "training/log.jsonl"
    with log.open("a") as file:
        file.write('{"step": 2, "lo')
    assert [own.step for own in read_live("lora", "key", folder).measured] == [1]
    assert read_live("lora", "key", tmp_path / "nothing") is None


def test_a_tracker_that_is_gone_is_told_of_and_gets_all_later(tmp_path, kept, monkeypatch):
    reading = read_live("lora", "key", write_training(tmp_path / "lora", [1, 2]))
    own = Tracking(["any"], tmp_path / "tracking")
    kept.gone = True
    assert own.send(reading) == {"any": "ConnectionError: nobody answers"}
    # It rests: a server that is gone makes each call wait.
    kept.gone = False
    assert own.send(reading) == {}
    assert kept.sent == []
    monkeypatch.setattr(own, "_resting", {})
    own.send(reading)
    assert [step for _, _, step, _ in kept.sent] == [1, 2]


@pytest.fixture
def killed():
    """A process that was killed, as another one knows it."""
    host, pid, started = this_process().split()
    return f"{host} {pid} {int(started) - 1}"


def test_what_a_killed_process_had_not_written_is_sent_again(tmp_path, kept, killed):
    folder = write_training(tmp_path / "lora", [1, 2, 3])
    first = Tracking(["any"], tmp_path / "tracking")
    first._process = killed
    first.send(read_live("lora", "key", folder))
    kept.lost = 2
    own = Tracking(["any"], tmp_path / "tracking")
    own.send(read_live("lora", "key", folder))
    assert [step for _, _, step, _ in kept.sent] == [1, 2, 3]
    # One that ended well has lost nothing, and neither has one that is at work.
    other = Tracking(["any"], tmp_path / "tracking")
    other.send(read_live("lora", "key", write_training(tmp_path / "lora", [1, 2, 3, 4])))
    own.close(read_live("lora", "key", folder).run)
    other.close(read_live("lora", "key", folder).run)
    Tracking(["any"], tmp_path / "tracking").send(read_live("lora", "key", folder))
    assert [step for _, _, step, _ in kept.sent] == [1, 2, 3, 4]


def test_a_run_that_a_killed_process_left_open_is_closed(tmp_path, kept, killed):
    reading = read_live("lora", "key", write_training(tmp_path / "lora", [1]))
    first = Tracking(["any"], tmp_path / "tracking")
    first._process = killed
    first.send(reading)
    opened = []
    kept.send = lambda run, measured: opened.append((run.id, list(measured)))
    for _ in range(2):
        own = Tracking(["any"], tmp_path / "tracking")
        own.send(reading)
        own.close(reading.run)
    assert opened == [(reading.run.id, [])]


def test_trainings_are_followed_from_their_first_point_to_their_last(tmp_path, kept, caplog):
    """Two runs, one of which begins anew with other settings in the middle."""
    moments = iter(
        [
            lambda: write_training(tmp_path / "lora", [1]),
            lambda: write_training(tmp_path / "full", [1, 2]),
            lambda: write_training(tmp_path / "lora", [1], seed=2),
            lambda: finish_training(tmp_path / "full", [1, 2]),
        ]
    )

    def is_over():
        moment = next(moments, None)
        if moment:
            moment()
        return moment is None

    own = Tracking(["any"], tmp_path / "tracking")
    follow(own, [("lora", "k"), ("full", "k"), ("other", "k")], tmp_path, is_over)
    assert [step for _, _, step, _ in kept.sent] == [1, 1, 2, 1]
    assert len(set(kept.closed)) == len(kept.closed) == 3
    assert "does not take it" not in caplog.text


# Real ones


@pytest.fixture
def readings(tmp_path):
    """A run before and after its end."""
    folder = write_training(tmp_path / "results/lora", [1, 2])
    before = read_live("lora", "key", folder)
    finish_training(folder, [1, 2, 3])
    return before, read_finished("lora", "key", folder)


def send_in_turn(name, readings, folder):
    """Send as two processes do: one while the training goes on, one after the scoring."""
    for reading in readings:
        own = Tracking([name], folder)
        assert own.send(reading) == {}
        assert own.close(reading.run) == {}
    return own.destinations()[name]


@pytest.fixture
def alone(monkeypatch):
    """No variable of the environment says where trackers are."""
    for variable in list(os.environ):
        if variable.startswith(("MLFLOW_", "WANDB_", "TRACKIO_")):
            monkeypatch.delenv(variable)


def test_tensorboard_reads_the_curves_from_event_files(readings, tmp_path, alone):
    pytest.importorskip("tensorboard", reason="requirements/trackers.lock")
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
    from tensorboard.util.tensor_util import make_ndarray

    folder = send_in_turn("tensorboard", readings, tmp_path / "tracking")
    found = EventMultiplexer().AddRunsFromDirectory(folder).Reload()
    (run,) = found.Runs()
    assert run.startswith("lora/")
    losses = found.Tensors(run, "train/loss")
    assert [(own.step, own.wall_time) for own in losses] == [(n, 1000.0 + n) for n in (1, 2, 3)]
    assert [make_ndarray(own.tensor_proto) for own in losses] == pytest.approx([3.0, 1.5, 1.0])
    (accuracy,) = found.Tensors(run, "score/accuracy")
    assert make_ndarray(accuracy.tensor_proto) == 0.75


@pytest.fixture
def mlflow_server(tmp_path, alone, monkeypatch):
    """A real server on loopback; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
    command += ["--port", str(port), "--backend-store-uri", f"sqlite:///{tmp_path}/server.db"]
    command += ["--default-artifact-root", str(tmp_path / "artifacts")]
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        assert process.poll() is None, (tmp_path / "server.log").read_text()
        assert time.monotonic() < deadline, "the server did not start in time"
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.2)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    yield f"http://127.0.0.1:{port}"
    os.killpg(process.pid, 15)
    process.wait(timeout=30)


def assert_mlflow_has_one_run(address):
    from mlflow import MlflowClient

    client = MlflowClient(address)
    (run,) = client.search_runs([client.get_experiment_by_name("sqladder").experiment_id])
    assert (run.info.run_name, run.info.status) == ("lora", "FINISHED")
    assert run.data.params["lora.dora"] == "True"
    assert run.data.metrics["score/accuracy"] == 0.75
    history = client.get_metric_history(run.info.run_id, "train/loss")
    assert [(own.step, own.timestamp) for own in history] == [
        (n, 1000_000 + 1000 * n) for n in (1, 2, 3)
    ]


@pytest.mark.slow
def test_a_server_of_mlflow_has_one_run_with_its_history(readings, tmp_path, request):
    pytest.importorskip("mlflow", reason="requirements/trackers.lock")
    address = request.getfixturevalue("mlflow_server")
    assert send_in_turn("mlflow", readings, tmp_path / "tracking") == address
    assert_mlflow_has_one_run(address)


@pytest.mark.slow
def test_mlflow_without_a_server_is_a_file(readings, tmp_path, alone):
    pytest.importorskip("mlflow", reason="requirements/trackers.lock")
    assert_mlflow_has_one_run(send_in_turn("mlflow", readings, tmp_path / "tracking"))
    assert (tmp_path / "tracking/mlflow.db").is_file()


@pytest.mark.slow
def test_a_server_of_mlflow_that_is_gone_is_told_of(readings, tmp_path, alone, monkeypatch):
    pytest.importorskip("mlflow", reason="requirements/trackers.lock")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    problems = Tracking(["mlflow"], tmp_path / "tracking").send(readings[0])
    assert "127.0.0.1" in problems["mlflow"]
    assert "\n" not in problems["mlflow"]


SEND = """
import os, pickle, sys
from pathlib import Path
from sqladder.training.tracking import Tracking

name, folder, is_killed = sys.argv[1:]
own, reading = Tracking([name], Path(folder)), pickle.load(sys.stdin.buffer)
assert own.send(reading) == {}
if is_killed == "killed":
    os.killpg(0, 9)
assert own.close(reading.run) == {}
"""


def send_in_processes(name, readings, folder, first_is):
    """Send each reading in a process of its own, the first of which is killed or ends; then look at all once more."""
    for reading, end in zip([*readings, readings[-1]], (first_is, "ended", "ended"), strict=True):
        done = subprocess.run(
            [sys.executable, "-c", SEND, name, str(folder), end],
            input=pickle.dumps(reading),
            timeout=120,
            start_new_session=True,
        )
        assert done.returncode == (-9 if end == "killed" else 0)


def rows_of_wandb(folder):
    """Id of the run, step and values of all that was logged."""
    for path in sorted(folder.glob("wandb/offline-run-*/*.wandb")):
        runs = [own.run for own in read_records(path) if own.WhichOneof("record_type") == "run"]
        for row in read_history(path):
            yield runs[0].run_id, row["step"], row


def rows_of_trackio(folder):
    """The same, with the run's name before its id."""
    (path,) = folder.glob("trackio/*.db")
    with sqlite3.connect(path) as database:
        rows = database.execute("select run_name, step, metrics from metrics").fetchall()
    database.close()
    for name, step, metrics in rows:
        assert name.startswith("lora ")
        yield name.removeprefix("lora "), step, json.loads(metrics)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "first_is", "rows_of"),
    [
        ("wandb", "killed", rows_of_wandb),
        pytest.param("wandb", "ended", rows_of_wandb, marks=pytest.mark.long),
        ("trackio", "killed", rows_of_trackio),
        pytest.param("trackio", "ended", rows_of_trackio, marks=pytest.mark.long),
    ],
)
def test_files_have_one_run_with_each_point_once_without_a_network(
    readings, tmp_path, alone, name, first_is, rows_of
):
    """Both write with a delay: a kill right after a sending cuts it off."""
    pytest.importorskip(name, reason="requirements/trackers.lock")
    send_in_processes(name, readings, tmp_path / "tracking", first_is)
    rows = list(rows_of(tmp_path / "tracking"))
    assert {number for number, _, _ in rows} == {readings[0].run.id}
    losses = [(step, own["train/loss"]) for _, step, own in rows if "train/loss" in own]
    assert losses == [(1, 3.0), (2, 1.5), (3, 1.0)]
    assert [own["score/accuracy"] for _, _, own in rows if "score/accuracy" in own] == [0.75]


def test_every_tracker_that_a_config_may_name_can_be_made():
    assert set(trackers.TrackerName.__args__) == set(trackers._KINDS)
