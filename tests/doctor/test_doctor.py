"""`sqladder doctor` on this machine, and on machines that lack something."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

import fake_gpus
from conftest import ROOT
from sqladder.doctor import doctor_command, installed_parts, machine
from sqladder.doctor.findings import Finding

COMMAND = [sys.executable, "-m", "sqladder.cli", "doctor"]


def doctor(*options, **environment):
    known = {**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts"), **environment}
    return subprocess.run([*COMMAND, *options], capture_output=True, text=True, env=known)


def found(name, **environment):
    done = doctor("--json", **environment)
    return next(each for each in json.loads(done.stdout) if each["name"] == name)


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def gpu(tmp_path):
    return fake_gpus.install(tmp_path, fake_gpus.row(0, model="NVIDIA H100 80GB HBM3"))


def test_the_tests_own_environment_runs_the_demonstration():
    done = doctor()
    assert done.returncode == 0, done.stdout
    assert "The demonstration (make report) can run here." in done.stdout
    for part in ("Python", "SQLite", "PyTorch", "training", "report", "vLLM", "Megatron", "fonts"):
        assert part in done.stdout


def test_versions_are_those_of_the_locks():
    findings = list(installed_parts.look_at_packages(ROOT / "requirements"))
    states = {each.name: each.state for each in findings}
    assert states["training"] == states["report"] == states["workflow"] == "ok"
    training = next(part for part in installed_parts.PARTS if part.name == "training")
    other = installed_parts.look_at(training, {"peft": "0.1"})
    assert (other.state, other.means) == ("note", "tested with peft 0.1")


def test_a_missing_package_names_what_cannot_run_and_what_mends_it():
    part = installed_parts.WorkflowPart(
        "training", ("no-such-package", "rich"), "nothing is trained", "make env"
    )
    assert installed_parts.look_at(part, {}) == Finding(
        "training", "note", "lacks no-such-package", "nothing is trained", "make env"
    )
    needed = installed_parts.look_at(part._replace(needed=True), {})
    assert needed.stops
    assert doctor_command.verdict([needed]).endswith("cannot run here yet: training.")


def test_the_namesake_of_megatrons_adapter_is_told_from_it(tmp_path, monkeypatch):
    (tmp_path / "mcore_adapter").mkdir()
    (tmp_path / "mcore_adapter/__init__.py").write_text("raise SystemExit('ran')")
    about = tmp_path / "mcore_adapter-0.0.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mcore_adapter\nVersion: 0.0.1\n")
    monkeypatch.syspath_prepend(tmp_path)
    part = installed_parts.WorkflowPart(
        "Megatron", ("mcore_adapter",), "it is refused", "docs/megatron.md"
    )
    finding = installed_parts.look_at(part, {})
    assert finding.state == "missing"
    assert finding.mend == "pip uninstall mcore_adapter; docs/megatron.md"
    (tmp_path / "mcore_adapter/training_args.py").write_text("")
    assert installed_parts.look_at(part, {}).state == "ok"


def test_a_gpu_that_this_build_of_pytorch_does_not_see_is_said(gpu):
    path = f"{gpu}{os.pathsep}{os.environ['PATH']}"
    assert found("GPUs", PATH=path)["found"] == "0: NVIDIA H100 80GB HBM3"
    build = found("PyTorch", PATH=path)
    if "CPU" in build["found"]:
        assert build["state"] == "note"
        assert "CUDA build" in build["mend"]
    hidden = found("GPUs", PATH=path, CUDA_VISIBLE_DEVICES="")
    assert hidden["found"] == "none"


def test_the_build_of_pytorch_is_read_as_it_says_itself():
    import torch

    assert installed_parts.cuda_of_torch() == torch.version.cuda


def test_the_hub_answers_or_not(listening):
    assert found("hub", HF_ENDPOINT=listening, HF_HUB_OFFLINE="0")["state"] == "ok"
    assert found("hub", HF_HUB_OFFLINE="1")["mend"] == "unset HF_HUB_OFFLINE"


def test_a_closed_port_and_a_name_that_is_none_are_notes(listening):
    port = listening.rpartition(":")[2]
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    assert closed != int(port)
    for url in (f"http://127.0.0.1:{closed}", "http://no-such-host.invalid", "nonsense"):
        assert machine.hub(url).state == "note", url


def test_a_full_disk_stops_the_demonstration(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "NEEDED_DISK", 2**60)
    finding = machine.disk(tmp_path)
    assert finding.stops
    assert str(tmp_path) in finding.found


def test_little_memory_says_how_to_run_with_it(monkeypatch):
    monkeypatch.setattr(machine, "NEEDED_MEMORY", 2**60)
    finding = machine.memory()
    assert (finding.state, finding.mend.partition(":")[0]) == (
        "note",
        "train one variant at a time",
    )


@pytest.mark.parametrize(
    ("version", "state"), [((3, 10, 0), "missing"), ((3, 12, 1), "ok"), ((3, 13, 0), "missing")]
)
def test_pythons_outside_the_pins_are_refused(monkeypatch, version, state):
    monkeypatch.setattr(machine.sys, "version_info", version)
    assert machine.python().state == state


def test_an_old_sqlite_is_a_note(monkeypatch):
    monkeypatch.setattr(machine.sqlite3, "sqlite_version_info", (3, 38, 5))
    assert "RIGHT or FULL JOIN" in machine.sqlite().means


def test_it_needs_no_package_of_the_workflow():
    """Installed alone the package has its own dependencies only: then above all there is something to say."""
    code = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numpy", "torch", "matplotlib", "pydantic", "snakemake"):
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
from sqladder.doctor.machine import fonts
print(fonts().means)
import sqladder.doctor.doctor_command
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("without ")


def test_every_part_names_a_lock_that_is_there():
    for part in installed_parts.PARTS:
        assert (ROOT / "requirements" / part.lock).is_file(), part.name
        assert replace(installed_parts.look_at(part, {}), found="").name == part.name
