"""Variants that search their settings: what they try, what the jobs get, and what is refused before any job."""

import copy
import json

import pytest

from conftest import ROOT
from sqladder.errors import InputError
from sqladder.experiment.config import check
from sqladder.experiment.generation_jobs import prompts_to_answer
from sqladder.experiment.reading import read_yaml
from sqladder.experiment.sweeps import (
    budget_flags,
    candidates,
    choice_flags,
    context_choice,
    context_choices,
    searched,
    settings_file,
    trained_by_a_job,
    with_candidates,
    with_contexts,
)
from sqladder.experiment.training_jobs import (
    fitted_prompts,
    judge_command,
    training_flags,
    training_settings,
    validation_prompts,
)

DEFAULT = read_yaml(ROOT / "config/config.yaml")
RATES = [1.0e-3, 3.0e-3]

pytestmark = pytest.mark.usefixtures("in_the_project")


@pytest.fixture
def config():
    """The default, in which one variant of adapters and one of all parameters search."""
    config = copy.deepcopy(DEFAULT)
    config["training"]["choose"] = "validation"
    config["variants"]["lora_32r"]["sweep"] = {"learning_rate": RATES, "rank": [4, 8, 16]}
    config["variants"]["full"]["sweep"] = {"learning_rate": RATES}
    return config


def tried(config, variant):
    return [candidate.swept for candidate in candidates(config, variant)]


def test_a_grid_has_each_combination_in_the_order_of_its_lists(config):
    check(config)
    assert tried(config, "lora_32r") == [
        {"learning_rate": rate, "rank": rank} for rate in RATES for rank in (4, 8, 16)
    ]


def test_a_draw_is_of_the_grid_by_the_seed_and_grows_without_losing_one(config):
    sweep = config["variants"]["lora_32r"]["sweep"]
    sweep.update(rank=list(range(1, 21)), random=5)
    five = tried(config, "lora_32r")
    sweep["random"] = 8
    eight = tried(config, "lora_32r")
    assert (len(five), len(eight)) == (5, 8)
    assert all(one in eight for one in five)
    sweep["random"] = 5
    config["variants"]["lora_32r"]["seed"] = 7
    assert tried(config, "lora_32r") != five


def test_one_value_more_leaves_the_folders_of_the_others(config):
    before = [own.name for own in candidates(config, "full")]
    config["variants"]["full"]["sweep"]["learning_rate"] = [1.0e-4, *RATES]
    after = [own.name for own in candidates(config, "full")]
    assert after[1:] == before
    assert len(set(after)) == 3


def test_a_candidate_is_trained_as_the_variant_but_for_what_it_tries(config):
    own = candidates(config, "lora_32r")[-1]
    settings = training_settings(with_candidates(config), own.name)
    plain = training_settings(config, "lora_32r")
    changed = {"learning_rate": 3.0e-3, "rank": 16}
    assert settings == plain.model_copy(update=changed)
    assert judge_command(with_candidates(config), own.name) == judge_command(config, "lora_32r")


def test_checkpoints_are_asked_greedily_by_the_variants_own_engine(config):
    config["variants"]["full"]["decoding"] = {"engine": "vllm", "temperature": 0.8, "samples": 4}
    full, lora = judge_command(config, "full"), judge_command(config, "lora_32r")
    assert {"--engine=vllm", "--temperature=0.0"} <= set(full)
    assert "--engine=transformers" in lora
    assert "--adapters" in lora and "--adapters" not in full


def test_the_first_seed_takes_a_candidate_and_others_are_trained_with_its_settings(config):
    config["variants"]["full"]["seeds"] = [5, 6]
    check(config)
    trained = trained_by_a_job(config)
    assert searched(config) == ["lora_32r", "full/seed_5"]
    assert not {"lora_32r", "full/seed_5"} & set(trained)
    assert {"baseline", "full/seed_6", candidates(config, "full")[0].name} <= set(trained)
    assert settings_file(config, "full/seed_6") == "results/full/seed_5/train.json"
    expanded = with_candidates(config)
    assert "--swept=results/full/seed_5/train.json" in training_flags(expanded, "full/seed_6")
    first = candidates(config, "full")[0]
    assert training_settings(expanded, first.name).seed == 5
    assert choice_flags(config, "full/seed_5")[:3] == [
        "--candidate",
        f"results/{first.name}",
        json.dumps(first.swept),
    ]


