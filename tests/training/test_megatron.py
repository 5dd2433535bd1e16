"""Megatron's arguments and rows; on CPU, that it trains what one process trains."""

import importlib.util
import json
import os
import signal
import subprocess
import time

import pytest
import torch
import yaml

import toy_models
from conftest import ROOT
from sqladder.errors import InputError
from sqladder.files import write_json, write_jsonl
from sqladder.settings.problems import settings_of
from sqladder.training.llamafactory import training_arguments
from sqladder.training.megatron import averaged, check_ready, epoch_rows
from sqladder.training.rows import planned_steps
from sqladder.training.settings import AnyTraining, Parallelism

FOUR_GPUS = Parallelism(method="megatron", gpus=4, tensor=2)
ONE_COPY = {
    "gradient_accumulation": 1,
    "parallelism": Parallelism(method="megatron", gpus=2, tensor=2),
}
ADAPTERS = {"rank": 4, "alpha": 8, "dropout": 0.0, "target_modules": ["q_proj"]}
ENVIRONMENT = ROOT / "workflow/envs/megatron.yaml"


def settings(**changes):
    given = {"learning_rate": 1e-4, "epochs": 2, "batch_size": 2, "gradient_accumulation": 3}
    fixed = {"cutoff_length": 1024, "seed": 7, "save_steps": 50, "parallelism": FOUR_GPUS}
    return settings_of(AnyTraining, {"method": "full", **given, **fixed, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "lora", **ADAPTERS}, "trains all parameters"),
        ({"optimizer": "adamw_8bit"}, "adamw_8bit would be without effect"),
        (
            {"parallelism": {"method": "megatron", "gpus": 2, "tensor": 2, "pipeline": 2}},
            "2 GPUs cannot be",
        ),
        ({"kernels": "fused"}, "which megatron parts"),
    ],
)
def test_what_megatron_cannot_do_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        settings(**changes)


def test_the_arguments_are_those_of_every_training_but_for_megatrons_own(tmp_path):
    given = settings(min_learning_rate=1e-5, gradient_checkpointing=True)
    plain = given.model_copy(update={"parallelism": Parallelism(method="ddp", gpus=2)})
    expected = training_arguments(plain, tmp_path, tmp_path, 100)
    found = training_arguments(given, tmp_path, tmp_path, 100)
    assert found["tensor_model_parallel_size"] == 2
    assert found["pipeline_model_parallel_size"] == 1
    assert found["lr_scheduler_kwargs"] == {"min_lr": 1e-5}
    assert found["recompute_granularity"] == "full"
    assert found["num_train_epochs"] == 1
    assert "overwrite_output_dir" not in found
    alike = ("learning_rate", "warmup_steps", "weight_decay", "seed", "tokenized_path", "bf16")
    assert {name: found[name] for name in alike} == {name: expected[name] for name in alike}
    assert "recompute_granularity" not in training_arguments(settings(), tmp_path, tmp_path, 100)


def test_rows_come_in_the_orders_of_the_trainer(tmp_path):
    """A Trainer's loader is asked for its orders: they change with the epoch and with the seed."""
    from transformers import Trainer, TrainingArguments

    rows = list(range(24))
    trainer = Trainer(
        model=torch.nn.Linear(1, 1),
        args=TrainingArguments(
            tmp_path,
            per_device_train_batch_size=1,
            seed=7,
            data_seed=7,
            use_cpu=True,
            remove_unused_columns=False,
        ),
        train_dataset=[{"labels": row} for row in rows],
    )
    loader = trainer.get_train_dataloader()
    drawn = []
    for epoch in range(2):
        loader.set_epoch(epoch)
        drawn += [int(batch["labels"]) for batch in loader]
    assert epoch_rows(rows, settings()) == drawn
    assert sorted(drawn[:24]) == rows
    assert drawn[:24] != drawn[24:]
    assert epoch_rows(rows, settings(seed=8)) != drawn


def test_rows_fill_whole_steps():
    # A step takes 2 rows x 3 micro-batches x 2 copies.
    given = settings(epochs=1.5)
    rows = epoch_rows(list(range(20)), given)
    assert len(rows) == 24
    assert planned_steps(len(rows), given) == 2
    with pytest.raises(InputError, match="5 rows in all epochs do not fill one step of 12"):
        epoch_rows(list(range(5)), settings(epochs=1))


def test_losses_are_averaged_as_the_trainer_logs_them():
    curve = [(1, 4.0), (2, 2.0), (3, 1.0), (4, 3.0), (5, 7.0)]
    assert averaged(curve, 2) == [(2, 3.0), (4, 2.0), (5, 7.0)]
    assert averaged(curve, 1) == curve


def test_a_package_that_is_missing_is_named_with_its_source(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="alibaba/ROLL and not from PyPI"):
        check_ready(FOUR_GPUS, tmp_path)


QWEN3_1P7B = {
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "intermediate_size": 6144,
    "vocab_size": 151936,
    "num_hidden_layers": 28,
}


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (Parallelism(method="megatron", gpus=64, tensor=2), "16 of 64 are here"),
        (Parallelism(method="megatron", gpus=16, tensor=16), "num_key_value_heads, 8, .* by 16"),
        (Parallelism(method="megatron", gpus=8, pipeline=8), "num_hidden_layers, 28, .* by 8"),
    ],
)
def test_a_model_that_cannot_be_parted_is_refused_before_it_is_loaded(
    plan, message, tmp_path, monkeypatch
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 16)
    write_json(tmp_path / "config.json", QWEN3_1P7B)
    with pytest.raises(InputError, match=message):
        check_ready(plan, tmp_path)
    check_ready(Parallelism(method="megatron", gpus=2, tensor=2), tmp_path)


