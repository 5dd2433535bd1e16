"""The machine: processors, memory, disk, GPUs, fonts, SQLite, and the way to the hub."""

import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from sqladder.doctor.findings import Finding
from sqladder.errors import InputError
from sqladder.processes.gpu_devices import installed_devices, usable_devices

GIB = 2**30
# Of `make report` (docs/hardware.md): memory while three variants train side by side; environment and results.
NEEDED_MEMORY, NEEDED_DISK = 3 * GIB, 4 * GIB
# pyproject.toml's requires-python, which says nothing where the package runs from a folder.
FIRST_PYTHON, TOO_NEW_PYTHON = (3, 11), (3, 13)
# From here on SQLite has RIGHT and FULL JOIN (sqlite.org/releaselog/3_39_0.html), which models write.
ALL_JOINS = (3, 39, 0)
HUB = "https://huggingface.co"
SECONDS = 3.0


def look_at_the_machine(folder: Path) -> Iterator[Finding]:
    """Yield what there is beside packages.

    Args:
        folder: where a run would write.
    """
    yield python()
    yield sqlite()
    yield processors()
    yield memory()
    yield disk(folder)
    yield gpus()
    yield fonts()
    yield hub(os.environ.get("HF_ENDPOINT", HUB))


def python() -> Finding:
    """Python's version."""
    first, new = (".".join(map(str, version)) for version in (FIRST_PYTHON, TOO_NEW_PYTHON))
    fits = FIRST_PYTHON <= sys.version_info[:2] < TOO_NEW_PYTHON
    found = ".".join(map(str, sys.version_info[:3]))
    if fits:
        return Finding("Python", "ok", found, needed=True)
    means = f"the pinned packages are for {first} and later, before {new}"
    mend = f"install Python {first} and make the environment with it: make env"
    return Finding("Python", "missing", found, means, mend, needed=True)


def sqlite() -> Finding:
    """The SQLite that executes gold and answers: verdicts hang on it."""
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= ALL_JOINS:
        return Finding("SQLite", "ok", version, needed=True)
    means = "answers with RIGHT or FULL JOIN fail as errors of syntax here, and count as wrong"
    mend = "use a Python that brings SQLite 3.39 or later"
    return Finding("SQLite", "note", version, means, mend, needed=True)


def processors() -> Finding:
    """How many processors this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Finding("processors", "ok", str(count), f"snakemake --cores {count}")


def memory() -> Finding:
    """Memory that is free, within the container's limit where there is one."""
    free = free_memory()
    if free is None:
        return Finding("memory", "note", "not known", "this system does not tell it")
    if free >= NEEDED_MEMORY:
        return Finding("memory", "ok", f"{free / GIB:.1f} GiB free", needed=True)
    means = f"make report takes {NEEDED_MEMORY / GIB:.0f} GiB with three trainings side by side"
    mend = "train one variant at a time: make report CORES=1"
    return Finding("memory", "note", f"{free / GIB:.1f} GiB free", means, mend, needed=True)


def free_memory() -> int | None:
    """Bytes that can be had without swapping; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except OSError:
        return free
    return free if limit == "max" else min(free, int(limit) - used)


def disk(folder: Path) -> Finding:
    """Room where a run would write."""
    free = shutil.disk_usage(folder).free
    found = f"{free / GIB:.1f} GiB free in {folder}"
    if free >= NEEDED_DISK:
        return Finding("disk", "ok", found, needed=True)
    means = f"environment and demonstration take {NEEDED_DISK / GIB:.0f} GiB"
    return Finding("disk", "missing", found, means, "free some, or use another disk", needed=True)


def gpus() -> Finding:
    """The GPUs that a run would lease."""
    try:
        devices = usable_devices(installed_devices())
    except InputError as error:
        return Finding("GPUs", "missing", "not known", str(error))
    if not devices:
        means = "the toy trains on the CPU; a model of more than some 10 million parameters would take days"
        return Finding("GPUs", "note", "none", means)
    found = ", ".join(f"{device.id}: {device.model}" for device in devices)
    return Finding("GPUs", "ok", found, "--workflow-profile profiles/gpu")


def fonts() -> Finding:
    """Fonts for names in scripts that matplotlib's own font lacks."""
    try:
        from sqladder.report.charts.drawing import FALLBACK_FONTS, font_families
    except ModuleNotFoundError as error:
        means = f"without {error.name} no chart is drawn"
        return Finding("fonts", "missing", "not known", means, "make env")
    here = [name for name in font_families() if name in FALLBACK_FONTS]
    if here:
        return Finding("fonts", "ok", ", ".join(here))
    means = "names in Chinese, Japanese, Arabic or Hindi are boxes in PNG charts; SVG and the page show them"
    mend = "install Noto Sans CJK (Debian: fonts-noto-cjk), or leave the PNG files alone"
    return Finding("fonts", "note", "matplotlib's own alone", means, mend)


def hub(url: str) -> Finding:
    """Whether the hub, from which models and data come, can be reached."""
    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        mend = "unset HF_HUB_OFFLINE"
        return Finding("hub", "note", "HF_HUB_OFFLINE is set", "nothing is downloaded", mend)
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)
    try:
        with socket.create_connection((host, port), timeout=SECONDS):
            return Finding("hub", "ok", f"{host} answers")
    except OSError as error:
        means = "downloads: of the config fail; the demonstration needs none"
        mend = "name local folders (base_model.path, downloads.<name>.folder), or a mirror as HF_ENDPOINT"
        return Finding("hub", "note", f"{host}: {error.strerror or error}", means, mend)
