"""benchmarks/loss_parity.py: the same steps for every parallelism, and a verdict that can be no."""

import importlib.util
import subprocess
import sys

import pytest

import toy_models
from conftest import ROOT

PROGRAM = ROOT / "benchmarks/loss_parity.py"
spec = importlib.util.spec_from_file_location("loss_parity", PROGRAM)
loss_parity = importlib.util.module_from_spec(spec)
spec.loader.exec_module(loss_parity)


def run_program(*options):
    command = [sys.executable, str(PROGRAM), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("number_format", loss_parity.FORMATS)
def test_every_run_has_the_same_rows_in_a_step(number_format):
    for run in loss_parity.runs(4, 2, 3, number_format):
        options = run.options
        copies = options.get("parallelism_gpus", 1) // options.get("parallelism_tensor", 1)
        assert options["batch_size"] * options["gradient_accumulation"] * copies == 24, run.name


@pytest.mark.parametrize("number_format", loss_parity.FORMATS)
def test_every_run_on_several_gpus_has_a_reference_with_noise(number_format):
    chosen = {run.name: run for run in loss_parity.runs(2, 4, 1, number_format)}
    for name in ("ddp", "zero2", "zero3", "megatron"):
        reference = chosen[chosen[name].reference]
        assert reference.gpus == 1
        assert reference.name + loss_parity.AT_ONCE in chosen
        own = number_format == "bfloat16" and name != "ddp"
        assert reference.options.get("parallelism_method", "single") == (name if own else "single")


def test_each_way_is_measured_by_its_own_noise():
    zero2 = "zero2 on one GPU"
    curves = {
        "single": [3.0, 2.0, 1.0],
        "single" + loss_parity.AT_ONCE: [3.0, 2.01, 1.0],
        "single" + loss_parity.MORE_TURNS: [3.0, 2.0, 1.001],
        zero2: [3.1, 2.1, 1.1],
        zero2 + loss_parity.AT_ONCE: [3.1, 2.13, 1.1],
        "ddp": [3.0, 2.015, 1.0],
        "zero2": [3.1, 2.15, 1.1],
        "zero3": [3.01, 2.01, 1.01],
    }
    references = {"ddp": "single", "zero2": zero2, "zero3": "single"}
    chosen = [loss_parity.Run(name, {}, references.get(name, "")) for name in curves]
    lines = list(loss_parity.table(chosen, curves, {"megatron": "not here"}))
    verdicts = {line.split(" | ")[0][2:]: line.split(" | ")[-1] for line in lines[-4:-1]}
    assert verdicts == {"ddp": "yes |", "zero2": "yes |", "zero3": "**no** |"}
    assert lines[-1] == "\nLeft out: megatron: not here."


def test_a_run_of_one_process_sees_one_gpu(monkeypatch):
    monkeypatch.setattr(loss_parity.torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    one, two = loss_parity.Run("single", {}), loss_parity.Run("ddp", {"parallelism_gpus": 2})
    seen = [loss_parity.devices(one, number)["CUDA_VISIBLE_DEVICES"] for number in range(3)]
    assert seen == ["5", "7", "5"]
    assert loss_parity.devices(two, 1) == {"CUDA_VISIBLE_DEVICES": "5,7"}
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert loss_parity.devices(one, 1) == {"CUDA_VISIBLE_DEVICES": "1"}


def test_packed_rows_get_as_many_rows_as_fill_them():
    row = "x" * 99 + "\n"
    a_row = len(row) // loss_parity.CHARACTERS_A_TOKEN
    assert len(list(loss_parity.rows_to_fill([row] * 50, 10 * a_row))) == 10
    assert len(list(loss_parity.rows_to_fill([row] * 5, 10 * a_row))) == 5


def test_too_few_rows_are_refused(tmp_path):
    rows = toy_models.write_rows(tmp_path / "rows.jsonl", 10)
    needed = ("--base-model", tmp_path, "--data", rows, "--output", tmp_path / "out")
    assert "has 10 rows, 40 steps of 8 need more" in run_program(*needed).stderr
    assert "nothing to compare" in run_program(*needed, "--gpus", 1).stderr


@pytest.mark.slow
# tests/training/test_parallelism.py holds two processes against one.
@pytest.mark.long
def test_every_parallelism_that_runs_here_trains_alike(tmp_path, extensions, monkeypatch):
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", extensions)
    base = toy_models.save_base(tmp_path / "base")
    rows = toy_models.write_rows(tmp_path / "rows.jsonl", 16)
    done = run_program(
        *("--base-model", base, "--data", rows, "--output", tmp_path / "out", "--steps", 4),
        *("--batch-size", 2, "--learning-rate", 0.001, "--packing-length", 0),
    )
    assert done.returncode == 0, done.stderr
    rows = {line.split(" | ")[0][2:]: line for line in done.stdout.splitlines() if "|" in line}
    for name in ("ddp", "zero2", "zero3"):
        assert rows[name].endswith("| yes |"), done.stdout
    assert "megatron" in done.stdout
