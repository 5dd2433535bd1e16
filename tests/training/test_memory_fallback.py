"""Memory that runs out: smaller micro-batches, the same steps, and how it is recognised."""

import json
import os
import subprocess
import time

import psutil
import pytest

import toy_models
from fault_injection import CUBLAS_ERROR, small_memory, workers_of
from sqladder.errors import InputError
from sqladder.files import read_json, write_json
from sqladder.training.faults import is_out_of_memory
from sqladder.training.launch import SPLIT_FILE, _halve_micro_batch
from sqladder.training.settings import FullTraining

SECONDS = 300


@pytest.mark.parametrize(
    "message",
    [
        "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 79.11 GiB",
        "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "NCCL error: unhandled cuda error, NCCL version 2.27.5\n"
        "ncclUnhandledCudaError: Call to CUDA function failed.\nLast error:\n"
        "Cuda failure 2 'out of memory'",
        "NCCL error: unhandled cuda error\nLast error:\nFailed to CUDA calloc async 8 bytes",
        "[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you tried",
    ],
)
def test_memory_that_runs_out_is_recognised_by_each_librarys_words(message):
    assert is_out_of_memory(RuntimeError(message))
    try:
        try:
            raise RuntimeError(message)
        except RuntimeError as error:
            raise ValueError("the loss could not be computed") from error
    except ValueError as error:
        assert is_out_of_memory(error)


def test_torchs_own_errors_are_recognised_and_others_are_not():
    torch = pytest.importorskip("torch")
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert not is_out_of_memory(RuntimeError("CUDA error: device-side assert triggered"))
    assert not is_out_of_memory(KeyError("out of memory"))


def settings(batch_size, **more):
    return FullTraining(
        method="full",
        learning_rate=1e-4,
        epochs=1,
        batch_size=batch_size,
        gradient_accumulation=3,
        cutoff_length=1024,
        seed=1,
        **more,
    )


def test_the_split_is_halved_again_and_again_and_keeps_the_rows_of_a_step(tmp_path, caplog):
    _halve_micro_batch(settings(8), tmp_path)
    assert "out of memory with 8 rows at a time: going on with 4 and 6" in caplog.text
    _halve_micro_batch(settings(8), tmp_path)
    assert read_json(tmp_path / SPLIT_FILE) == {"batch_size": 2, "gradient_accumulation": 12}


@pytest.mark.parametrize(("rows", "named"), [(1, "1 row at a time"), (3, "3 rows at a time")])
def test_a_batch_that_cannot_be_halved_ends_with_the_way_out(tmp_path, rows, named):
    write_json(tmp_path / SPLIT_FILE, {"batch_size": rows, "gradient_accumulation": 4})
    with pytest.raises(InputError, match=f"{named}.*gradient_checkpointing"):
        _halve_micro_batch(settings(8), tmp_path)


def test_kto_keeps_two_rows_by_which_it_estimates_how_far_it_is_from_its_start(tmp_path):
    kto = {"preference": {"loss": "kto"}}
    _halve_micro_batch(settings(4, **kto), tmp_path)
    with pytest.raises(InputError, match=r"2 rows at a time.*kto takes at least 2; set"):
        _halve_micro_batch(settings(4, **kto), tmp_path)
    # Of two processes each may take one.
    two = {"parallelism": {"method": "ddp", "gpus": 2}}
    _halve_micro_batch(settings(4, **kto, **two), tmp_path)
    assert read_json(tmp_path / SPLIT_FILE)["batch_size"] == 1


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toy_models.save_base(tmp_path_factory.mktemp("base") / "base")


def facts_of(options):
    return json.loads(options["facts"].read_text())


def split_of(facts):
    used = facts["settings"]
    return used["batch_size"], used["gradient_accumulation"]


def losses(options):
    return [loss for _, loss in facts_of(options)["loss_curve"]]


@pytest.fixture(scope="module")
def undisturbed(base, tmp_path_factory):
    options = toy_models.train_options(tmp_path_factory.mktemp("whole"), base, method="full")
    done = toy_models.run("train.py", **options)
    assert done.returncode == 0, done.stdout
    return losses(options)


@pytest.mark.slow
def test_a_run_that_runs_out_of_memory_goes_on_and_remembers_it_after_a_kill(
    base, undisturbed, tmp_path
):
    options = toy_models.train_options(tmp_path, base, method="full", save_steps=5)
    # The sixth batch is too large, one step after the first checkpoint.
    crowded = small_memory(tmp_path / "site", rows=2, after=5, error=CUBLAS_ERROR)
    log, work = tmp_path / "log", options["work_folder"]
    with log.open("w") as file:
        run = subprocess.Popen(
            toy_models.command("train.py", **options),
            env=os.environ | crowded,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + SECONDS
    while not (work / "run/checkpoint-10/sqladder_progress.json").is_file():
        assert run.poll() is None, log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for process in [*psutil.Process(run.pid).children(recursive=True), run]:
        process.kill()
    run.wait()
    said = log.read_text()
    assert "out of memory with 4 rows at a time: going on with 2 and 2 accumulation steps" in said
    assert "going on from step 5/20" in said

    done = toy_models.run("train.py", **options)
    assert done.returncode == 0, done.stdout
    assert "out of memory" not in done.stdout
    facts = facts_of(options)
    assert split_of(facts) == (2, 2)
    assert facts["resumed"]
    assert losses(options) == pytest.approx(undisturbed, rel=1e-4)
    assert not (work / SPLIT_FILE).exists()


@pytest.mark.slow
def test_one_of_two_processes_that_runs_out_of_memory_takes_the_other_along(
    base, undisturbed, tmp_path
):
    spread = {"parallelism_method": "ddp", "parallelism_gpus": 2, "batch_size": 2}
    options = toy_models.train_options(tmp_path, base, method="full", save_steps=5, **spread)
    crowded = small_memory(tmp_path / "site", rows=1, rank=1, after=5)
    done = toy_models.run("train.py", environment=crowded, **options)
    assert done.returncode == 0, done.stdout
    assert "going on with 1 and 2 accumulation steps" in done.stdout
    facts = facts_of(options)
    assert split_of(facts) == (1, 2)
    assert losses(options) == pytest.approx(undisturbed, rel=1e-4)
    assert not workers_of(options["work_folder"])


@pytest.mark.slow
def test_rows_that_do_not_fit_one_at_a_time_end_the_run_with_the_way_out(base, tmp_path):
    options = toy_models.train_options(tmp_path, base, method="full", batch_size=2)
    done = toy_models.run(
        "train.py", environment=small_memory(tmp_path / "site", rows=0), **options
    )
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("error: memory does not hold 1 row at a time")
    assert not options["output"].exists()
