"""lease_gpus.py as a rule runs it: real processes, real locks, a stand-in for nvidia-smi."""

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

import fake_gpus
from conftest import ROOT

PROGRAM = ROOT / "workflow/scripts/lease_gpus.py"
SECONDS = 60
# Writes down which devices it has from when to when, and fails if another job of this test has one of them meanwhile.
JOB = """
import os, sys, time
from pathlib import Path
folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
devices = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
for device in devices:
    os.close(os.open(folder / device, os.O_CREAT | os.O_EXCL))
start = time.monotonic()
time.sleep(seconds)
for device in devices:
    (folder / device).unlink()
with (folder / "jobs.txt").open("a") as log:
    log.write(f"{os.environ['CUDA_VISIBLE_DEVICES']} {start} {time.monotonic()}\\n")
"""
SHOW = (
    "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'), os.environ.get('CUDA_DEVICE_ORDER'))"
)
SLEEP = "import time; print('started', flush=True); time.sleep(600)"


@pytest.fixture
def machine(tmp_path):
    """Make environments of a machine with some GPUs; its lease folder is made by the first lease."""

    def make(gpus=2, **more):
        rows = [fake_gpus.row(index) for index in range(gpus)]
        programs = fake_gpus.install(tmp_path / "bin", *rows)
        return fake_gpus.environment(programs, tmp_path / "leases", **more)

    return make


