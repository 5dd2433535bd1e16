"""Run a command with GPUs of its own: lease them, name them in CUDA_VISIBLE_DEVICES, become the command.

Example: python lease_gpus.py --count 2 -- python train.py --method full

Without GPUs (none in the machine, or CUDA_VISIBLE_DEVICES empty) the command runs as it is, on the CPU. With --count 0
it sees none. Where a scheduler has given this job GPUs of its own, they are used as they are. SQLADDER_JOBS_PER_GPU=2
lets two jobs share each GPU. More: docs/gpus.md.
"""

import argparse
import os
import signal
from collections.abc import Sequence
from dataclasses import replace

from sqladder.errors import LOG, InputError, run_main
from sqladder.processes.gpu_devices import Device, installed_devices, usable_devices
from sqladder.processes.gpu_lease import lease

# Set by workflow/rules/common.smk in jobs of a cluster, and here for a lease inside a lease.
ASSIGNED = "SQLADDER_GPUS_ASSIGNED"
JOBS_PER_GPU = "SQLADDER_JOBS_PER_GPU"
# Indices mean what nvidia-smi and schedulers mean by them; CUDA's own order is by speed.
BY_BUS = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
# Less than this is a desktop's or a driver's own.
MIB_IN_USE = 1024


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", required=True, type=int, metavar="N", help="GPUs to lease")
    parser.add_argument("command", nargs="+", help="the command and its arguments, after --")
    return parser.parse_args()


def environment_for(count: int, command: Sequence[str]) -> dict[str, str]:
    """What the command's environment needs besides its own; waits until the GPUs are free."""
    if count == 0:
        return {"CUDA_VISIBLE_DEVICES": ""}
    if os.environ.get(ASSIGNED):
        log(f"assigned GPUs: CUDA_VISIBLE_DEVICES={os.environ.get('CUDA_VISIBLE_DEVICES')}")
        return BY_BUS if "CUDA_DEVICE_ORDER" not in os.environ else {}
    devices = usable_devices(installed_devices())
    if not devices:
        log("no GPU here: running without")
        return {}
    if count > len(devices):
        raise InputError(too_few(count, devices))
    # What others use without a lease comes last; so, of shared devices, do those that have a job.
    devices.sort(key=lambda device: device.used_mib > MIB_IN_USE)
    jobs = jobs_per_gpu(count)
    leased = lease(shares(devices, jobs) if jobs > 1 else devices, count, command)
    if jobs == 1:
        warn_of_others(leased)
    return {
        "CUDA_VISIBLE_DEVICES": ",".join(device.id for device in leased),
        **BY_BUS,
        ASSIGNED: "1",
    }


def jobs_per_gpu(count: int) -> int:
    """How many jobs may have one GPU at a time: the environment's SQLADDER_JOBS_PER_GPU, without it 1.

    Raises:
        InputError: it is no number from 1, or this job needs several GPUs: two of its shares could be of one card.
    """
    text = os.environ.get(JOBS_PER_GPU) or "1"
    if not (text.isascii() and text.isdigit() and int(text)):
        raise InputError(f"{JOBS_PER_GPU}={text}: it must be a whole number from 1")
    if count > 1 and int(text) > 1:
        raise InputError(
            f"this job needs {count} GPUs, and {JOBS_PER_GPU}={text} lets jobs share them: only jobs of one "
            f"GPU can share; run without {JOBS_PER_GPU}"
        )
    return int(text)


def shares(devices: Sequence[Device], jobs: int) -> list[Device]:
    """Each device as many times as it takes jobs, by names of their own; each comes once before one comes again."""
    return [
        replace(device, uuid=f"{device.uuid}/{share}")
        for share in range(1, jobs + 1)
        for device in devices
    ]


def too_few(count: int, devices: Sequence[Device]) -> str:
    ids = ",".join(device.id for device in devices)
    limit = os.environ.get("CUDA_VISIBLE_DEVICES")
    source = "this machine has" if limit is None else f"CUDA_VISIBLE_DEVICES={limit} leaves"
    return (
        f"this job needs {count} GPUs, but {source} {len(devices)} ({ids}): "
        "give it fewer in the config, or run where there are more"
    )


def warn_of_others(leased: Sequence[Device]) -> None:
    uuids = {device.uuid for device in leased}
    for device in installed_devices() or []:
        if device.uuid in uuids and device.used_mib > MIB_IN_USE:
            log(
                f"warning: {device.used_mib} MiB of GPU {device.id} are in use by a process that has just ended "
                "or holds no lease; nvidia-smi shows which"
            )


def log(line: str) -> None:
    LOG.info(f"lease_gpus: {line}")


def main() -> None:
    args = parse_arguments()
    if args.count < 0:
        raise InputError(f"--count is {args.count}: it must be 0 or more")
    added = environment_for(args.count, args.command)
    # Python ignores a closed pipe, and an ignored signal would stay ignored in the command.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvpe(args.command[0], args.command, {**os.environ, **added})
    except OSError as error:
        raise InputError(f"cannot run {args.command[0]!r}: {error.strerror}") from error


if __name__ == "__main__":
    run_main(main)
