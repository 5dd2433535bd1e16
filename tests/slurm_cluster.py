"""A SLURM cluster of two nodes on loopback, for tests: Debian's slurm-wlm and munge, started and stopped.

Each node has two GPUs by name only: their device files are links to /dev/null, which SLURM counts and numbers.
"""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue", "scancel", "munged")
SYSTEM_PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
# Names of nodes have to be addresses too: the launchers of several nodes meet at the first.
NODES = ("127.0.0.1", "127.0.0.2")
SECONDS_TO_START = 60

# Sizes are claimed, not measured (config_overrides): any job of the profile fits, and nothing enforces its limits.
SLURM_CONF = """
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ports[0]}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
MinJobAge=3600
SchedulerParameters=sched_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
NodeName=127.0.0.1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[1]} CPUs=32 RealMemory=256000 Gres=gpu:2
NodeName=127.0.0.2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[2]} CPUs=32 RealMemory=256000 Gres=gpu:2
PartitionName=main Nodes=127.0.0.1,127.0.0.2 Default=YES MaxTime=INFINITE State=UP
"""
GRES_CONF = """
NodeName=127.0.0.1 Name=gpu File={folder}/nvidia[0-1]
NodeName=127.0.0.2 Name=gpu File={folder}/nvidia[2-3]
"""


def find_programs() -> dict[str, str]:
    """Find SLURM's programs and munged, or skip the test."""
    found = {name: shutil.which(name, path=SYSTEM_PATH) for name in PROGRAMS}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed (Debian: apt install slurm-wlm munge)")
    pytest.importorskip(
        "snakemake_executor_plugin_slurm", reason="not installed: make slurm adds it"
    )
    return found


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def environment(folder: Path) -> dict[str, str]:
    """This process's environment with the cluster for SLURM's commands, and no other cluster's job."""
    rest = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("SLURM_", "SBATCH_", "SRUN_")) and key != "CUDA_VISIBLE_DEVICES"
    }
    return {**rest, "PATH": SYSTEM_PATH, "SLURM_CONF": str(folder / "slurm.conf")}


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Run a cluster whose files lie in a folder; give the environment in which its commands work."""
    programs = find_programs()
    write_files(folder)
    settings = environment(folder)
    with contextlib.ExitStack() as stack:
        start = [programs["munged"], "--foreground", "--force", *munge_options(folder)]
        stack.enter_context(daemon(start, folder / "munged.out", settings))
        wait_for(lambda: (folder / "munge.socket").exists(), folder)
        start = [programs["slurmctld"], "-D"]
        stack.enter_context(daemon(start, folder / "slurmctld.out", settings))
        for node in NODES:
            start = [programs["slurmd"], "-D", "-N", node]
            stack.enter_context(daemon(start, folder / f"{node}.out", settings))
        wait_for(lambda: idle_nodes(settings) == len(NODES), folder)
        try:
            yield settings
        finally:
            # Jobs first: their processes are not children of the daemons.
            run(["scancel", "--user", getpass.getuser()], settings)
            wait_for(lambda: not run(["squeue", "--noheader"], settings).stdout.strip(), folder)


def write_files(folder: Path) -> None:
    ports = free_ports(1 + len(NODES))
    values = {"folder": folder, "ports": ports, "user": getpass.getuser()}
    (folder / "slurm.conf").write_text(SLURM_CONF.format(**values))
    (folder / "gres.conf").write_text(GRES_CONF.format(**values))
    for number in range(2 * len(NODES)):
        (folder / f"nvidia{number}").symlink_to("/dev/null")
    for name in ("state", *(f"spool-{node}" for node in NODES)):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)


def munge_options(folder: Path) -> list[str]:
    return [
        f"--key-file={folder}/munge.key",
        f"--socket={folder}/munge.socket",
        f"--pid-file={folder}/munge.pid",
        f"--log-file={folder}/munge.log",
        f"--seed-file={folder}/munge.seed",
    ]


@contextlib.contextmanager
def daemon(command: list[str], output: Path, settings: dict[str, str]) -> Iterator[None]:
    """Run a program in the foreground of its own until the block ends."""
    with output.open("w") as log:
        process = subprocess.Popen(command, env=settings, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def run(command: list[str], settings: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run(command, env=settings, capture_output=True, text=True)


def idle_nodes(settings: dict[str, str]) -> int:
    return run(["sinfo", "--noheader", "-N", "-o", "%T"], settings).stdout.split().count("idle")


def wait_for(condition, folder: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while not condition():
        if time.monotonic() > deadline:
            logs = [*folder.glob("*.out"), *folder.glob("*.log")]
            raise AssertionError("\n".join(f"{path}:\n{path.read_text()}" for path in logs))
        time.sleep(0.1)
