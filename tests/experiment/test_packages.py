"""Packages that only some settings need are asked for before training starts."""

import os

import pytest

from conftest import ROOT, copy_project, run_snakemake
from sqladder.errors import InputError
from sqladder.experiment.packages import check_packages
from sqladder.experiment.reading import read_yaml
from sqladder.experiment.tracking_jobs import check_trackers


@pytest.fixture
def config():
    config = read_yaml(ROOT / "config/config.yaml")
    config["decoding"]["engine"] = "vllm"
    config["variants"]["full"]["parallelism"] = {"method": "megatron", "gpus": 2}
    config["variants"]["lora_128r"]["quantize"] = "nf4"
    for kind in ("q8_0", "int8"):
        small = {"method": "quantized", "model_of": "lora_32r", "quantize": kind}
        config["variants"][f"small_{kind}"] = small
    return config


@pytest.fixture
def python_without(tmp_path, monkeypatch):
    """A `python` on the path that has none of the packages that it is asked for."""
    program = tmp_path / "bin" / "python"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (("generate", "lora_32r"), "lora_32r uses the engine vllm.*envs/vllm.yaml.*transformers"),
        (("generate_samples", "full"), "full uses the engine vllm"),
        (("train", "full"), "full uses the parallelism megatron.*envs/megatron.yaml"),
        (("train", "lora_128r"), "lora_128r uses quantize: nf4.*bitsandbytes.lock"),
        (("quantize", "small_q8_0"), "small_q8_0 uses quantize: q8_0.*llama_cpp.*make gguf"),
        (("generate", "small_q8_0"), "small_q8_0 uses quantize: q8_0.*llama_cpp.*make gguf"),
        (("generate", "small_int8"), "small_int8 uses quantize: int8.*bitsandbytes.*make nf4"),
    ],
)
def test_a_missing_package_is_named_with_who_needs_it(config, python_without, job, words):
    with pytest.raises(InputError, match=words):
        check_packages(config, [job])


def test_a_tracker_that_is_not_installed_is_refused(config, python_without):
    config["trackers"] = ["mlflow"]
    with pytest.raises(InputError, match=r"trackers: mlflow is not installed.*make trackers"):
        check_trackers(config)


def test_without_trackers_no_package_of_theirs_is_asked_for(config, python_without):
    check_trackers(config)


def test_only_jobs_that_need_a_package_ask_for_it(config, python_without):
    check_packages(config, [("train", "lora_32r"), ("train", "baseline"), ("score", "full")])


def test_a_run_stops_before_its_first_job(tmp_path):
    project = copy_project(tmp_path / "project")
    path = project / "config/config.yaml"
    path.write_text(path.read_text().replace("engine: transformers", "engine: vllm"))
    # A `python` that runs the rules' programs, and has no vLLM even where this one has it.
    program = project / "bin" / "python"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n[ "$1" = -c ] && exit 1\nexec touch ran\n')
    program.chmod(0o755)
    before = os.pathsep.join([str(program.parent), os.environ["PATH"]])
    done = run_snakemake(project, "--cores", "1", "results/full/predictions.jsonl", PATH=before)
    assert done.returncode != 0
    assert "uses the engine vllm, and the package vllm is not installed" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (project / "ran").exists()
