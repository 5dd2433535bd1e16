"""One run at a time in a folder, by a lock that a killed run cannot leave behind."""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from sqladder.errors import InputError


def take_lock(path: Path) -> TextIO:
    """Lock a file for as long as the returned handle is open; the kernel releases it when the process dies.

    Raises:
        InputError: another process holds the lock; the message names its id.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.seek(0)
        holder = handle.read().strip() or "unknown"
        handle.close()
        raise InputError(
            f"process {holder} is running this workflow in {path.parent.parent}; wait for it, or use another folder"
        ) from error
    handle.truncate(0)
    handle.write(f"{os.getpid()}\n")
    handle.flush()
    return handle
