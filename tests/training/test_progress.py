"""The progress of a training, as a log and a terminal show it."""

import os
import re
import sys
import termios
from types import SimpleNamespace

import pytest

from sqladder.training import progress
from sqladder.training.progress import Progress, clock
from terminal import shown_on

ARGUMENTS = SimpleNamespace()


@pytest.fixture
def time_passes(monkeypatch):
    """Seconds since the start, which a test sets."""
    passed = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: 1000.0 + passed.seconds)
    return passed


def log(shown, passed, step, seconds, loss=0.5):
    passed.seconds = seconds
    state = SimpleNamespace(global_step=step, max_steps=100)
    shown.on_log(ARGUMENTS, state, None, logs={"loss": loss, "learning_rate": 1e-4})


def begin(shown, step=0):
    shown.on_train_begin(ARGUMENTS, SimpleNamespace(global_step=step, max_steps=100), None)


def test_a_log_gets_a_line_for_each_point_with_speed_and_time_left(time_passes, caplog):
    shown = Progress(tokens_per_step=1000)
    begin(shown)
    log(shown, time_passes, step=10, seconds=20)
    log(shown, time_passes, step=20, seconds=25, loss=0.25)
    first, second = caplog.messages
    assert first.startswith("step 10/100  loss 0.5000  learning rate 0.0001  500 tokens/s  peak")
    assert first.endswith("GiB  0:03:00 left")
    # Speed is the last stretch's, the time left that of all steps so far.
    assert "step 20/100  loss 0.2500" in second
    assert "2,000 tokens/s" in second
    assert second.endswith("0:01:40 left")


def test_a_resumed_run_says_where_and_counts_its_own_steps_only(time_passes, caplog):
    shown = Progress(tokens_per_step=1000)
    begin(shown, step=50)
    log(shown, time_passes, step=60, seconds=10)
    first, second = caplog.messages
    assert first == "going on from step 50/100"
    assert "1,000 tokens/s" in second
    assert second.endswith("0:00:40 left")


def test_the_summary_of_the_trainer_is_no_point(time_passes, caplog):
    shown = Progress(tokens_per_step=1000)
    begin(shown)
    shown.on_log(ARGUMENTS, None, None, logs={"train_runtime": 1.0})
    assert caplog.messages == []


def test_a_terminal_gets_one_line_written_anew(time_passes, monkeypatch):
    reading, writing = os.openpty()
    termios.tcsetwinsize(writing, (24, 160))
    with os.fdopen(writing, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setenv("TQDM_DISABLE", "1")  # as for the bars of libraries
        shown = Progress(tokens_per_step=1000)
        begin(shown)
        log(shown, time_passes, step=10, seconds=20)
        log(shown, time_passes, step=100, seconds=30)
        shown.on_train_end(ARGUMENTS, None, None)
    text = shown_on(reading)
    assert len(re.findall(r"\r[^\r\n]*step \d+/100", text)) >= 2
    assert text.count("\n") == 1
    assert "step 100/100" in text.splitlines()[-1]


def test_a_terminal_without_a_size_gets_lines(time_passes, monkeypatch, caplog):
    reading, writing = os.openpty()
    with os.fdopen(writing, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        shown = Progress(tokens_per_step=1000)
        begin(shown)
        log(shown, time_passes, step=10, seconds=20)
        log(shown, time_passes, step=20, seconds=30)
        shown.on_train_end(ARGUMENTS, None, None)
    assert shown_on(reading) == ""
    lines = [line.split("  ")[0] for line in caplog.messages]
    assert lines == ["step 10/100", "step 20/100"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00"), (59.6, "0:01:00"), (3661, "1:01:01"), (360000, "100:00:00")],
)
def test_durations_are_written_in_hours_minutes_and_seconds(seconds, text):
    assert clock(seconds) == text