@pytest.fixture
def start():
    """Start leases that are killed when the test ends."""
    started = []

    def start_lease(environment, count, *command):
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), "--count", str(count), "--", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start_lease
    for process in started:
        # The group has its number until its last process has ended.
        if process.poll() is None or group_is_alive(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def group_is_alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def python(code, *arguments):
    return [sys.executable, "-c", code, *map(str, arguments)]


def run(start, environment, count, *command):
    process = start(environment, count, *command)
    output, errors = process.communicate(timeout=SECONDS)
    return process.returncode, output.strip(), errors


def read_until(stream, text):
    """Read lines until one has the text; give all of them."""
    lines = []
    for line in stream:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError(f"{text!r} did not come: {''.join(lines)}")


def test_a_job_sees_its_own_devices_only(machine, start):
    assert run(start, machine(4), 2, *python(SHOW))[1] == "0,1 PCI_BUS_ID"


def test_four_concurrent_jobs_on_fewer_gpus_never_share_one(machine, start, tmp_path):
    environment = machine(2)
    jobs = [start(environment, 1, *python(JOB, tmp_path, 0.4)) for _ in range(4)]
    for job in jobs:
        assert job.communicate(timeout=SECONDS)[1].count("leased GPU") == 1
        assert job.returncode == 0
    rows = [line.split() for line in (tmp_path / "jobs.txt").read_text().splitlines()]
    assert sorted(row[0] for row in rows) == ["0", "0", "1", "1"]
    # Both were in use at a time: the jobs did not just run one after the other.
    starts = sorted(float(row[1]) for row in rows)
    assert starts[1] < min(float(row[2]) for row in rows)


def test_jobs_share_a_gpu_where_they_are_told_to(machine, start):
    environment = machine(2, SQLADDER_JOBS_PER_GPU="2")
    jobs = [start(environment, 1, *python(SHOW + "; " + SLEEP)) for _ in range(4)]
    seen = sorted(read_until(job.stdout, "started").split()[0] for job in jobs)
    assert seen == ["0", "0", "1", "1"]
    fifth = start(environment, 1, *python(SHOW))
    assert "waiting for 1 of the GPUs 0,1,0,1" in read_until(fifth.stderr, "waiting")
    # A run that does not share waits for a whole card.
    whole = start(machine(2), 1, *python(SHOW))
    assert "waiting for 1 of the GPUs 0,1" in read_until(whole.stderr, "waiting")
    jobs[0].kill()
    assert fifth.communicate(timeout=SECONDS)[0].split()[0] in ("0", "1")
    for job in jobs[1:]:
        job.kill()
    assert whole.communicate(timeout=SECONDS)[0].split()[0] in ("0", "1")


@pytest.mark.parametrize("shared", ["0", "-1", "two", "1.5"])
def test_a_wrong_number_of_jobs_a_gpu_is_refused(machine, start, shared):
    code, _, errors = run(start, machine(2, SQLADDER_JOBS_PER_GPU=shared), 1, *python(SHOW))
    assert code == 1
    assert f"SQLADDER_JOBS_PER_GPU={shared}: it must be a whole number from 1" in errors


def test_a_job_of_several_gpus_takes_no_shares(machine, start):
    code, _, errors = run(start, machine(2, SQLADDER_JOBS_PER_GPU="2"), 2, *python(SHOW))
    assert code == 1
    assert "this job needs 2 GPUs, and SQLADDER_JOBS_PER_GPU=2 lets jobs share them" in errors


def test_jobs_that_need_different_numbers_all_end(machine, start, tmp_path):
    environment = machine(3)
    counts = [2, 3, 1, 2, 1, 3, 2, 1]
    jobs = [start(environment, n, *python(JOB, tmp_path, 0.1)) for n in counts]
    for job in jobs:
        job.communicate(timeout=SECONDS)
        assert job.returncode == 0
    rows = (tmp_path / "jobs.txt").read_text().splitlines()
    assert sorted(len(row.split()[0].split(",")) for row in rows) == sorted(counts)


def test_a_waiting_job_says_who_has_the_device_and_goes_on_when_the_holder_is_killed(
    machine, start
):
    environment = machine(1)
    holder = start(environment, 1, *python(SLEEP))
    read_until(holder.stdout, "started")
    waiting = start(environment, 1, *python(SHOW))
    log = read_until(waiting.stderr, "is held by")
    assert "waiting for 1 of the GPUs 0" in log
    assert f"GPU 0 is held by process {holder.pid} of " in log
    assert "time.sleep(600)" in log
    assert waiting.poll() is None
    holder.send_signal(signal.SIGKILL)
    output, errors = waiting.communicate(timeout=SECONDS)
    assert output.split()[0] == "0"
    assert "leased GPU 0 after " in errors


def test_a_job_that_is_killed_while_it_waits_is_in_nobodys_way(machine, start):
    environment = machine(2)
    holder = start(environment, 1, *python(SLEEP))
    read_until(holder.stdout, "started")
    greedy = start(environment, 2, *python(SHOW))
    read_until(greedy.stderr, "is held by")
    late = start(environment, 1, *python(SHOW))
    assert f"2 GPU(s) are first for process {greedy.pid}" in read_until(late.stderr, "first for")
    greedy.send_signal(signal.SIGKILL)
    assert late.communicate(timeout=SECONDS)[0].split()[0] == "1"


@pytest.mark.parametrize("close_fds", [True, False])
def test_a_rank_that_outlives_its_launcher_keeps_the_device(machine, start, close_fds):
    # close_fds is what Python's subprocess and torchrun do: of the open files, the child gets the standard ones only.
    launcher = f"""
import subprocess, sys, time
rank = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], close_fds={close_fds})
print("started", rank.pid, flush=True)
time.sleep(600)
"""
    environment = machine(1)
    holder = start(environment, 1, *python(launcher))
    rank = int(read_until(holder.stdout, "started").split()[-1])
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    waiting = start(environment, 1, *python(SHOW))
    log = read_until(waiting.stderr, "is held by")
    assert f"process {holder.pid} of " in log
    assert "which is gone" in log
    os.kill(rank, signal.SIGKILL)
    assert waiting.communicate(timeout=SECONDS)[0].split()[0] == "0"


RANK = """
import os, time
from pathlib import Path
Path("rank.txt").write_text(str(os.getpid()))
time.sleep(600)
"""


def test_a_rank_of_torchrun_keeps_the_device_when_torchrun_is_killed(
    machine, start, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rank.py").write_text(RANK)
    environment = machine(1)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "rank.py"]
    launcher = start(environment, 1, *command)
    deadline = time.monotonic() + 120
    while not (tmp_path / "rank.txt").exists() or not (tmp_path / "rank.txt").read_text():
        assert time.monotonic() < deadline
        assert launcher.poll() is None
        time.sleep(0.1)
    rank = int((tmp_path / "rank.txt").read_text())
    launcher.send_signal(signal.SIGKILL)
    launcher.wait()
    waiting = start(environment, 1, *python(SHOW))
    assert "which is gone" in read_until(waiting.stderr, "is held by")
    os.kill(rank, signal.SIGKILL)
    assert waiting.communicate(timeout=SECONDS)[0].split()[0] == "0"


def test_the_command_is_the_same_process_with_its_own_arguments_and_status(machine, start):
    show = "import os, sys; print(os.getpid(), sys.argv[1:], sys.stdin.read() == ''); sys.exit(7)"
    process = start(machine(), 1, *python(show, "--count", "a b", "--"))
    output, _ = process.communicate(timeout=SECONDS)
    assert output.strip() == f"{process.pid} ['--count', 'a b', '--'] True"
    assert process.returncode == 7


def test_a_closed_pipe_ends_the_command_as_without_the_lease(machine, start):
    assert run(start, machine(), 1, "sh", "-c", "yes | head -n 1; echo $?")[1] == "y\n0"
    shown = run(start, machine(), 1, "sh", "-c", "grep SigIgn /proc/self/status")[1]
    assert int(shown.split()[1], 16) & (1 << (signal.SIGPIPE - 1)) == 0


@pytest.mark.parametrize(
    ("listed", "count", "expected"),
    [("3,1", 1, "3"), ("3,1", 2, "3,1"), ("GPU-00000002", 1, "2")],
)
def test_an_outer_list_restricts_what_is_leased(machine, start, listed, count, expected):
    environment = machine(4, CUDA_VISIBLE_DEVICES=listed)
    assert run(start, environment, count, *python(SHOW))[1].split()[0] == expected


def test_two_lists_of_one_machine_meet_by_uuid(machine, start):
    holder = start(machine(2, CUDA_VISIBLE_DEVICES="GPU-00000001-aaaa"), 1, *python(SLEEP))
    read_until(holder.stdout, "started")
    assert run(start, machine(2), 1, *python(SHOW))[1].split()[0] == "0"
    waiting = start(machine(2, CUDA_VISIBLE_DEVICES="1"), 1, *python(SHOW))
    read_until(waiting.stderr, f"GPU 1 is held by process {holder.pid}")


def test_containers_that_number_one_card_differently_do_not_share_it(machine, start, tmp_path):
    holder = start(machine(2, CUDA_VISIBLE_DEVICES="1"), 1, *python(SLEEP))
    read_until(holder.stdout, "started")
    only_the_second = fake_gpus.row(1).replace("1,", "0,", 1)
    container = fake_gpus.environment(
        fake_gpus.install(tmp_path / "container", only_the_second), tmp_path / "leases"
    )
    waiting = start(container, 1, *python(SHOW))
    read_until(waiting.stderr, f"GPU 0 is held by process {holder.pid}")
    holder.send_signal(signal.SIGKILL)
    assert waiting.communicate(timeout=SECONDS)[0].split()[0] == "0"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "this job needs 3 GPUs, but this machine has 2 (0,1)"),
        ({"CUDA_VISIBLE_DEVICES": "1"}, "but CUDA_VISIBLE_DEVICES=1 leaves 1 (1)"),
    ],
)
def test_more_than_there_are_is_an_error_at_once(machine, start, more, message):
    status, output, errors = run(start, machine(2, **more), 3, *python(SHOW))
    assert (status, output) == (1, "")
    assert message in errors
    assert "Traceback" not in errors


