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


def test_every_run_has_the_same_rows_in_a_step():
    for run in loss_parity.runs(gpus=4, batch=2, gradient_accumulation=3):
        options = run.options
        copies = options.get("gpus", 1) // options.get("tensor", 1)
        assert options["batch_size"] * options["gradient_accumulation"] * copies == 24, run.name


def test_a_curve_beyond_rounding_is_called_so():
    curves = {
        "single": [3.0, 2.0, 1.0],
        loss_parity.OTHER_SPLIT: [3.0, 2.01, 1.0],
        "ddp": [3.0, 2.015, 1.0],
        "zero2": [3.0, 2.03, 1.0],
        "zero3": [3.01, 2.01, 1.01],
    }
    lines = list(loss_parity.table(curves, {"megatron": "not here"}))
    verdicts = {line.split(" | ")[0]: line.split(" | ")[-1] for line in lines[4:7]}
    assert verdicts == {"| ddp": "yes |", "| zero2": "**no** |", "| zero3": "**no** |"}
    assert lines[-1] == "\nLeft out: megatron: not here."


def test_too_few_rows_are_refused(tmp_path):
    rows = toy_models.write_rows(tmp_path / "rows.jsonl", 10)
    needed = ("--base-model", tmp_path, "--data", rows, "--output", tmp_path / "out")
    assert "has 10 rows, 40 steps of 8 need more" in run_program(*needed).stderr
    assert "nothing to compare" in run_program(*needed, "--gpus", 1).stderr


@pytest.mark.slow
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