def test_another_budget_is_only_for_candidates_that_were_left_out(config, tmp_path, monkeypatch):
    config["variants"]["full"]["sweep"]["gpu_hours"] = 2
    monkeypatch.chdir(tmp_path)
    trained, left_out = [own.name for own in candidates(config, "full")]
    for name, facts in ((trained, {"budget": 1.0}), (left_out, {"budget": 1.0, "left_out": "x"})):
        (tmp_path / "results" / name).mkdir(parents=True)
        (tmp_path / "results" / name / "train.json").write_text(json.dumps(facts))
    assert budget_flags(config, trained) == ["--budget=1.0"]
    assert budget_flags(config, left_out) == ["--budget=2.0"]
    other = candidates(config, "lora_32r")[0].name
    assert budget_flags(config, other) == budget_flags(config, "baseline") == []


def sweep_contexts(config):
    """Two contexts that one variant tries, each with two rates; give it two seeds."""
    config["contexts"]["bare"] = {"schema": "compact", "system": "", "user": "{schema}\n{question}"}
    config["variants"]["full"]["sweep"]["context"] = ["published", "bare"]
    config["variants"]["full"]["seeds"] = [5, 6]
    config["variants"]["full_schema"]["context"] = "bare"


def test_each_candidate_reads_the_rows_and_questions_of_its_own_context(config):
    sweep_contexts(config)
    check(config)
    expanded = with_candidates(config)
    for own in candidates(config, "full"):
        folder = f"resources/prompts/{own.swept['context']}"
        assert fitted_prompts(expanded, own.name).startswith(f"{folder}/train.")
        assert validation_prompts(expanded, own.name) == f"{folder}/validation.jsonl"


def test_a_context_that_was_chosen_is_that_of_all_seeds_and_of_the_test(
    config, tmp_path, monkeypatch
):
    sweep_contexts(config)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/full/seed_5").mkdir(parents=True)
    facts = {"swept": {"learning_rate": 1.0e-3, "context": "bare"}}
    (tmp_path / "results/full/seed_5/train.json").write_text(json.dumps(facts))
    known = with_contexts(with_candidates(config), context_choices(config, "full/seed_6"))
    assert prompts_to_answer(known, "full/seed_6") == "resources/prompts/bare/test.jsonl"
    assert fitted_prompts(known, "full/seed_6").startswith("resources/prompts/bare/train.")
    (tmp_path / "results/full/seed_5/train.json").write_text('{"swept": {"learning_rate": 0.001}}')
    with pytest.raises(InputError, match=r"swept\.context is None.*one of published, bare; delete"):
        with_contexts(config, context_choices(config, "full/seed_6"))


def test_only_jobs_of_a_variant_that_searches_a_context_wait_for_it(config):
    assert context_choices(config, None) == {}
    sweep_contexts(config)
    searching = {"full": "full/seed_5"}
    assert context_choices(config, None) == searching
    assert context_choices(config, "full/seed_6") == searching
    assert context_choice(config, "full/seed_6") == ["results/full/seed_5/train.json"]
    expanded = with_candidates(config)
    for name in ("lora_32r", "baseline", candidates(config, "full")[0].name):
        assert context_choices(expanded, name) == {}


def without_choice(config):
    config["training"]["choose"] = "last"


def one_value(config):
    config["variants"]["full"]["sweep"] = {"learning_rate": [1.0e-3]}


def too_many_draws(config):
    config["variants"]["full"]["sweep"]["random"] = 3


def wrong_key(config):
    config["variants"]["full"]["sweep"]["learnig_rate"] = RATES


def adapters_of_full(config):
    config["variants"]["full"]["sweep"]["rank"] = [4, 8]


def no_list(config):
    config["variants"]["full"]["sweep"]["learning_rate"] = 1.0e-3


def twice(config):
    config["variants"]["full"]["sweep"]["learning_rate"] = [1.0e-3, 1.0e-3]


def wrong_value(config):
    config["variants"]["full"]["sweep"]["epochs"] = [1.0, -2.0]


def misfit_of_one(config):
    config["variants"]["full"]["sweep"]["min_learning_rate"] = [0.0, 2.0e-3]


def unknown_layer(config):
    config["variants"]["lora_32r"]["sweep"] = {"target_modules": [["q_prj"], ["v_proj"]]}


