"""Sweeps that stop the worse candidates on the way: their rungs, and what each job is given."""

import copy

import pytest

from conftest import ROOT
from sqladder.experiment.config import check
from sqladder.experiment.halved_sweeps import (
    all_rungs,
    choice_flags_of_rung,
    inputs_before,
    rung_facts,
    rung_flags,
    rungs_of,
    shared_hours,
)
from sqladder.experiment.reading import read_yaml
from sqladder.experiment.sweeps import candidates, with_candidates

DEFAULT = read_yaml(ROOT / "config/config.yaml")
CODE = {"train.py": "aa", "judge_checkpoints.py": "bb"}

pytestmark = pytest.mark.usefixtures("in_the_project")


@pytest.fixture
def config():
    """The default, in which one variant halves ten candidates and another one searches without it."""
    config = copy.deepcopy(DEFAULT)
    config["training"].update(choose="validation", epochs=9.0)
    rates = [0.001 * n for n in range(1, 11)]
    config["variants"]["full"]["sweep"] = {"learning_rate": rates, "halving": {"factor": 3}}
    config["variants"]["lora_32r"]["sweep"] = {"rank": [4, 8]}
    return config


@pytest.mark.parametrize(
    ("number", "factor", "rungs"),
    [
        (10, 3, [(1, 1 / 9, 3), (2, 1 / 3, 1), (3, 1.0, 1)]),
        (8, 3, [(1, 1 / 3, 2), (2, 1.0, 1)]),
        (8, 2, [(1, 1 / 8, 4), (2, 1 / 4, 2), (3, 1 / 2, 1), (4, 1.0, 1)]),
        (3, 3, [(1, 1 / 3, 1), (2, 1.0, 1)]),
    ],
)
def test_each_rung_keeps_a_part_and_is_as_many_times_as_long(config, number, factor, rungs):
    sweep = config["variants"]["full"]["sweep"]
    sweep["learning_rate"] = sweep["learning_rate"][:number]
    sweep["halving"]["factor"] = factor
    check(config)
    found = rungs_of(config, "full")
    assert [(own.number, pytest.approx(own.until), own.keep) for own in found] == rungs


def test_each_candidate_has_a_job_in_each_rung_that_knows_who_goes_on(config):
    own = candidates(config, "full")[0].name
    assert all_rungs(config)[:3] == [
        f"{own}.1",
        f"{own}.2",
        f"{candidates(config, 'full')[1].name}.1",
    ]
    assert len(rung_facts(config, "full", "2")) == 10
    assert choice_flags_of_rung(config, "full", "1") == ["--keep=3", f"--after={1 / 9}"]
    assert inputs_before(config, own, "1") == []
    before = ["results/full/candidates/rung_2.json", f"results/{own}/rung_2.json"]
    assert inputs_before(config, own) == before
    flags = rung_flags(with_candidates(config), own, CODE)
    assert flags == [
        "--until=1.0",
        "--made-by=aa.bb",
        f"--choice={before[0]}",
        f"--before={before[1]}",
    ]
    assert rung_flags(with_candidates(config), own, CODE, "1")[0] == f"--until={1 / 9}"


def test_other_trainings_know_of_no_rung(config):
    other = candidates(config, "lora_32r")[0].name
    for name in (other, "baseline", "full"):
        assert inputs_before(config, name) == []
        assert rung_flags(with_candidates(config), name, CODE) == []


def test_the_hours_are_asked_for_once_and_leave_the_later_rungs_theirs(config):
    sweep = config["variants"]["full"]["sweep"]
    own = candidates(config, "full")[0].name
    assert shared_hours(config, own, "1") == []
    sweep["gpu_hours"] = 2
    # Of 9 epochs: three go on from the first to the third, one from there to the ninth.
    assert shared_hours(config, own, "1") == ["--budget=2.0", "--later-epochs=12.0"]
    assert shared_hours(config, own, "2") == shared_hours(config, own) == []
    # Those of the candidates, where the sweep says how many.
    sweep["epochs"] = [18.0]
    longer = candidates(config, "full")[0].name
    assert shared_hours(config, longer, "1") == ["--budget=2.0", "--later-epochs=24.0"]
    config["variants"]["lora_32r"]["sweep"]["gpu_hours"] = 1
    assert shared_hours(config, candidates(config, "lora_32r")[0].name) == ["--budget=1.0"]
