"""One run at a time in a folder, by a lock that a killed run cannot leave behind."""

import os
from pathlib import Path
from typing import TextIO

from sqladder.errors import InputError
from sqladder.processes.locks import sign, signature, try_lock


def take_lock(path: Path) -> TextIO:
    """Lock a file for as long as the returned handle is open; the kernel releases it when the process dies.

    Raises:
        InputError: another process holds the lock; the message names its id.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.open("a+", encoding="utf-8")
    if not try_lock(handle):
        holder = signature(handle) or "unknown"
        handle.close()
        folder = path.resolve().parent.parent
        raise InputError(
            f"process {holder} is running this workflow in {folder}; wait for it, or use another folder"
        )
    sign(handle, str(os.getpid()))
    return handle
