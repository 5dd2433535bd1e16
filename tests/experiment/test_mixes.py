"""Several training sets with weights: what is read of each, what reruns, and what is refused before any job."""

import copy
import json

import pytest

from conftest import ROOT
from sqladder.errors import InputError
from sqladder.experiment.config import check
from sqladder.experiment.data_jobs import databases_of, examples_of, imported_examples_of
from sqladder.experiment.mixes import mixed_files, mixing_flags, with_mix
from sqladder.experiment.reading import read_yaml
from sqladder.experiment.report_jobs import merged_config, training_row_files
from sqladder.experiment.training_jobs import training_flags, training_settings
from sqladder.experiment.trainings import with_trainings

DEFAULT = read_yaml(ROOT / "config/config.yaml")
DRAWN = {"start_from": "full", "samples": 2, "temperature": 1.0, "tune": {"method": "full"}}

pytestmark = pytest.mark.usefixtures("in_the_project")


@pytest.fixture
def config(tmp_path):
    """The default, trained on the demonstration and on a set of files with a split."""
    (tmp_path / "shop.jsonl").write_text("[]\n")
    (tmp_path / "databases").mkdir()
    config = copy.deepcopy(DEFAULT)
    shop = {"questions": str(tmp_path / "shop.jsonl"), "databases": str(tmp_path / "databases")}
    shop |= {"source": "files", "split": {"by": "question", "validation": 0.2, "test": 0.2}}
    config["datasets"]["shop"] = shop
    del config["train_on"]
    return config | {"train_mix": {"shop": 4.0, "demo": 0.5}}


def test_a_mix_is_made_of_the_training_parts_and_stands_for_train_on(config):
    check(config)
    mixed = with_mix(config)
    assert mixed_files(mixed, "examples") == [
        "resources/datasets/demo/train.jsonl",
        "resources/datasets/shop/train.jsonl",
    ]
    assert mixing_flags(mixed)[:3] == ["--set", "demo", "resources/datasets/demo/train.jsonl"]
    assert examples_of(mixed, "train") == "resources/datasets/train_mix/examples.jsonl"
    assert databases_of(mixed, "train") == "resources/datasets/train_mix/databases"
    mixed["decontamination"] = {"drop": ["sql"], "mark": []}
    # All sets are compared with the test, and what stays is what is trained on and shown as examples.
    assert imported_examples_of(mixed, "train") == "resources/datasets/train_mix/examples.jsonl"
    assert examples_of(mixed, "train") == "resources/decontaminated/train.jsonl"
    files = training_row_files(mixed)
    assert files["mix"] == "results/train_mix.json"
    assert files["gold_checks"] == "resources/datasets/shop/gold.jsonl"
    # The test's own questions are no part of it.
    assert examples_of(mixed, "test") == "resources/datasets/demo/test.jsonl"


def test_the_order_of_the_sets_plans_the_same_jobs(config):
    turned = config | {"train_mix": dict(reversed(config["train_mix"].items()))}
    for function in (mixing_flags, lambda own: training_flags(own, "full")):
        assert function(with_mix(config)) == function(with_mix(turned))


def test_weights_are_settings_of_each_training_and_of_nothing_else(config):
    config["training"]["choose"] = "validation"
    config["validate_on"] = "shop"
    config["variants"]["full"]["learning_curve"] = {"rows": [0.5]}
    config["variants"]["lora_32r"]["sweep"] = {"rank": [8, 16]}
    check(config)
    mixed = with_trainings(with_mix(config))
    names = [name for name, own in mixed["variants"].items() if own["method"] in ("lora", "full")]
    assert {"full/learning_curve/0.5/seed_42"} < set(names)
    for name in names:
        if "seed" not in name:
            assert training_settings(mixed, name).weights == ["demo=0.5", "shop=4.0"]
    heavier = with_mix(config | {"train_mix": {"shop": 5.0, "demo": 0.5}})
    assert mixing_flags(heavier) == mixing_flags(with_mix(config))
    assert training_flags(heavier, "full") != training_flags(with_mix(config), "full")


def test_what_is_recorded_is_what_was_written(config):
    recorded = json.loads(merged_config(with_mix(config)))
    assert recorded == config
    check(recorded)


def test_one_set_has_no_weights():
    config = with_mix(copy.deepcopy(DEFAULT))
    assert config == DEFAULT
    assert not [word for word in training_flags(config, "full") if "weights" in word]


def refused(config, words, **changes):
    with pytest.raises(InputError, match=words):
        check(config | changes)


@pytest.mark.parametrize("weight", [0, -1.0, 101, "4", None, float("nan")])
def test_a_weight_that_is_none_is_refused(config, weight):
    refused(config, r"train_mix\.shop", train_mix={"shop": weight})


def test_unknown_and_unfit_sets_are_refused(config):
    refused(config, r"train_mix\.none: there is no data set 'none'", train_mix={"none": 1.0})
    refused(config, "train_mix", train_mix={})
    refused(config, r"train_mix: train_on names a training set already", train_on="demo")
    bare = {key: own for key, own in config.items() if key != "train_mix"}
    refused(bare, "config: lacks train_on")
    wanted = r"train_on: \['shop', 'demo'\] is a list, .* train_mix: {shop: 1.0, demo: 1.0} instead"
    refused(bare, wanted, train_on=["shop", "demo"])
    named = {**config["datasets"], "train_mix": config["datasets"]["demo"]}
    refused(config, r"datasets\.train_mix: .*choose another name", datasets=named)
    del config["datasets"]["shop"]["databases"], config["datasets"]["shop"]["split"]
    refused(config, r"train_mix\.shop: has no databases")


def test_the_test_in_the_mix_is_refused_unless_it_is_split(config):
    check(config | {"test_on": "shop"})
    del config["datasets"]["shop"]["split"]
    refused(config, r"'shop' is train_mix\.shop too and has no split", test_on="shop")
    twin = {**config["datasets"], "twin": dict(config["datasets"]["shop"])}
    refused(config, "are those of train_mix.shop", test_on="twin", datasets=twin)


@pytest.mark.parametrize("method", ["rejection", "dpo"])
def test_learning_from_execution_names_one_set(config, method):
    drawn = {"method": method, **DRAWN}
    refused(
        config,
        r"variants\.drawn\.method: .*name one by train_on",
        variants={**config["variants"], "drawn": drawn},
    )


def test_choices_name_their_questions(config):
    config["training"]["choose"] = "validation"
    refused(config, "training.choose: validation needs validate_on beside train_mix")
    check(config | {"validate_on": "demo"})
    # Else all of its questions are trained on.
    del config["datasets"]["shop"]["split"]
    refused(config, "'shop' has no validation split", validate_on="shop")
