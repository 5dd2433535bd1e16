"""What made a run: commit, config, seeds, versions, checksums, machine and times."""

import csv
import hashlib
import os
import platform
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from sqladder.errors import InputError
from sqladder.files import Fields, read_object, sha256_of

FACTS_FIELDS: Fields = {
    **dict.fromkeys(("config", "seeds", "versions", "data", "disk_bytes", "hardware"), dict),
    "commit": str | None,
    "modified": bool,
    "written": str,
    "times": list,
}
"""What every facts.json has."""

PACKAGES = ("matplotlib", "numpy", "scipy", "snakemake", "sqlglot")
"""Packages of the report and of the workflow; other stages record those that they used themselves."""


SAMPLED_FROM = 1.0
"""Seconds from which a job's samples are of its program: Snakemake looks at the shell first, then every half second."""


def git_state(folder: Path) -> tuple[str | None, bool]:
    """The commit of a folder and whether tracked files differ from it; (None, False) without git."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return None, False
    return commit, bool(changed)


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def find_seeds(config: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every `seed` or `seeds` key of a config with its path, in the order of the config."""
    if not isinstance(config, dict):
        return
    for key, value in config.items():
        here = f"{path}.{key}" if path else str(key)
        if key in ("seed", "seeds"):
            yield here, value
        else:
            yield from find_seeds(value, here)


def package_versions() -> dict[str, str]:
    """Versions of Python, of the SQLite that it holds, and of the installed packages among `PACKAGES`."""
    versions = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def checksum(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files with their names, in order of name."""
    if not path.exists():
        raise InputError(f"{path} does not exist: name files of this run")
    if path.is_file():
        return sha256_of(path)
    total = hashlib.sha256()
    for inside in sorted(item for item in path.rglob("*") if item.is_file()):
        total.update(f"{inside.relative_to(path).as_posix()}\0{checksum(inside)}\n".encode())
    return total.hexdigest()


def license_of(model: Path) -> str | None:
    """The license that a checkpoint's own card names in its metadata, README.md; None where it names none.

    A license without an identifier on the hub has a name of its own there: `license: other`, `license_name`.
    """
    card = model / "README.md"
    text = card.read_text(errors="replace") if card.is_file() else ""
    parts = text.split("---\n")
    if len(parts) < 3 or parts[0].strip():
        return None
    try:
        about = yaml.safe_load(parts[1])
    except yaml.YAMLError:
        return None
    named = about if isinstance(about, dict) else {}
    found = named.get("license")
    own = named.get("license_name") if found == "other" else found
    return own if isinstance(own, str) else None


def fetched_commits(records: Sequence[Path]) -> dict[str, dict[str, str]]:
    """Repository, asked-for revision and commit of each download by its record; what was not fetched has none."""
    keys = ("repository", "requested", "commit")
    found = {path.stem: read_object(path) for path in records if path.is_file()}
    return {name: {key: row[key] for key in keys if key in row} for name, row in found.items()}


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(item.stat().st_size for item in folder.rglob("*") if item.is_file())


def hardware() -> dict[str, Any]:
    """Processor, cores, memory and operating system of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    """The processor's name: Linux tells it in /proc only."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def read_benchmark(path: Path) -> dict[str, Any]:
    """One job of benchmarks/<rule>/<job>.tsv, or <rule>.tsv for a rule of one job; a job may have a folder.

    Returns:
        rule, name, seconds, cpu_seconds and peak_rss_mb; what Snakemake could not measure, as of
        a job too short for a sample of its program, is None.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    if not rows or "s" not in rows[-1]:
        raise InputError(f"{path} is no Snakemake benchmark: it lacks the column 's' or a row")
    parts = path.with_suffix("").parts
    rule, *name = parts[parts.index("benchmarks") + 1 :]
    taken = float(rows[-1]["s"])
    samples = rows[-1] if taken >= SAMPLED_FROM else {}
    return {
        "rule": rule,
        "name": "/".join(name),
        "seconds": taken,
        "cpu_seconds": _measured(samples.get("cpu_time")),
        "peak_rss_mb": _measured(samples.get("max_rss")),
    }


def _measured(text: str | None) -> float | None:
    return None if text in (None, "", "-", "NA") else float(text)