def test_an_empty_list_or_a_machine_without_gpus_runs_the_command_as_it_is(machine, start):
    status, output, errors = run(start, machine(2, CUDA_VISIBLE_DEVICES=""), 4, *python(SHOW))
    assert (status, output) == (0, "None")
    assert "no GPU here" in errors
    assert run(start, machine(0), 4, *python(SHOW))[:2] == (0, "None None")


def test_a_job_that_needs_no_gpu_sees_none(machine, start):
    environment = machine(1)
    holder = start(environment, 1, *python(SLEEP))
    read_until(holder.stdout, "started")
    assert run(start, environment, 0, *python(SHOW))[:2] == (0, "None")


def test_the_assignment_of_a_scheduler_is_used_as_it_is(machine, start):
    holder = start(machine(1), 1, *python(SLEEP))
    read_until(holder.stdout, "started")
    environment = machine(1, SQLADDER_GPUS_ASSIGNED="1", CUDA_VISIBLE_DEVICES="0")
    status, output, errors = run(start, environment, 1, *python(SHOW))
    assert (status, output) == (0, "0 PCI_BUS_ID")
    assert "assigned GPUs: CUDA_VISIBLE_DEVICES=0" in errors


def test_a_lease_inside_a_lease_waits_for_nothing(machine, start):
    inner = [sys.executable, str(PROGRAM), "--count", "1", "--", *python(SHOW)]
    assert run(start, machine(1), 1, *inner)[1] == "0 PCI_BUS_ID"


