"""The paths that a config's entries name: a file or folder, a part of a download, or the URL of a database."""

import os
from pathlib import Path

from sqladder.databases.urls import is_url


def download_of(value: str) -> str:
    """Name the download that a path lies in, "" if it lies in none."""
    parts = Path(value).parts
    return parts[2] if parts[:2] == ("resources", "downloads") and len(parts) > 2 else ""


def is_on_disk(value: str) -> bool:
    """Whether a config entry names a file or folder that has to be there before the run."""
    return bool(value) and not download_of(value) and not is_url(input_path(value))


def needed_file(value: str) -> str | list[str]:
    """What a job that reads a config entry depends on: a file, the download that it lies in, or nothing."""
    if is_url(input_path(value)):
        return []
    name = download_of(value)
    return f"resources/downloads/{name}" if name else input_path(value)


def input_path(value: str) -> str:
    """The path that a config entry means, environment variables filled in."""
    return os.path.expandvars(value)