def too_few_to_be_halved(config):
    config["variants"]["full"]["sweep"]["halving"] = {"factor": 3}


def halving_of_lengths(config):
    config["variants"]["full"]["sweep"].update(epochs=[1.0, 2.0], halving={"factor": 2})


def halving_beside_an_early_stop(config):
    config["training"]["stop_early"] = {"patience": 2}
    config["variants"]["full"]["sweep"]["halving"] = {"factor": 2}


def no_parting(config):
    config["variants"]["full"]["sweep"]["halving"] = {"factor": 1}


def unknown_context(config):
    config["variants"]["full"]["sweep"]["context"] = ["published", "other"]


def context_without_a_turn_that_asks_again(config):
    config["contexts"]["bare"] = {"schema": "compact", "system": "", "user": "{schema}\n{question}"}
    config["contexts"]["published"]["repair_turn"] = "{sql} {error}"
    config["variants"]["full"]["sweep"]["context"] = ["published", "bare"]
    config["variants"]["full"]["decoding"] = {"repair": {"rounds": 1}}


def asked_in_no_chosen_context(config):
    sweep_contexts(config)
    del config["variants"]["full_schema"]["context"]


def started_in_no_chosen_context(config):
    sweep_contexts(config)
    config["variants"]["more"] = {"method": "full", "start_from": "full"}


def of_the_base(config):
    config["variants"]["baseline"]["sweep"] = {"learning_rate": RATES}


def of_a_reused(config):
    config["variants"]["again"] = {"method": "reuse", "model_of": "full"}
    config["variants"]["again"]["sweep"] = {"learning_rate": RATES}


def of_imported(config):
    config["variants"]["theirs"] = {"method": "imported", "predictions": "README.md"}
    config["variants"]["theirs"]["sweep"] = {"learning_rate": RATES}


def of_a_server(config):
    config["variants"]["far"] = {"method": "served", "url": "http://localhost:1/v1", "model": "m"}
    config["variants"]["far"]["sweep"] = {"learning_rate": RATES}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (without_choice, ["full.sweep", "give training.choose: validation"]),
        (one_value, ["full.sweep", "at least two"]),
        (too_many_draws, ["full.sweep.random", "3 combinations", "from 2", "leave random out"]),
        (wrong_key, ["full.sweep", "'learnig_rate'", "did you mean learning_rate?"]),
        (adapters_of_full, ["full.sweep", "rank"]),
        (no_list, ["full.sweep.learning_rate", "0.001", "list"]),
        (twice, ["full.sweep.learning_rate", "0.001 twice"]),
        (wrong_value, ["full.sweep.epochs", "-2.0", "above 0"]),
        (misfit_of_one, ["full.sweep", "min_learning_rate", "0.002 is above"]),
        (unknown_layer, ["lora_32r.sweep.target_modules", "'q_prj'", "did you mean q_proj?"]),
        (
            too_few_to_be_halved,
            ["full.sweep.halving.factor", "is 3", "2 candidates;", "smaller factor"],
        ),
        (halving_of_lengths, ["full.sweep.halving", "take variants.full.sweep.epochs out"]),
        (halving_beside_an_early_stop, ["full.sweep.halving", "stop_early", "one of the two"]),
        (no_parting, ["full.sweep.halving.factor", "1"]),
        (unknown_context, ["full.sweep.context", "no context 'other'", "has published"]),
        (context_without_a_turn_that_asks_again, ["full", "'bare'", "contexts.bare.repair_turn"]),
        (
            asked_in_no_chosen_context,
            ["variants.full_schema:", "'full' chooses", "give variants.full_schema.context"],
        ),
        (
            started_in_no_chosen_context,
            ["variants.more:", "'full' chooses", "give variants.more.context"],
        ),
        (of_the_base, ["baseline.sweep", "not trained", "remove it", "full or lora"]),
        (of_a_reused, ["again.sweep", "another variant's", "put the sweep there"]),
        (of_imported, ["theirs.sweep", "made elsewhere", "remove it"]),
        (of_a_server, ["far.sweep", "server", "remove it"]),
    ],
)
def test_what_no_sweep_can_be_is_refused_with_the_way_out(config, spoil, words):
    spoil(config)
    with pytest.raises(InputError) as refused:
        check(config)
    assert [word for word in words if word not in str(refused.value)] == []
