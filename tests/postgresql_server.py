"""A PostgreSQL server of its own for tests, made from the system's binaries."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def _binary(name: str) -> str:
    """Find a server program; Debian keeps them off the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(debian[-1]) if debian else None)
    if not found:
        pytest.skip(f"PostgreSQL's {name} is not installed (Debian: apt install postgresql)")
    return found


def _unprivileged() -> tuple[list[str], str | None]:
    """The words that run a program without root's rights, which the server refuses, and the user."""
    if os.geteuid() != 0:
        return [], None
    names = {user.pw_name for user in pwd.getpwall()}
    user = "postgres" if "postgres" in names else "nobody"
    if not shutil.which("runuser"):
        pytest.skip(
            "PostgreSQL does not run as root, and runuser, which changes the user, is missing"
        )
    return ["runuser", "-u", user, "--"], user


@contextlib.contextmanager
def postgresql_server() -> Iterator[str]:
    """Run a server that listens on a socket in its own folder only; gives the superuser's URL."""
    initdb, pg_ctl = _binary("initdb"), _binary("pg_ctl")
    as_user, user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="sqladder-pg-", dir="/tmp"))
    if user:
        shutil.chown(folder, user)
    data, log = folder / "data", folder / "log"
    quiet = {"check": True, "cwd": folder, "stdout": subprocess.DEVNULL}
    subprocess.run([*as_user, initdb, "-D", data, "-U", "owner", "-A", "trust"], **quiet)
    options = f"-k {folder} -c listen_addresses= -c fsync=off"
    control = [*as_user, pg_ctl, "-D", data, "-l", log, "-w"]
    try:
        subprocess.run([*control, "-o", options, "start"], **quiet)
        yield f"postgresql://owner@/postgres?host={folder}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **{**quiet, "check": False})
        shutil.rmtree(folder, ignore_errors=True)
