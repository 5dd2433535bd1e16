"""Locks on files (flock): held while the file is open in a process, and gone with it, however it ends."""

import fcntl
from typing import TextIO


def try_lock(file: TextIO) -> bool:
    """Whether the file is locked for its holder alone now; False, without waiting, where another process holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sign(file: TextIO, holder: str) -> None:
    """Write who holds the lock into its file, for those who wait or are refused."""
    file.truncate(0)
    file.write(f"{holder}\n")
    file.flush()


def signature(file: TextIO) -> str:
    """Who holds the lock, as `sign` wrote it; "" if nobody has signed yet."""
    file.seek(0)
    return file.read().strip()
