"""The hours that candidates share: none starts that would exceed them, and none loses its share by a kill."""

import json
import threading

import pytest

from sqladder.training import sweep_budget
from sqladder.training.sweep_budget import share_of_budget


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(sweep_budget, "POLL_SECONDS", 0.02)


def finish(folder, hours, epochs=1.0):
    facts = {"seconds": 1800.0 * hours, "gpus": 2, "nodes": 1, "epochs": epochs}
    folder.mkdir(exist_ok=True)
    (folder / "train.json").write_text(json.dumps(facts))


def test_without_a_budget_nothing_is_counted(tmp_path):
    with share_of_budget(tmp_path / "one/train.json", None, 1.0) as reason:
        assert reason == ""
    assert not list(tmp_path.iterdir())


def test_who_would_exceed_what_is_spent_and_held_is_not_started(tmp_path):
    finish(tmp_path / "cheap", 1.0)
    # The dearest epoch is what an epoch is taken to cost: 2 hours.
    finish(tmp_path / "dear", 4.0, epochs=2.0)
    with share_of_budget(tmp_path / "runs/train.json", 10.0, 1.5) as reason:
        assert reason == ""
        with share_of_budget(tmp_path / "late/train.json", 10.0, 1.5) as reason:
            assert reason == "8 of 10 hours are spent or held, and it would take 3"
        with share_of_budget(tmp_path / "fits/train.json", 10.0, 1.0) as reason:
            assert reason == ""


def test_a_killed_candidate_keeps_its_share_and_goes_on(tmp_path):
    finish(tmp_path / "first", 1.0)
    with share_of_budget(tmp_path / "killed/train.json", 2.0, 1.0):
        pass
    with share_of_budget(tmp_path / "late/train.json", 2.0, 1.0) as reason:
        assert reason == "2 of 2 hours are spent or held, and it would take 1"
    with share_of_budget(tmp_path / "killed/train.json", 2.0, 1.0) as reason:
        assert reason == ""


def test_one_that_was_left_out_costs_nothing_and_starts_under_a_larger_budget(tmp_path):
    finish(tmp_path / "first", 1.0)
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "train.json").write_text('{"left_out": "for want of hours"}')
    with share_of_budget(tmp_path / "late/train.json", 2.0, 1.0) as reason:
        assert reason == ""


def test_a_first_rung_leaves_the_later_ones_their_hours(tmp_path):
    facts = {"seconds": 1800.0, "gpus": 2, "nodes": 1, "epochs": 1.0}
    (tmp_path / "first").mkdir()
    (tmp_path / "first/rung_1.json").write_text(json.dumps(facts))
    # Of an earlier run, whose budget was smaller.
    (tmp_path / "first/train.json").write_text('{"left_out": "for want of hours"}')
    own = tmp_path / "own/rung_1.json"
    with share_of_budget(own, 4.5, 1.0, later_epochs=3.0) as reason:
        assert reason == "4 of 4.5 hours are spent or held, and it would take 1"
    with share_of_budget(own, 5.0, 1.0, later_epochs=3.0) as reason:
        assert reason == ""


def test_until_the_first_has_finished_the_others_wait(tmp_path):
    reasons = []

    def second():
        with share_of_budget(tmp_path / "second/train.json", 1.5, 1.0) as reason:
            reasons.append(reason)

    with share_of_budget(tmp_path / "first/train.json", 1.5, 1.0):
        other = threading.Thread(target=second)
        other.start()
        other.join(0.5)
        assert other.is_alive()
        finish(tmp_path / "first", 1.0)
        other.join(30)
    assert reasons == ["1 of 1.5 hours are spent or held, and it would take 1"]


def test_nobody_waits_for_a_first_that_was_killed(tmp_path):
    with share_of_budget(tmp_path / "first/train.json", 1.5, 1.0):
        pass
    with share_of_budget(tmp_path / "second/train.json", 1.5, 1.0) as reason:
        assert reason == ""
