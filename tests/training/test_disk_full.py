"""A full disk is said as such, before a training or in the middle of it, and the last checkpoint stays good."""

import errno
import json
import subprocess
import time
from collections import namedtuple

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

import toy_models
from sqladder.errors import InputError
from sqladder.models.shapes import linear_layers
from sqladder.training import disk
from sqladder.training.adapters import adapter_weights
from sqladder.training.checkpoints import mark_complete
from sqladder.training.disk import check_room, explain_full_disk, size
from sqladder.training.faults import is_disk_full, is_failed_write
from sqladder.training.settings import FullTraining, LoraSettings, LoraTraining

Usage = namedtuple("Usage", "total used free")
MEGABYTES = 8
SECONDS = 300


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toy_models.save_base(tmp_path_factory.mktemp("base") / "base")


def test_a_full_disk_is_recognised_by_what_each_library_makes_of_it(small_disk):
    fill(small_disk / "ballast")
    with pytest.raises(OSError) as plain:
        (small_disk / "text").write_text("x")
    with pytest.raises(SafetensorError) as safe:
        save_file({"weights": torch.zeros(10_000)}, small_disk / "model.safetensors")
    with pytest.raises(RuntimeError) as torchs:
        torch.save(torch.zeros(10_000), small_disk / "optimizer.pt")
    assert is_disk_full(plain.value)
    assert is_disk_full(safe.value)
    assert is_failed_write(torchs.value)


def test_other_errors_are_no_full_disk():
    assert not is_disk_full(OSError(errno.EACCES, "Permission denied"))
    assert not is_failed_write(OSError(errno.EACCES, "Permission denied"))


def test_adapters_have_the_weights_that_peft_gives_them(tmp_path):
    peft = pytest.importorskip("peft")
    layers = linear_layers(toy_models.save_base(tmp_path / "base"))
    for names in (["q_proj", "v_proj"], ["all-linear"]):
        adapted = peft.get_peft_model(
            toy_models.untrained(),
            peft.LoraConfig(r=4, target_modules=names if len(names) > 1 else names[0]),
        )
        expected = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
        lora = LoraSettings(rank=4, alpha=8, dropout=0.0, target_modules=names)
        assert adapter_weights(lora, layers) == expected


GIVEN = {
    "learning_rate": 1e-4,
    "epochs": 1,
    "batch_size": 4,
    "gradient_accumulation": 1,
    "cutoff_length": 1024,
    "seed": 1,
    "save_steps": 10,
}


def settings(**changes):
    return FullTraining(method="full", **GIVEN, **changes)


def adapters():
    modules = ["all-linear"]
    return LoraTraining(method="lora", **GIVEN, rank=4, alpha=8, dropout=0, target_modules=modules)


def test_too_little_room_is_refused_before_the_start(base, tmp_path, monkeypatch):
    weights = toy_models.load(base).num_parameters()
    stored = (base / "model.safetensors").stat().st_size

    def free(amount):
        monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: Usage(0, 0, amount))

    needed = 3 * 12 * weights + stored
    free(needed)
    check_room(settings(), base, tmp_path, steps=100)
    free(needed - 1)
    with pytest.raises(InputError, match=r"1\.0 MB are free .* 3 checkpoints of 302\.6 kB"):
        check_room(settings(), base, tmp_path, steps=100)
    # Two checkpoints at most in twenty-one steps, and what lies there already needs no room.
    free(needed - 12 * weights)
    check_room(settings(), base, tmp_path, steps=21)
    mark_complete(tmp_path / "run/checkpoint-10", 1.0)
    check_room(settings(), base, tmp_path, steps=100)
    free(0)
    with pytest.raises(InputError, match="0 bytes are free"):
        check_room(adapters(), base, tmp_path, steps=100)


def test_the_message_names_folder_room_and_way_out(base, tmp_path):
    mark_complete(tmp_path / "run/checkpoint-20", 1.0)
    torn = tmp_path / "run/checkpoint-30"
    torn.mkdir()
    text = explain_full_disk(settings(), base, tmp_path)
    assert str(tmp_path) in text
    assert "a checkpoint takes about 302.6 kB" in text
    assert text.endswith("the same command goes on from step 20")
    assert not torn.exists()


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (20.6e9, "20.6 GB"), (5e15, "5000.0 TB")],
)
def test_sizes_are_written_in_a_fitting_unit(count, text):
    assert size(count) == text


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path):
    """Write a file until the disk is full."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            assert error.errno == errno.ENOSPC


@pytest.mark.slow
def test_a_disk_that_fills_up_ends_the_run_and_the_same_command_goes_on(base, small_disk, tmp_path):
    options = toy_models.train_options(
        tmp_path, base, method="full", save_steps=5, epochs=10, work_folder=small_disk / "work"
    )
    log = tmp_path / "log"
    with log.open("w") as file:
        run = subprocess.Popen(
            toy_models.command("train.py", **options),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + SECONDS
    while not list(small_disk.glob("work/run/checkpoint-*/sqladder_progress.json")):
        assert run.poll() is None, log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    fill(small_disk / "ballast")
    assert run.wait() == 1
    last = log.read_text().splitlines()[-1]
    assert last.startswith(f"error: {small_disk / 'work'}: its disk is full"), log.read_text()
    assert "goes on from step " in last
    kept = int(last.rpartition(" ")[2])
    assert kept >= 5
    (small_disk / "ballast").unlink()

    done = toy_models.run("train.py", **options)
    assert done.returncode == 0, done.stdout
    assert f"going on from step {kept}/100" in done.stdout
    assert json.loads(options["facts"].read_text())["steps"] == 100
