"""What a terminal says of a sweep while it runs."""

import io
import json
import logging
import re
import time

from rich.console import Console

from sqladder.experiment.run_screen import RunScreen
from sqladder.experiment.sweep_progress import SweepProgress
from sqladder.experiment.sweeps import Candidate

TRIED = [Candidate("full", {"learning_rate": rate}) for rate in (0.1, 0.2, 0.3)]


def finish(folder, candidate, right, name="train.json"):
    """Leave what a candidate's training does, or what one that was not started does."""
    points = [{"step": 1, "correct": "1" * (right or 0) + "0" * (4 - (right or 0))}]
    validation = {"groups": list("abcd"), "chosen": 1, "points": points}
    facts = {"left_out": "no hours"} if right is None else {"validation": validation}
    (folder / candidate.name).mkdir(parents=True, exist_ok=True)
    (folder / candidate.name / name).write_text(json.dumps(facts))


def test_a_line_has_candidates_done_the_best_so_far_and_the_time_left(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    sweep = SweepProgress("full", TRIED, tmp_path)
    assert sweep.line() == ""
    finish(tmp_path, TRIED[0], 1)
    sweep.begin()
    # It was there before this run, which tells nothing of the pace.
    best = "best 1 of 4 right: learning_rate 0.1"
    assert sweep.line() == f"sweep of full  1 of 3 candidates  {best}"
    now[0] += 60
    finish(tmp_path, TRIED[1], 3)
    best = "best 3 of 4 right: learning_rate 0.2"
    assert sweep.line() == f"sweep of full  2 of 3 candidates  about 0:01:00 left  {best}"
    finish(tmp_path, TRIED[2], None)
    assert sweep.line() == f"sweep of full  3 of 3 candidates  {best}"


def test_with_halving_the_line_has_the_rung(tmp_path):
    sweep = SweepProgress("full", TRIED, tmp_path, rungs=2)
    sweep.begin()
    assert sweep.line() == "sweep of full  rung 1 of 2: 0 of 3 candidates"
    for right, candidate in enumerate(TRIED, 1):
        finish(tmp_path, candidate, right, "rung_1.json")
    finish(tmp_path, TRIED[2], 4)
    best = "best 4 of 4 right: learning_rate 0.3"
    assert sweep.line() == f"sweep of full  rung 2 of 2: 1 of 3 candidates  {best}"
    # A fourth, which has everything before it, while the others are there from before.
    sweep = SweepProgress("full", [Candidate("full", {"learning_rate": 0.4}), *TRIED], tmp_path, 2)
    sweep.begin()
    assert sweep.line() == f"sweep of full  rung 1 of 2: 3 of 4 candidates  {best}"


def test_the_line_follows_each_candidate_and_no_other_job(tmp_path):
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=120)
    screen = RunScreen(2, console, [SweepProgress("full", TRIED, tmp_path)])
    try:
        for number, replicate in enumerate(("baseline", TRIED[0].name)):
            job = {"jobid": number, "rule_name": "train", "wildcards": {"replicate": replicate}}
            screen.emit(logging.makeLogRecord({"event": "job_info", **job}))
        finish(tmp_path, TRIED[0], 2)
        for number in (0, 1):
            screen.emit(logging.makeLogRecord({"event": "job_finished", "job_id": number}))
    finally:
        screen.close()
    lines = written.getvalue().splitlines()
    ended = [place for place, line in enumerate(lines) if re.search(r"\[\d/2\]", line)]
    told = [place for place, line in enumerate(lines) if "        sweep of full" in line]
    assert len(ended) == 2
    assert len(told) == 1 and told[0] > ended[1]
    shown = r"1 of 3 candidates  about \d:\d\d:\d\d left  best 2 of 4 right: learning_rate 0.1"
    assert re.search(shown, lines[told[0]])
