"""Variants that are trained by reward: what their jobs get, and what is refused before any of them."""

import copy

import pytest

from conftest import ROOT
from sqladder.errors import InputError
from sqladder.experiment import tracking_jobs
from sqladder.experiment.config import check
from sqladder.experiment.learning import rounds
from sqladder.experiment.reading import read_yaml
from sqladder.experiment.reinforced import reward_code, reward_databases, reward_flags
from sqladder.experiment.report_jobs import benchmarks_of_the_run
from sqladder.experiment.training_jobs import judge_command, model_to_train, training_gpus
from sqladder.experiment.trainings import names_of_trainings, with_trainings

TINY = read_yaml(ROOT / "tests/tiny/config.yaml")
LORA = {"method": "lora", "rank": 4, "alpha": 8, "dropout": 0, "target_modules": ["q_proj"]}


@pytest.fixture
def config(monkeypatch):
    monkeypatch.chdir(ROOT)
    config = copy.deepcopy(TINY)
    config["variants"]["full"]["seeds"] = [1, 2]
    config["variants"]["rewarded"] = {
        "method": "grpo",
        "start_from": "full",
        "samples": 4,
        "beta": 0.0,
        "tune": LORA,
        "training": {"batch_size": 8, "gradient_accumulation": 2},
    }
    return config


def test_a_training_by_reward_starts_from_another_model_and_asks_training_questions(config):
    check(config)
    planned = with_trainings(config)
    assert model_to_train(planned, "rewarded/seed_2") == "results/full/seed_2/model"
    flags = reward_flags(planned, "rewarded/seed_2")
    data = "resources/prompts/published/train.1024.drop.jsonl"
    assert {"--method=lora", "--rank=4", "--seed=2", f"--data={data}"} <= set(flags)
    assert {"--start-from=full/seed_2", "--drawn-engine=transformers"} <= set(flags)
    assert {"--reinforcement-samples=4", "--reinforcement-beta=0.0"} <= set(flags)
    assert reward_databases(config) == "resources/datasets/demo/databases"
    # It is no training on given rows, nor has it rounds, and its time is the run's.
    assert not [name for name in names_of_trainings(config) if "rewarded" in name]
    assert not rounds(config)
    assert "results/benchmarks/reinforce/rewarded/seed_1.tsv" in benchmarks_of_the_run(config)


def test_a_training_by_reward_is_followed_for_trackers_as_others_are(config, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    started = []
    monkeypatch.setattr(tracking_jobs.subprocess, "Popen", lambda own, **_: started.append(own))
    config["trackers"] = ["tensorboard"]
    tracking_jobs.Follower(config, tmp_path)
    (command,) = started
    followed = [command[n + 1] for n, word in enumerate(command) if word == "--run"]
    assert {"full/seed_1", "rewarded/seed_1", "rewarded/seed_2"} <= set(followed)
    # By the same id as after its scoring.
    place = command.index("rewarded/seed_1")
    flags = tracking_jobs.tracking_flags(config, "rewarded/seed_1")
    assert command[place : place + 2] == flags[-2:]


def test_a_checkpoint_is_chosen_on_validation_where_the_config_says_so(config):
    config["variants"]["rewarded"]["training"]["choose"] = "validation"
    planned = with_trainings(config)
    assert "results/full/seed_1/model" in " ".join(judge_command(planned, "rewarded/seed_1"))
    code = {"reinforce.py": "a", "judge_checkpoints.py": "b"}
    assert reward_code(planned, "rewarded/seed_1", code) == ["a", "b"]


def test_gpus_that_draw_are_leased_with_the_one_that_trains(config):
    assert training_gpus(with_trainings(config), "rewarded/seed_1") == 1
    config["variants"]["rewarded"] |= {"drawing_gpus": 2, "decoding": {"engine": "vllm"}}
    check(config)
    planned = with_trainings(config)
    assert training_gpus(planned, "rewarded/seed_1") == 3
    assert "--reinforcement-drawing-gpus=2" in reward_flags(planned, "rewarded/seed_1")


def changed(**keys):
    return lambda c: c["variants"]["rewarded"].update(keys)


def trained_with(**keys):
    return lambda c: c["variants"]["rewarded"]["training"].update(keys)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["variants"]["rewarded"].pop("start_from"), ["rewarded", "lacks start_from"]),
        (changed(start_from="baseline"), ["rewarded.start_from", "'baseline' is the base itself"]),
        (changed(start_from="rewarded"), ["rewarded.start_from", "rewarded -> rewarded"]),
        (changed(samples=1), ["rewarded.samples", "at least 2"]),
        (changed(samples=3), ["rewarded", "16 answers a step", "whole groups of samples: 3"]),
        (changed(temperature=0), ["rewarded.temperature", "at least 0.01"]),
        (changed(beta=-1), ["rewarded.beta", "at least 0"]),
        (changed(loss="ppo"), ["rewarded.loss", "'ppo'", "dr_grpo"]),
        (changed(epsilon=0.1), ["rewarded.epsilon", "no effect with updates: 1"]),
        (changed(updates=2, steps=3), ["rewarded.steps", "no multiple of updates: 2"]),
        (changed(steps=0), ["rewarded.steps", "at least 1"]),
        (changed(rewards={"runs": 0.6, "select": 0.4}), ["rewards.runs", "give less"]),
        (changed(rewards={"right": 1}), ["rewarded.rewards", "'right'", "runs, select"]),
        (changed(rounds=2), ["rewarded.rounds", "remove it"]),
        (changed(tune=LORA | {"quantize": "nf4"}), ["rewarded", "quantize", "leave it out"]),
        (changed(tune={**LORA, "target_modules": ["qq"]}), ["rewarded.tune.target_modules: 'qq'"]),
        (changed(tune={"method": "none"}), ["rewarded.tune", "none"]),
        (changed(sweep={"learning_rate": [1.0e-3]}), ["rewarded.sweep", "remove it"]),
        (
            changed(parallelism={"method": "ddp", "gpus": 2}),
            ["rewarded", "parallelism", "in one process"],
        ),
        (changed(drawing_gpus=1), ["rewarded", "drawing_gpus", "give decoding: {engine: vllm}"]),
        (
            changed(drawing_gpus=5, decoding={"engine": "vllm"}),
            ["rewarded", "drawing_gpus", "more than the 4 questions"],
        ),
        (changed(drawing_gpus=-1), ["rewarded.drawing_gpus", "at least 0"]),
        (trained_with(kernels="fused"), ["rewarded", "training.kernels", "give kernels: plain"]),
        (
            changed(decoding={"repetition_penalty": 1.1}),
            ["rewarded", "decoding.repetition_penalty", "another model than is trained"],
        ),
    ],
)
def test_what_cannot_be_rewarded_is_refused_with_the_way_out(config, change, words):
    change(config)
    with pytest.raises(InputError) as error:
        check(config)
    for word in words:
        assert word in str(error.value)
