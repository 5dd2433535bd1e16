"""Variants with a learning curve: what is trained for it, what its jobs read, and what is refused before any job."""

import copy

import pytest

from conftest import ROOT
from sqladder.errors import InputError
from sqladder.experiment.config import check
from sqladder.experiment.curve_points import curve_facts, curve_flags, points_of, with_points
from sqladder.experiment.reading import read_yaml
from sqladder.experiment.report_jobs import benchmarks_of_the_run
from sqladder.experiment.training_jobs import judge_command, training_flags, training_settings
from sqladder.experiment.variants import replicates

EXAMPLES = {"method": "random", "count": 2, "template": "reference_list"}
DRAWN = {"start_from": "full", "samples": 2, "temperature": 1.0, "tune": {"method": "full"}}
DEFAULT = read_yaml(ROOT / "config/config.yaml")

pytestmark = pytest.mark.usefixtures("in_the_project")


@pytest.fixture
def config():
    """The default, in which one variant has a curve, with two seeds."""
    config = copy.deepcopy(DEFAULT)
    config["training"]["choose"] = "validation"
    config["variants"]["full"].update(learning_curve={"rows": [0.3, 1.0, 0.1]}, seeds=[1, 2])
    return config


def test_each_share_below_all_is_trained_with_each_seed_and_all_rows_are_the_variant_itself(config):
    check(config)
    names = [own.name for own in points_of(config, "full")]
    assert names == [f"full/learning_curve/{s}/seed_{n}" for s in ("0.1", "0.3") for n in (1, 2)]
    whole = ["full/seed_1", "full/seed_2"]
    assert curve_facts(config, "full") == [f"results/{own}/train.json" for own in names + whole]
    assert curve_flags(config, "full")[-4:] == [
        "--model",
        "1",
        "2",
        "results/full/seed_2/train.json",
    ]


def test_a_point_is_trained_as_the_variant_but_for_its_rows(config):
    own, expanded = points_of(config, "full")[0], with_points(config)
    settings = training_settings(expanded, own.name)
    assert settings == training_settings(config, "full/seed_1").model_copy(
        update={"share_of_rows": 0.1}
    )
    assert judge_command(expanded, own.name) == judge_command(config, "full/seed_1")
    assert "--share-of-rows=0.1" in training_flags(expanded, own.name)
    assert not any("share" in flag for flag in training_flags(config, "full/seed_1"))


def test_a_share_more_leaves_the_folders_of_the_others_and_no_point_meets_the_test(config):
    before = points_of(config, "full")
    config["variants"]["full"]["learning_curve"]["rows"].append(0.5)
    after = points_of(config, "full")
    assert set(before) < set(after)
    assert not any("learning_curve" in name for name in replicates(config))


@pytest.mark.parametrize(
    "shares",
    [
        [0, 0.5],
        [-0.1],
        [1.5],
        [],
        [0.1, 0.1],
        [1.0],
        ["all"],
        0.3,
        # The same with six digits, of which folders have no more.
        [0.1234561, 0.1234562],
        [0.99999999],
    ],
)
def test_shares_that_are_none_are_refused(config, shares):
    config["variants"]["full"]["learning_curve"] = {"rows": shares}
    with pytest.raises(InputError, match=r"variants\.full\.learning_curve"):
        check(config)


def test_a_wrong_key_is_refused(config):
    config["variants"]["full"]["learning_curve"] = {"row": [0.1]}
    with pytest.raises(InputError, match="row"):
        check(config)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"method": "none"}, "not trained"),
        ({"method": "reuse", "model_of": "full"}, "another variant's"),
        ({"method": "quantized", "model_of": "full", "quantize": "int8"}, "another variant's"),
        ({"method": "imported", "predictions": "x.sql"}, "made elsewhere"),
        ({"method": "served", "url": "http://localhost:9/v1", "model": "m"}, "a server's"),
        (DRAWN | {"method": "rejection"}, "drawn by a model"),
        (DRAWN | {"method": "dpo"}, "drawn by a model"),
        ({"method": "grpo", "start_from": "full", "tune": {"method": "full"}}, "starts from"),
    ],
)
def test_a_curve_of_what_is_not_trained_is_refused(config, entry, why):
    config["variants"]["other"] = {**entry, "learning_curve": {"rows": [0.1]}}
    with pytest.raises(InputError, match=rf"variants\.other\.learning_curve: .*{why}"):
        check(config)


@pytest.mark.parametrize(
    ("own", "context", "why"),
    [
        ({"start_from": "lora_32r"}, {}, "learned from all rows already; put the curve there"),
        (
            {},
            {"examples": EXAMPLES, "user": "{examples}{schema}{question}"},
            "give .* a context without examples",
        ),
        ({}, {"schema_orders": 2}, "give .* a context without schema_orders"),
    ],
)
def test_a_curve_whose_models_would_see_more_than_their_rows_is_refused(config, own, context, why):
    config["contexts"][config["context"]].update(context)
    config["variants"]["full"].update(own, seeds=[config["seed"]])
    with pytest.raises(InputError, match=rf"variants\.full\.learning_curve: .*{why}"):
        check(config)


def test_the_run_counts_the_time_of_each_point(config):
    listed = benchmarks_of_the_run(config)
    assert {f"results/benchmarks/train/{own.name}.tsv" for own in points_of(config, "full")} < set(
        listed
    )


def test_a_curve_without_validation_or_beside_a_sweep_is_refused(config):
    config["training"]["choose"] = "last"
    config["variants"]["full"]["sweep"] = {"learning_rate": [1.0e-3, 1.0e-4]}
    with pytest.raises(InputError) as caught:
        check(config)
    assert "learning_curve: its models are measured by validation" in str(caught.value)
    assert "learning_curve: is the curve of one recipe" in str(caught.value)
