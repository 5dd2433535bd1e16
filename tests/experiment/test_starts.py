"""Variants whose training starts from another one's model: what their jobs get, and what is refused before any job."""

import copy

import pytest

from conftest import ROOT
from sqladder.errors import InputError
from sqladder.experiment.config import check
from sqladder.experiment.reading import read_yaml
from sqladder.experiment.sweeps import all_candidates, with_candidates
from sqladder.experiment.training_jobs import judge_command, model_to_train, training_flags
from sqladder.experiment.variants import line_of, replicates

TINY = read_yaml(ROOT / "tests/tiny/config.yaml")


@pytest.fixture
def config(monkeypatch):
    monkeypatch.chdir(ROOT)
    config = copy.deepcopy(TINY)
    config["variants"]["full"]["seeds"] = [1, 2]
    config["variants"]["second"] = {"method": "full", "start_from": "full"}
    config["variants"]["third"] = {"method": "full", "start_from": "second", "seed": 2}
    return config


def test_seeds_go_along_a_line_of_trainings(config):
    check(config)
    starts = {own: model_to_train(config, own) for own in replicates(config)}
    assert starts == {
        **dict.fromkeys(["baseline", "lora_4r"], "resources/base_model"),
        **dict.fromkeys(["full/seed_1", "full/seed_2"], "resources/base_model"),
        "second/seed_1": "results/full/seed_1/model",
        "second/seed_2": "results/full/seed_2/model",
        "third": "results/second/seed_2/model",
    }
    assert line_of(config, "third") == ["full", "second", "third"]
    assert "--start-from=second/seed_2" in training_flags(config, "third")
    # Others are planned as before.
    assert not any("start-from" in flag for flag in training_flags(config, "full/seed_1"))


def test_candidates_and_the_judge_of_checkpoints_start_from_the_same_model(config):
    config["variants"]["second"]["training"] = {"choose": "validation"}
    config["variants"]["second"]["sweep"] = {"learning_rate": [1.0e-3, 3.0e-3]}
    check(config)
    expanded = with_candidates(config)
    for own in all_candidates(config):
        assert model_to_train(expanded, own.name) == "results/full/seed_1/model"
        words = judge_command(expanded, own.name)
        assert words[words.index("--base-model") + 1] == "results/full/seed_1/model"


def of(start, **more):
    return {"second": {"method": "full", "start_from": start, **more}}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (of("fulll"), ["second.start_from", "'fulll'", "the config has baseline"]),
        (of("third"), ["second.start_from", "third -> second", "leave start_from out of one"]),
        (of("second"), ["second -> second"]),
        (of("baseline"), ["'baseline' is the base itself", "leave start_from out"]),
        (
            {"votes": {"method": "reuse", "model_of": "full"}} | of("votes"),
            ["'votes' trains nothing", "name a variant that is trained"],
        ),
        (
            {"theirs": {"method": "imported", "predictions": "README.md"}} | of("theirs"),
            ["'theirs' has no model", "made elsewhere"],
        ),
        (of("full", seeds=[2, 9]), ["variants.second.seeds", "has no seed 9", "it has 1, 2"]),
        ({"other": {"method": "none", "start_from": "full"}}, ["other.start_from", "remove it"]),
    ],
)
def test_a_start_that_no_training_can_have_is_refused_with_the_way_out(config, changed, words):
    config["variants"].update(changed)
    with pytest.raises(InputError) as error:
        check(config)
    for word in words:
        assert word in str(error.value)
