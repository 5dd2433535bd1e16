"""Training over several processes: what is started, and that it gives what one process gives."""

import json
import os
import sys

import pytest

import toy_models
from sqladder.errors import InputError
from sqladder.settings.problems import settings_of
from sqladder.training.processes import (
    deepspeed_config,
    devices_apart,
    devices_beside,
    slurm_rendezvous,
    worker_command,
    worker_environment,
)
from sqladder.training.rows import planned_steps
from sqladder.training.settings import AnyTraining, Parallelism
from training_here import train_here


def settings(**changes):
    values = {"learning_rate": 1e-4, "epochs": 1, "batch_size": 4, "gradient_accumulation": 1}
    fixed = {"method": "full", "cutoff_length": 1024, "seed": 1}
    return settings_of(AnyTraining, {**values, **fixed, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parallelism": {"method": "single", "gpus": 2}}, "single is one process, not 2"),
        ({"parallelism": {"method": "ddp", "gpus": 2, "tensor": 2}}, "Megatron's, not for ddp"),
        (
            {"parallelism": {"method": "megatron", "gpus": 3, "tensor": 2}},
            "3 GPUs cannot be parted",
        ),
        (
            {"parallelism": {"method": "zero3", "gpus": 2}, "kernels": "fused"},
            "kernels: fused .* zero3",
        ),
        ({"packing_length": 2048}, "need kernels: fused"),
        ({"packing_length": 1000, "kernels": "fused"}, "less than the cutoff length, 1024"),
        ({"packing_length": 2049, "kernels": "fused"}, "multiple of 8"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        settings(**changes)


def test_settings_come_back_from_json():
    adapters = {"rank": 4, "alpha": 8, "dropout": 0.0, "target_modules": ["q_proj"]}
    plan = {"method": "ddp", "gpus": 2}
    given = settings(method="lora", parallelism=plan, **adapters)
    assert given.lora.rank == 4
    written = json.dumps(given.model_dump(exclude_none=True))
    assert settings_of(AnyTraining, json.loads(written)) == given


def test_one_process_needs_no_launcher(tmp_path):
    job = tmp_path / "job.json"
    command = worker_command(Parallelism(method="single"), job)
    assert command[0] == sys.executable
    assert command[1].endswith("train_worker.py")
    several = worker_command(Parallelism(method="zero2", gpus=4), job)
    assert several[1:5] == ["-m", "torch.distributed.run", "--nproc-per-node=4", "--standalone"]


def test_processes_of_one_machine_meet_without_its_name(tmp_path):
    """A name that no resolver knows made them wait for each other without end."""
    launcher = worker_command(Parallelism(method="ddp", gpus=2), tmp_path / "job.json")
    assert "--local-addr=localhost" in launcher


def test_several_nodes_meet_where_slurm_says(tmp_path, monkeypatch):
    for name in ("SLURM_JOB_ID", "SLURM_JOB_NODELIST"):
        monkeypatch.delenv(name, raising=False)
    plan = Parallelism(method="ddp", gpus=4, nodes=2)
    with pytest.raises(InputError, match="SLURM_JOB_ID is not set"):
        worker_command(plan, tmp_path / "job.json")
    scontrol = tmp_path / "scontrol"
    scontrol.write_text("#!/bin/sh\n[ $3 = 'gpu[07-08]' ] && echo gpu07 && echo gpu08\n")
    scontrol.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "12345")
    monkeypatch.setenv("SLURM_JOB_NODELIST", "gpu[07-08]")
    assert slurm_rendezvous() == "gpu07:22345"
    command = worker_command(plan, tmp_path / "job.json")
    assert command[:3] == ["srun", "--nodes=2", "--ntasks-per-node=1"]
    assert "--nnodes=2" in command
    assert "--rdzv-endpoint=gpu07:22345" in command


def test_compiled_operators_stay_in_the_work_folder_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.delenv("TORCH_EXTENSIONS_DIR", raising=False)
    environment = worker_environment(Parallelism(method="zero2", gpus=2), tmp_path)
    assert environment["TORCH_EXTENSIONS_DIR"] == str(tmp_path / "extensions")
    assert "USE_MCA" not in environment
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", "/somewhere")
    environment = worker_environment(Parallelism(method="megatron", gpus=2, tensor=2), tmp_path)
    assert environment["TORCH_EXTENSIONS_DIR"] == "/somewhere"
    assert environment["USE_MCA"] == "1"


def test_zero_parts_what_its_stage_says():
    assert deepspeed_config("zero2")["zero_optimization"]["stage"] == 2
    third = deepspeed_config("zero3")["zero_optimization"]
    assert third["stage"] == 3
    assert third["stage3_gather_16bit_weights_on_model_save"]


@pytest.mark.parametrize(
    ("plan", "steps"),
    [
        (Parallelism(method="single"), 13),
        (Parallelism(method="ddp", gpus=2), 7),
        (Parallelism(method="ddp", gpus=2, nodes=2), 4),
    ],
)
def test_steps_are_counted_over_the_copies_of_the_model(plan, steps):
    assert planned_steps(50, settings(parallelism=plan)) == steps


def test_two_processes_train_as_one_does(tmp_path):
    base = toy_models.save_base(tmp_path / "base")
    alone = {"learning_rate": 0.01, "epochs": 2, "seed": 42}
    one = train_here(tmp_path / "one", base, settings(**alone), 40)
    folder = tmp_path / "two"
    folder.mkdir()
    spread = {"parallelism_method": "ddp", "parallelism_gpus": 2, "batch_size": 2}
    options = toy_models.train_options(folder, base, method="full", **spread)
    done = toy_models.run("train.py", **options)
    assert done.returncode == 0, done.stdout
    two = json.loads((folder / "train.json").read_text())
    curves = [[loss for _, loss in facts["loss_curve"]] for facts in (one, two)]
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)


def test_programs_beside_a_training_have_other_gpus_than_it(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6,7")
    assert devices_apart(0) == {}
    parted = devices_apart(2)
    assert parted["CUDA_VISIBLE_DEVICES"] == "4"
    assert devices_beside() == []
    for name, value in parted.items():
        monkeypatch.setenv(name, value)
    assert devices_beside() == ["6", "7"]


def test_too_few_gpus_for_a_training_and_what_draws_for_it_are_refused(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4")
    with pytest.raises(InputError, match=r"drawing_gpus: 1 .*CUDA_VISIBLE_DEVICES=4 leaves 1"):
        devices_apart(1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert devices_apart(1) == {}
