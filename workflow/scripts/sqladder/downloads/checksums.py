"""SHA-256 of downloads: compared with what the config pins, or else with what the first download recorded.

A record is a small JSON file meant to be committed: `config/checksums/<download>.json`. It makes the second download,
on whichever machine, the same as the first.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqladder.errors import InputError
from sqladder.files import read_json, sha256_of, write_json

Entries = dict[str, dict[str, Any]]


def record_of(download: str) -> Path:
    """Where the record of a download lies."""
    return Path(f"config/checksums/{download}.json")


def read_record(path: Path) -> dict[str, Any]:
    """Read a record; without one, everything about the download is unknown."""
    return read_json(path) if path.is_file() else {"files": {}}


def check_files(files: Mapping[str, Path], pinned: Mapping[str, str], record_path: Path) -> Entries:
    """Compare files with their pins and with their record.

    Args:
        files: name in the source -> the file.
        pinned: name -> SHA-256 that the config demands.
        record_path: the record; a file that it does not name is new to it.

    Returns:
        What a record says of the files.

    Raises:
        InputError: a file is not what it should be.
    """
    recorded = {name: e["sha256"] for name, e in read_record(record_path)["files"].items()}
    entries = {}
    for name, path in files.items():
        found = sha256_of(path)
        for expected, where in (
            (pinned.get(name), "the config"),
            (recorded.get(name), str(record_path)),
        ):
            if expected and expected != found:
                raise InputError(_mismatch(name, path, found, expected, where))
        entries[name] = {"sha256": found, "bytes": path.stat().st_size}
    return entries


def write_record(record_path: Path, entries: Entries, facts: Mapping[str, Any]) -> None:
    """Add files and facts of their source to the record; one that says so already is left alone."""
    record = read_record(record_path)
    new = {**record, **facts, "files": {**record["files"], **entries}}
    if new != record:
        write_json(record_path, new)


def _mismatch(name: str, path: Path, found: str, expected: str, where: str) -> str:
    return (
        f"{name} has the SHA-256 {found} ({path.stat().st_size} bytes), but {where} says {expected}: the source has "
        "changed or sent something else. If the new file is the one you want, change or remove that checksum"
    )