def test_the_adapter_is_pinned_to_a_commit_of_its_repository():
    packages = yaml.safe_load(ENVIRONMENT.read_text())["dependencies"][-1]["pip"]
    adapter = [name for name in packages if name.lower().startswith(("mcore_adapter", "mcore-"))]
    assert len(adapter) == 1
    source, _, commit = adapter[0].partition("@ git+https://github.com/alibaba/ROLL@")
    assert source == "mcore_adapter "
    assert len(commit.partition("#")[0]) == 40
    assert commit.endswith("#subdirectory=mcore_adapter")


@pytest.fixture
def on_cpu(monkeypatch):
    """Let the training's processes run Megatron here, if its packages are installed."""
    for name in ("megatron", "mcore_adapter"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(
                f"{name} is not installed; workflow/envs/megatron.yaml says where it is from"
            )
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests/without_gpu"))


def train_full(folder, base, **changes):
    folder.mkdir(exist_ok=True)
    options = toy_models.train_options(folder, base, method="full", **changes)
    done = toy_models.run("train.py", **options)
    assert done.returncode == 0, done.stdout
    return json.loads((folder / "train.json").read_text())


def logits(folder):
    model = toy_models.load(folder / "model").float()
    with torch.no_grad():
        return model(torch.arange(60).reshape(2, 30)).logits


# Four rows a step.
spreads = pytest.mark.parametrize(
    "spread",
    [
        {"parallelism_gpus": 2, "parallelism_tensor": 2},
        pytest.param(
            {
                "parallelism_gpus": 2,
                "parallelism_pipeline": 2,
                "gradient_accumulation": 2,
                "batch_size": 2,
            },
            marks=pytest.mark.long,
        ),
        pytest.param({"parallelism_gpus": 2, "batch_size": 2}, marks=pytest.mark.long),
    ],
    ids=["tensor", "pipeline", "copies"],
)


@pytest.mark.slow
@spreads
def test_megatron_trains_as_one_process_does(on_cpu, tmp_path, spread):
    base = toy_models.save_base(tmp_path / "base", layers=2, heads=4)
    alone = train_full(tmp_path / "one", base)
    parted = train_full(tmp_path / "two", base, parallelism_method="megatron", **spread)
    for facts in (alone, parted):
        facts["losses"] = [loss for _, loss in facts["loss_curve"]]
    # MCoreAdapter rounds to four decimals.
    assert parted["losses"] == pytest.approx(alone["losses"], abs=1e-4)
    assert parted["trainable_parameters"] == alone["trainable_parameters"]
    assert torch.allclose(logits(tmp_path / "two"), logits(tmp_path / "one"), atol=1e-3)


def save_base_without(letter, folder):
    """Save a network that gives no number for a row with this letter."""
    words = toy_models.tokenizer()
    model = toy_models.untrained(words, layers=2, heads=4)
    model.config.tie_word_embeddings = False
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    with torch.no_grad():
        model.model.embed_tokens.weight[words.encode(letter)] = torch.nan
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


@pytest.mark.slow
@spreads
def test_a_loss_that_is_no_number_is_named_with_its_step_and_its_rows(on_cpu, tmp_path, spread):
    base = save_base_without("é", tmp_path / "base")
    options = toy_models.train_options(
        tmp_path, base, method="full", parallelism_method="megatron", save_steps=1, **spread
    )
    rows = toy_models.rows(40)
    rows[17]["messages"][1]["content"] += " é"
    write_jsonl(options["data"], rows)
    done = toy_models.run("train.py", **options)
    assert done.returncode == 1
    order = epoch_rows([row["id"] for row in rows], settings(seed=42, batch_size=4, **ONE_COPY))
    step = order.index("q17") // 4 + 1
    said = done.stdout.splitlines()[-1]
    assert f"the loss is nan at step {step} of 20, at a learning rate of " in said
    assert f"rows: {', '.join(order[4 * step - 4 : 4 * step])}. " in said
    assert not options["output"].exists()
    saved = options["work_folder"].glob("run/checkpoint-*/sqladder_progress.json")
    assert max(int(path.parent.name.rpartition("-")[2]) for path in saved) == step - 1


@pytest.mark.slow
def test_a_killed_megatron_training_goes_on_from_its_checkpoint(on_cpu, tmp_path):
    base = toy_models.save_base(tmp_path / "base", layers=2, heads=4)
    spread = {"parallelism_method": "megatron", "parallelism_gpus": 2, "save_steps": 5}
    spread["parallelism_tensor"] = 2
    whole = train_full(tmp_path / "whole", base, **spread)
    folder = tmp_path / "killed"
    folder.mkdir()
    options = toy_models.train_options(folder, base, method="full", **spread)
    first = subprocess.Popen(
        toy_models.command("train.py", **options),
        start_new_session=True,
    )
    saved = folder / "work/run/checkpoint-10/sqladder_progress.json"
    while not saved.exists():
        assert first.poll() is None, "it ended before it was killed"
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert not (folder / "train.json").exists()
    resumed = train_full(folder, base, **spread)
    assert resumed["resumed"]
    assert resumed["loss_curve"] == whole["loss_curve"]
    assert torch.equal(logits(folder), logits(tmp_path / "whole"))
