"""Variants that learn from execution: their rounds, what the jobs get, and what is refused before any job."""

import copy

import pytest

from conftest import ROOT
from sqladder.errors import InputError
from sqladder.experiment.config import check
from sqladder.experiment.data_jobs import made_suite
from sqladder.experiment.learning import (
    drawing_flags,
    drawing_model,
    drawing_prompts,
    drawings,
    drawn_file,
    earlier_judged,
    earlier_trainings,
    judging_databases,
    pairing_flags,
    rounds,
    rounds_by,
    training_before,
    training_suites,
    with_rounds,
)
from sqladder.experiment.reading import read_yaml
from sqladder.experiment.report_jobs import benchmarks_of_the_run
from sqladder.experiment.training_jobs import lengths_of, model_to_train, training_flags

TINY = read_yaml(ROOT / "tests/tiny/config.yaml")
LORA = {"method": "lora", "rank": 4, "alpha": 8, "dropout": 0, "target_modules": ["q_proj"]}
REJECTION = {
    "method": "rejection",
    "start_from": "full",
    "samples": 4,
    "temperature": 0.8,
    "tune": LORA,
    "rounds": 2,
}


@pytest.fixture
def config(monkeypatch):
    monkeypatch.chdir(ROOT)
    config = copy.deepcopy(TINY)
    config["variants"]["full"]["seeds"] = [1, 2]
    config["variants"]["kept"] = copy.deepcopy(REJECTION)
    return config


def drawing_of(config, learned_in):
    """The name of what is drawn for a round."""
    return drawn_file(config, learned_in, name="").removeprefix("results/").removesuffix("/")


def test_each_round_draws_from_the_model_of_the_one_before(config):
    check(config)
    own = [name for name in rounds(config) if name.endswith("seed_2")]
    assert own == ["kept/rounds/1/seed_2", "kept/rounds/2/seed_2"]
    assert [drawing_model(config, drawing_of(config, name)) for name in own] == [
        "results/full/seed_2/model",
        "results/kept/rounds/1/seed_2/model",
    ]
    assert earlier_trainings(config) == ["kept/rounds/1/seed_1", "kept/rounds/1/seed_2"]
    judged = [f"results/{drawing_of(config, name)}/judged.jsonl" for name in own]
    assert earlier_judged(config, own[1]) == judged
    assert training_before(config, own[0]) == []
    assert training_before(config, own[1]) == "results/kept/rounds/1/seed_2/train.json"


def test_the_run_counts_the_time_of_drawing_judging_and_each_round(config):
    listed = benchmarks_of_the_run(config)
    jobs = [
        f"{stage}/{name}" for stage in ("draw_answers", "judge_drawn") for name in drawings(config)
    ]
    jobs += [f"train/{name}" for name in (*earlier_trainings(config), "kept/seed_1", "kept/seed_2")]
    assert {f"results/benchmarks/{job}.tsv" for job in jobs} <= set(listed)
    assert len(listed) == len(set(listed))


def test_answers_are_drawn_to_training_questions_by_the_engine_of_the_config(config):
    config["decoding"]["engine"] = "vllm"
    config["decoding"]["gpus"] = 1
    check(config)
    first, second = (drawing_of(config, f"kept/rounds/{number}/seed_1") for number in (1, 2))
    assert drawing_prompts(config, first) == "resources/prompts/published/train.1024.drop.jsonl"
    flags = drawing_flags(config, first)
    assert {"--engine=vllm", "--samples=4", "--temperature=0.8", "--seed=1"} <= set(flags)
    assert "--seed=2" in drawing_flags(config, second)


def test_each_round_trains_the_base_on_its_own_rows(config):
    planned = with_rounds(config)
    for name, rows in {
        "kept/rounds/1/seed_2": "results/kept/rounds/1/seed_2",
        "kept/seed_2": "results/kept/rounds/2/seed_2",
    }.items():
        flags = training_flags(planned, name)
        assert {"--method=lora", "--rank=4", "--seed=2", f"--data={rows}/rows.jsonl"} <= set(flags)
        assert {f"--learned={rows}/kept.json", "--start-from=full/seed_2"} <= set(flags)
        assert model_to_train(planned, name) == "resources/base_model"
    # The rest of the experiment is planned as without.
    assert training_flags(planned, "full/seed_1") == training_flags(config, "full/seed_1")
    assert lengths_of(config, "kept/seed_1") == "results/lengths/published.1024.drop.json"


def preferring(**keys):
    """Another variant that learns from pairs."""
    entry = {key: own for key, own in REJECTION.items() if key != "rounds"}
    return lambda c: c["variants"].update(pairs={**entry, "method": "dpo", **keys})


def test_pairs_are_learned_by_the_model_that_drew_them(config):
    preferring(loss="simpo", beta=2.0)(config)
    check(config)
    planned = with_rounds(config)
    assert model_to_train(planned, "pairs/seed_2") == "results/full/seed_2/model"
    flags = training_flags(planned, "pairs/seed_2")
    own = "results/pairs/rounds/1/seed_2"
    assert {f"--data={own}/pairs.jsonl", f"--learned={own}/kept.json"} <= set(flags)
    assert {"--preference-loss=simpo", "--preference-beta=2.0"} <= set(flags)
    assert pairing_flags(config, "pairs/rounds/1/seed_2")[-3:] == ["rows", "error", "time"]
    assert rounds_by(config, "dpo") == ["pairs/rounds/1/seed_1", "pairs/rounds/1/seed_2"]