def test_a_device_that_others_use_without_a_lease_comes_last_and_is_warned_of(start, tmp_path):
    programs = fake_gpus.install(tmp_path / "bin", fake_gpus.row(0, 30000), fake_gpus.row(1))
    environment = fake_gpus.environment(programs, tmp_path / "leases")
    _, output, errors = run(start, environment, 1, *python(SHOW))
    assert output.split()[0] == "1"
    assert "warning" not in errors
    _, output, errors = run(start, environment, 2, *python(SHOW))
    assert output.split()[0] == "1,0"
    assert "warning: 30000 MiB of GPU 0 are in use" in errors


def test_the_lease_folder_serves_several_users(machine, start, tmp_path):
    umask = os.umask(0o077)
    try:
        environment = machine(1)
        run(start, environment, 1, *python(SHOW))
    finally:
        os.umask(umask)
    folder = tmp_path / "leases"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
    modes = {path.suffix: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"": 0o666, ".json": 0o644}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be two users")
def test_two_users_share_the_leases():
    nobody = "import os; os.setgid(65534); os.setuid(65534)\n"
    take = f"""
import os, sys
sys.path.insert(0, {str(PROGRAM.parent)!r})
from sqladder.processes.gpu_devices import Device
from sqladder.processes.gpu_lease import lease
from sqladder.errors import show_log
show_log()
"""
    hold = take + "lease([Device('0', 'GPU-a')], 1, ['hold'])\nprint('held', flush=True)\n"
    hold += "import time; time.sleep(600)"
    code = take + nobody + "lease([Device('0', 'GPU-a')], 1, ['nobody'])\nprint('held', flush=True)"
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # A temporary folder of pytest is closed to other users.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        environment = {**os.environ, "SQLADDER_GPU_LEASES": f"{folder}/leases"}
        holder = subprocess.Popen(python(hold), env=environment, **options)
        try:
            read_until(holder.stdout, "held")
            with subprocess.Popen(python(code), env=environment, **options) as waiting:
                assert f"process {holder.pid} of " in read_until(waiting.stderr, "is held by")
                holder.kill()
                output, errors = waiting.communicate(timeout=SECONDS)
                assert output == "held\n", errors
        finally:
            holder.kill()
            holder.communicate()


def test_what_a_dead_holder_left_is_not_believed(machine, start, tmp_path):
    environment = machine(1)
    holder = start(environment, 1, *python(SLEEP))
    read_until(holder.stdout, "started")
    [left] = (tmp_path / "leases").glob("*.json")
    assert json.loads(left.read_text())["held"] == ["GPU-00000000-aaaa"]
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert left.exists()
    assert run(start, environment, 1, *python(SHOW))[1].split()[0] == "0"
    assert not left.exists()


@pytest.mark.parametrize(
    "change",
    [lambda said: {**said, "priority": 3}, lambda said: {"device": 0}, lambda said: [said]],
    ids=["more", "other", "no object"],
)
def test_a_lease_of_another_version_is_read_or_named(machine, start, tmp_path, change):
    environment = machine(2)
    holder = start(environment, 1, *python(SLEEP))
    read_until(holder.stdout, "started")
    [lease] = (tmp_path / "leases").glob("*.json")
    said = change(json.loads(lease.read_text()))
    lease.write_text(json.dumps(said))
    code, output, errors = run(start, environment, 1, *python(SHOW))
    if "priority" in said:
        assert output.split()[0] == "1"
    else:
        assert code == 1
        assert f"{lease}, a GPU lease in use, was written by another version" in errors
        assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--count", "-1", "--", "true"], "--count is -1"),
        (["--count", "1", "--", "no-such-program"], "cannot run 'no-such-program'"),
        (["--count", "1"], "required: command"),
    ],
)
def test_a_wrong_call_is_refused(machine, arguments, message):
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *arguments], env=machine(), capture_output=True, text=True
    )
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_lease_takes_a_moment(machine, start):
    # torch would take seconds; every training and generation starts with this.
    started = time.monotonic()
    run(start, machine(8), 8, "true")
    assert time.monotonic() - started < 5
