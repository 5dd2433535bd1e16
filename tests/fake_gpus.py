"""A stand-in for nvidia-smi, the external program that says which GPUs a machine has."""

import os
import sys
from pathlib import Path

NVIDIA_SMI = """#!/bin/sh
# Answers the one query that the workflow puts to nvidia-smi.
cat <<'ROWS'
{rows}
ROWS
exit {status}
"""


def row(index: int, used_mib: int = 0, model: str = "NVIDIA H200") -> str:
    return f"{index}, GPU-{index:08x}-aaaa, {used_mib}, {model}"


def install(folder: Path, *rows: str, status: int = 0) -> Path:
    """Write a program named nvidia-smi that prints these rows; give its folder, for PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "nvidia-smi"
    program.write_text(NVIDIA_SMI.format(rows="\n".join(rows), status=status))
    program.chmod(0o755)
    return folder


def environment(programs: Path, leases: Path, **more: str) -> dict[str, str]:
    """An environment with these GPUs, a lease folder of its own, and nothing inherited that names GPUs."""
    names = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "SQLADDER_GPUS_ASSIGNED")
    rest = {key: value for key, value in os.environ.items() if key not in names}
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**rest, "PATH": path, "SQLADDER_GPU_LEASES": str(leases), **more}