def test_kto_learns_from_the_answers_of_the_same_pairs_by_weights_of_its_own(config):
    preferring()(config)
    usual = training_flags(with_rounds(config), "pairs/seed_1")
    assert not [flag for flag in usual if "weight=" in flag and "preference" in flag]
    config["variants"]["pairs"] |= {"loss": "kto", "chosen_weight": 1.5}
    check(config)
    flags = training_flags(with_rounds(config), "pairs/seed_1")
    assert "--data=results/pairs/rounds/1/seed_1/pairs.jsonl" in flags
    assert {"--preference-loss=kto", "--preference-chosen-weight=1.5"} <= set(flags)


@pytest.mark.parametrize(
    ("other", "drawn_once"),
    [({}, True), ({"pairs": 2}, True), ({"temperature": 1.0}, False), ({"samples": 8}, False)],
)
def test_what_variants_draw_alike_is_drawn_once(config, other, drawn_once):
    """Whatever they learn of it, and by whatever name: another variant beside it draws nothing anew."""
    alone = drawings(config)
    preferring(**other)(config)
    config["variants"]["kept"]["keep"] = 2
    check(config)
    assert set(alone) <= set(drawings(config))
    added = len(drawings(config)) - len(alone)
    assert added == (0 if drawn_once else 2)
    own = (drawing_of(config, f"{name}/rounds/1/seed_1") for name in ("kept", "pairs"))
    assert len(set(own)) == (1 if drawn_once else 2)


@pytest.mark.parametrize("is_tested", [False, True])
def test_suites_for_rewards_are_made_of_the_training_questions_alone(config, is_tested):
    questions = {"source": "files", "questions": "q.jsonl", "databases": "db"}
    config["datasets"]["shop"] = {**questions, "suite": {"files": 4}}
    usual = judging_databases(config)
    assert usual == f"resources/datasets/{config['train_on']}/databases"
    config["train_on"] = "shop"
    config["test_on"] = "shop" if is_tested else config["test_on"]
    assert judging_databases(config) == "resources/datasets/shop/training_suite"
    assert made_suite(config) == ("resources/datasets/shop/suite" if is_tested else [])
    del config["variants"]["kept"]
    assert training_suites(config) == []


def suite_beside(c):
    c["datasets"]["shop"] = {"source": "files", "questions": "q.jsonl", "databases": "db"}
    c["datasets"]["shop"]["suite"] = {"files": 4}


def changed(**keys):
    return lambda c: c["variants"]["kept"].update(keys)


def rows_without_databases(c):
    questions = "$SQLADDER_SPIDER/dev.jsonl"
    columns = {"schema": "schema"}
    c["datasets"]["rows"] = {"source": "files", "questions": questions, "columns": columns}
    c["train_on"] = "rows"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed(start_from="baseline"), ["kept.start_from", "'baseline' is the base itself"]),
        (changed(start_from="kept"), ["kept.start_from", "kept -> kept"]),
        (lambda c: c["variants"]["kept"].pop("start_from"), ["kept", "lacks start_from"]),
        (changed(rounds=4), ["kept.rounds", "at most 3"]),
        (changed(samples=1), ["kept.samples", "at least 2"]),
        (changed(temperature=0), ["kept.temperature", "at least 0.01"]),
        (changed(keep=0), ["kept.keep", "at least 1"]),
        (changed(rank=4), ["kept.rank", "remove it"]),
        (changed(tune={"method": "lora", "rank": 4}), ["kept.tune", "lacks alpha"]),
        (changed(tune={**LORA, "target_modules": ["qq"]}), ["kept.tune.target_modules: 'qq'"]),
        (lambda c: c.pop("seed"), ["config: lacks seed"]),
        (changed(tune={"method": "none"}), ["kept.tune", "none"]),
        (changed(sweep={"learning_rate": [1.0e-3, 1.0e-2]}), ["kept.sweep", "remove it"]),
        (preferring(loss="bco"), ["pairs.loss", "'bco'", "simpo", "kto"]),
        (
            preferring(chosen_weight=2.0),
            ["pairs.chosen_weight", "sigmoid takes pairs", "give loss: kto"],
        ),
        (preferring(loss="kto", rejected_weight=0), ["pairs.rejected_weight"]),
        (
            preferring(loss="kto", training={"batch_size": 1}),
            ["pairs: training.batch_size", "too few for kto", "give batch_size: 2"],
        ),
        (preferring(wrong=[]), ["pairs.wrong"]),
        (suite_beside, ["datasets.shop.suite", "on train_on where a variant learns", "remove it"]),
        (preferring(beta=0), ["pairs.beta"]),
        (preferring(rounds=2), ["pairs.rounds", "remove it"]),
        (
            preferring(training={"kernels": "fused"}),
            ["pairs", "training.kernels", "give kernels: plain"],
        ),
        (
            preferring(training={"kernels": "fused", "packing_length": 2048}),
            ["pairs", "training.packing_length", "packing_length: 0 and kernels: plain"],
        ),
        (rows_without_databases, ["kept.method", "'rows' has no databases"]),
        (
            lambda c: c["contexts"]["published"].update(schema_orders=2),
            ["kept.context", "schema_orders", "name a context without"],
        ),
    ],
)
def test_what_cannot_be_learned_from_is_refused_with_the_way_out(config, spider, change, words):
    change(config)
    with pytest.raises(InputError) as error:
        check(config)
    for word in words:
        assert word in str(error.value)
