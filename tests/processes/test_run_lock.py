import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sqladder
from conftest import copy_project, run_snakemake, snakemake_environment
from sqladder.errors import InputError
from sqladder.processes.run_lock import take_lock

HOLD = "from sqladder.processes.run_lock import take_lock; import sys, time; "
HOLD += "from pathlib import Path; h = take_lock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".snakemake" / "run.lock"


@pytest.fixture
def holder(path):
    """Another process that holds the lock."""
    environment = {**os.environ, "PYTHONPATH": str(Path(sqladder.__file__).parent.parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_run_is_refused_and_told_who_is_at_work(path, holder):
    with pytest.raises(InputError, match=f"process {holder.pid} is running"):
        take_lock(path)


def test_a_killed_run_leaves_no_lock(path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with take_lock(path) as handle:
        assert not handle.closed
    assert path.read_text() == f"{os.getpid()}\n"


def test_a_lock_given_back_can_be_taken_again(path):
    take_lock(path).close()
    take_lock(path).close()


def test_a_second_workflow_in_the_folder_waits_for_no_job_of_the_first(tmp_path):
    project = copy_project(tmp_path / "project")
    # Its first job takes a minute.
    program = project / "bin" / "python"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\ntouch started\nexec sleep 60\n")
    program.chmod(0o755)
    slow = os.pathsep.join([str(program.parent), os.environ["PATH"]])
    target = ["--cores", "1", "resources/datasets/demo/databases"]
    first = subprocess.Popen(
        [sys.executable, "-m", "snakemake", *target],
        cwd=project,
        env=snakemake_environment() | {"PATH": slow},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(600):
            if (project / "started").exists():
                break
            time.sleep(0.1)
        second = run_snakemake(project, *target)
        assert second.returncode != 0
        assert f"process {first.pid} is running this workflow in {project}" in second.stdout
        assert "Traceback" not in second.stdout
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    third = run_snakemake(project, *target)
    assert third.returncode == 0, third.stdout
