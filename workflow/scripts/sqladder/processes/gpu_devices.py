"""The GPUs of this machine and which of them a process may use, found without importing torch.

A device has two names. Its *id* is what CUDA_VISIBLE_DEVICES takes: an index, because vLLM refuses UUIDs. Its *UUID* is
what it is locked by: containers number the devices that they see from 0, so one card can be 0 here and 3 there.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqladder.errors import InputError

QUERY = "--query-gpu=index,uuid,memory.used,name"
NOTHING_FOUND = 6  # nvidia-smi's exit status where the driver works and sees no device
DRIVER = Path("/proc/driver/nvidia")
SECONDS = 120


@dataclass(frozen=True)
class Device:
    """A GPU: its id for CUDA_VISIBLE_DEVICES, its UUID, its model, and the MiB of its memory that are in use."""

    id: str
    uuid: str
    model: str = ""
    used_mib: int = 0


def installed_devices() -> list[Device] | None:
    """List the GPUs that nvidia-smi sees, in its order; None where there is no nvidia-smi.

    Raises:
        InputError: the driver is loaded, but nvidia-smi fails or hangs.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    command = [program, QUERY, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        raise InputError(_failure(f"gave no answer in {SECONDS} s")) from error
    if done.returncode == 0:
        return [_parse_row(line) for line in done.stdout.splitlines() if line.strip()]
    # The program without the driver: a machine whose card was taken out, or a login node.
    if done.returncode == NOTHING_FOUND or not DRIVER.exists():
        return []
    raise InputError(_failure(f"failed: {(done.stderr or done.stdout).strip()}"))


def _failure(what: str) -> str:
    return (
        f"nvidia-smi {what}; without it no GPU can be leased: mend the driver, or run on the CPU "
        "with CUDA_VISIBLE_DEVICES= (empty)"
    )


def _parse_row(line: str) -> Device:
    index, uuid, used, model = (field.strip() for field in line.split(",", 3))
    # "[N/A]" for cards that share the machine's memory.
    return Device(index, uuid, model, int(used) if used.isdigit() else 0)


def usable_devices(installed: Sequence[Device] | None) -> list[Device]:
    """List the devices that the environment's CUDA_VISIBLE_DEVICES leaves, in its order; without it, all.

    As CUDA reads it, an empty list or -1 as its first entry leaves none.

    Args:
        installed: what `installed_devices` gives. None: the list alone says what there is, as in a container without
            nvidia-smi, and its entries stand for UUIDs.

    Raises:
        InputError: the list names a device that is not there, names one twice, or is ambiguous.
    """
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is None:
        return list(installed or [])
    entries = [entry.strip() for entry in listed.split(",")]
    hidden_from = next((i for i, entry in enumerate(entries) if _hides(entry)), len(entries))
    entries = entries[:hidden_from]
    if installed is not None and not installed:
        return []
    devices = [_named_device(entry, installed, listed) for entry in entries]
    uuids = [device.uuid for device in devices]
    if len(set(uuids)) < len(uuids):
        raise InputError(f"CUDA_VISIBLE_DEVICES={listed} names a device twice: name each once")
    return devices


def _hides(entry: str) -> bool:
    # NoDevFiles is what SLURM writes for a job without a GPU.
    return entry in ("", "NoDevFiles") or entry.startswith("-")


def _named_device(entry: str, installed: Sequence[Device] | None, listed: str) -> Device:
    # A slice of a card (MIG) is a device of its own, which the query for cards does not list.
    if installed is None or entry.startswith("MIG-"):
        return Device(entry, entry)
    if entry.isdigit():
        _check_order(installed, listed)
        found = [device for device in installed if device.id == entry]
    else:
        # CUDA takes the beginning of a UUID where only one device has it.
        found = [device for device in installed if device.uuid.startswith(entry)]
    if len(found) != 1:
        known = ", ".join(f"{device.id} ({device.uuid})" for device in installed)
        raise InputError(
            f"CUDA_VISIBLE_DEVICES={listed} names {entry!r}, but this machine has the GPUs {known}"
        )
    return found[0]


def _check_order(installed: Sequence[Device], listed: str) -> None:
    """Refuse indices whose meaning is open: without an order, CUDA counts unequal cards by speed, nvidia-smi by bus."""
    is_by_bus = os.environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
    if len({device.model for device in installed}) > 1 and not is_by_bus:
        raise InputError(
            f"CUDA_VISIBLE_DEVICES={listed} counts by speed, because this machine's GPUs differ: set "
            "CUDA_DEVICE_ORDER=PCI_BUS_ID and use the indices of nvidia-smi, or name UUIDs"
        )
