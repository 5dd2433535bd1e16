"""Fine-tuning through LLaMA-Factory: methods, facts, checks before and during a run."""

import json
import re

import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import AutoTokenizer

import toy_models
from sqladder.demo.settings import LINEAR_LAYERS
from sqladder.errors import InputError
from sqladder.models.shapes import linear_layers
from sqladder.training.checkpoints import mark_complete, prepare_work_folder
from sqladder.training.pairs import pairs_within
from sqladder.training.settings import log_interval


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toy_models.save_base(tmp_path_factory.mktemp("base") / "base")


@pytest.fixture(scope="module")
def lora(base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lora")
    done = toy_models.run("train.py", **toy_models.train_options(folder, base, **toy_models.LORA))
    assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture(scope="module")
def full(base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("full")
    options = toy_models.train_options(folder, base, method="full", gradient_accumulation=2)
    done = toy_models.run("train.py", **options)
    assert done.returncode == 0, done.stdout
    return folder


def changed_weights(base, model):
    """Names of the weights that differ between two checkpoints of one architecture."""
    before, after = (load_file(folder / "model.safetensors") for folder in (base, model))
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_lora_is_merged_into_its_target_modules_and_changes_nothing_else(base, lora):
    changed = changed_weights(base, lora / "model")
    assert {name.split(".")[-2] for name in changed} == {"q_proj", "v_proj"}
    toy_models.load(lora / "model")


def test_full_fine_tuning_changes_every_matrix(base, full):
    changed = changed_weights(base, full / "model")
    assert {"model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight"} <= changed
    toy_models.load(full / "model")


def test_the_facts_of_a_run_follow_from_its_settings(base, lora, full):
    facts = json.loads((lora / "train.json").read_text())
    # 40 rows in batches of 4, twice; q and v of one layer of width 32, with 2 heads and 1 KV head.
    assert facts["steps"] == 20
    assert facts["settings"]["rank"] == 4
    assert facts["settings"]["save_steps"] == 50
    assert facts["trainable_parameters"] == 4 * (32 + 32) + 4 * (32 + 16)
    assert facts["loss_curve"][-1] == [20, facts["final_loss"]]
    assert facts["rows"] == 40
    assert [(row["step"], row["loss"]) for row in facts["log"]] == [
        *map(tuple, facts["loss_curve"])
    ]
    assert all(row["tokens_per_second"] > 0 < row["peak_memory_mb"] for row in facts["log"])
    assert facts["log"][-1]["learning_rate"] < max(row["learning_rate"] for row in facts["log"])
    assert [step for step, _ in facts["loss_curve"]] == list(range(1, 21))
    tokenizer = AutoTokenizer.from_pretrained(base)
    rows = [json.loads(line) for line in (lora / "train.jsonl").read_text().splitlines()]
    length = sum(
        len(tokenizer.apply_chat_template(r["messages"], return_dict=False)) - 1 for r in rows
    )
    assert facts["tokens"] == 2 * length
    facts = json.loads((full / "train.json").read_text())
    assert facts["steps"] == 10
    assert facts["trainable_parameters"] == facts["total_parameters"]
    assert facts["final_loss"] < facts["loss_curve"][0][1]
    assert facts["versions"]["llamafactory"]


def test_the_tokenizer_of_a_trained_model_is_that_of_its_base(base, lora):
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        assert (lora / "model" / name).read_bytes() == (base / name).read_bytes()
    assert not (lora / "model" / "Modelfile").exists()


def test_work_files_stay_readable_and_checkpoints_go(lora):
    arguments = yaml.safe_load((lora / "work" / "train.yaml").read_text())
    assert arguments["lora_target"] == "q_proj,v_proj"
    assert arguments["learning_rate"] == 0.01
    assert not list(lora.rglob("checkpoint-*"))
    assert not list(lora.rglob("*.partial"))


def test_the_untrained_variant_shares_the_files_of_its_base(base, tmp_path):
    options = {"method": "none", "base_model": base, "output": tmp_path / "model"}
    done = toy_models.run("train.py", facts=tmp_path / "train.json", **options)
    assert done.returncode == 0, done.stdout
    for path in base.iterdir():
        assert (tmp_path / "model" / path.name).read_bytes() == path.read_bytes()
    weights = [folder / "model.safetensors" for folder in (base, tmp_path / "model")]
    assert weights[0].stat().st_ino == weights[1].stat().st_ino
    facts = json.loads((tmp_path / "train.json").read_text())
    assert (facts["steps"], facts["seconds"], facts["trainable_parameters"]) == (0, 0, 0)
    assert facts["total_parameters"] == toy_models.load(base).num_parameters()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target_modules": ["q_proj", "q_prj"]}, "'q_prj'.*did you mean q_proj.*down_proj"),
        ({"target_modules": ["all-linear", "q_proj"]}, "all-linear is each of them"),
        ({"dora": True, "quantize": "nf4"}, "--dora: .* leave out one of them"),
        ({"quantize": "nf3"}, "--quantize: .*nf4"),
        ({"method": "full"}, "--rank: has no use with method full"),
        ({"base_model": "nowhere"}, "base model nowhere is not a folder"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_loaded(base, tmp_path, change, message):
    options = toy_models.train_options(tmp_path, base, **toy_models.LORA) | change
    done = toy_models.run("train.py", **options)
    assert done.returncode == 1
    assert done.stdout.startswith("error: ")
    assert "Traceback" not in done.stdout
    assert re.search(message, done.stdout)
    assert not (tmp_path / "model").exists()


def test_every_linear_layer_of_the_toy_base_may_be_a_target(base):
    assert set(linear_layers(base)) == set(LINEAR_LAYERS)


def test_rows_beyond_the_cutoff_are_left_out_and_counted(caplog):
    pairs = [([1, 2], [3]), ([1, 2, 3], [4])]
    assert pairs_within(pairs, 3) == pairs[:1]
    assert "left out 1 of 2 rows" in caplog.text
    with pytest.raises(InputError, match="the shortest has 3"):
        pairs_within(pairs, 2)


def test_a_diverging_run_ends_with_one_line_and_no_model(base, tmp_path):
    options = toy_models.train_options(tmp_path, base, method="full", learning_rate=1e30)
    done = toy_models.run("train.py", **options)
    assert done.returncode == 1
    assert "the training diverged" in done.stdout.splitlines()[-1]
    assert not (tmp_path / "model").exists()


def checkpoint(folder, step, complete):
    path = folder / "run" / f"checkpoint-{step}"
    path.mkdir(parents=True)
    if complete:
        mark_complete(path, seconds=1.5)
    return path


def test_a_run_resumes_from_the_last_complete_checkpoint(tmp_path):
    assert prepare_work_folder(tmp_path, {"rank": 4}) == 0
    checkpoint(tmp_path, 5, complete=True)
    checkpoint(tmp_path, 10, complete=True)
    torn = checkpoint(tmp_path, 15, complete=False)
    assert prepare_work_folder(tmp_path, {"rank": 4}) == 10
    assert not torn.exists()


def test_a_changed_setting_starts_afresh(tmp_path):
    prepare_work_folder(tmp_path, {"rank": 4})
    checkpoint(tmp_path, 5, complete=True)
    assert prepare_work_folder(tmp_path, {"rank": 8}) == 0
    assert not list(tmp_path.rglob("checkpoint-*"))


@pytest.mark.parametrize(
    ("steps", "save_steps", "interval"), [(20, 50, 1), (1130, 50, 10), (1130, 7, 7), (9000, 50, 50)]
)
def test_every_checkpoint_falls_on_a_point_of_the_loss_curve(steps, save_steps, interval):
    assert log_interval(steps, save_steps) == interval
