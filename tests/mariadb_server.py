"""A MariaDB server of its own for tests, made from the system's binaries."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_SECONDS = 60


def _binary(name: str) -> str:
    """Find a server program; Debian keeps some off the path."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    if not found:
        pytest.skip(f"MariaDB's {name} is not installed (Debian: apt install mariadb-server)")
    return found


def _user() -> str | None:
    """The user whose rights the server takes, where root starts it."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name for user in pwd.getpwall()}
    return "mysql" if "mysql" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def mariadb_server() -> Iterator[str]:
    """Run a server that listens on the loopback only; gives the administrator's URL, without database."""
    install, server = _binary("mariadb-install-db"), _binary("mariadbd")
    user, port = _user(), _free_port()
    folder = Path(tempfile.mkdtemp(prefix="sqladder-maria-", dir="/tmp"))
    if user:
        shutil.chown(folder, user)
    as_user = [f"--user={user}"] if user else []
    # Executed at the start, a statement a line.
    init = folder / "init.sql"
    init.write_text(
        "CREATE USER owner@'127.0.0.1';\nGRANT ALL ON *.* TO owner@'127.0.0.1' WITH GRANT OPTION;\n"
    )
    data, quiet = folder / "data", {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [install, "--no-defaults", f"--datadir={data}", "--skip-test-db", *as_user]
    subprocess.run([*command, "--auth-root-authentication-method=normal"], check=True, **quiet)
    options = [f"--datadir={data}", f"--socket={folder / 'socket'}", f"--init-file={init}"]
    options += [
        f"--port={port}",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--innodb-flush-log-at-trx-commit=0",
    ]
    process = subprocess.Popen([server, "--no-defaults", *options, *as_user], **quiet)
    try:
        _wait(process, port)
        yield f"mysql://owner@127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"the MariaDB server does not answer on port {port}")
