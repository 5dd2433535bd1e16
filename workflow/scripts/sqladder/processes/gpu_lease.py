"""Leases of GPUs: who may use which device of this machine, kept by file locks that die with their holder.

Every request is a file of its own in one folder for all users and all clones of the workflow. Its process keeps the
file locked (flock), and so does every process that inherits the open file; when the last of them is gone, by `kill -9`
too, the kernel drops the lock, and the request counts for nothing. What a file says is read and written only under the
folder's mutex, so devices are given out all at once or not at all: no job holds some while it waits for others.

Requests are served in the order in which they came. One that has to wait keeps later ones from the devices that it may
use; else a job that needs four would wait for ever behind jobs that need one.
"""

import contextlib
import fcntl
import json
import os
import pwd
import time
from collections.abc import Iterator, Sequence, Set
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import NamedTuple

from sqladder.errors import LOG, InputError
from sqladder.processes.gpu_devices import Device
from sqladder.processes.locks import try_lock

# Not TMPDIR, which many machines set per user or per job: everybody has to meet here.
FOLDER = Path("/tmp/sqladder-gpus")
FOLDER_VARIABLE = "SQLADDER_GPU_LEASES"
SECONDS_BETWEEN_LOOKS = 0.5


@dataclass
class Request:
    """What a process asks for and what it holds; devices are named by UUID.

    Attributes:
        wanted: devices that it may use, the one that it would take first at the head.
        count: how many of them it needs.
        held: the devices that it has; none while it waits.
    """

    wanted: list[str]
    count: int
    user: str
    pid: int
    folder: str
    command: str
    since: str
    held: list[str] = field(default_factory=list)


class Claim(NamedTuple):
    """A request whose process, or a child of it, is alive, and its file."""

    path: Path
    request: Request


def lease(devices: Sequence[Device], count: int, command: Sequence[str]) -> list[Device]:
    """Wait for `count` of the devices and give them, in the order of `devices`.

    The lease lasts as long as this process or one that inherits its open files: they stay open over `exec`. It is the
    standard input too, the only file besides the output that Python's subprocess module and torchrun hand on, so that
    a rank that outlives its launcher keeps its device.
    """
    folder = _open_folder(Path(os.environ.get(FOLDER_VARIABLE) or FOLDER))
    wanted = [device.uuid for device in devices]
    request = Request(
        wanted=wanted,
        count=count,
        user=_user_name(),
        pid=os.getpid(),
        folder=str(Path.cwd()),
        command=" ".join(command),
        since=time.strftime("%Y-%m-%d %H:%M:%S"),
    )
    handle, path = _register(folder, request)
    started = time.monotonic()
    reported: list[str] = []
    while not (held := _try(folder, handle, path, request)):
        holders = _holders(folder, path, devices)
        if holders != reported:
            _log(f"waiting for {count} of the GPUs {_ids(devices)}:")
            for line in holders:
                _log(f"  {line}")
            reported = holders
        time.sleep(SECONDS_BETWEEN_LOOKS)
    leased = [device for device in devices if device.uuid in held]
    waited = f" after {time.monotonic() - started:.0f} s" if reported else ""
    _log(f"leased GPU {_ids(leased)}{waited}, until process {os.getpid()} and its children end")
    _hand_on(handle)
    return leased


def choose(wanted: Sequence[str], count: int, before: Sequence[Request]) -> list[str]:
    """Choose `count` devices that no request before this one holds or waits for; none if there are too few.

    Args:
        wanted: devices to choose from, the preferred ones first; `UUID/1`, `UUID/2` are shares of one, which is free as
            a whole only while none of them is held.
        count: how many are needed.
        before: all requests that hold devices, and the waiting ones that came earlier, in the order of their coming.
    """
    taken = {uuid for request in before for uuid in request.held}
    for request in before:
        if not request.held:
            # It looks again within the second and takes what it can get; if that is too little, it is next in line.
            free = [uuid for uuid in request.wanted if _is_free(uuid, taken)]
            taken.update(free[: request.count] if len(free) >= request.count else free)
    free = [uuid for uuid in wanted if _is_free(uuid, taken)]
    return free[:count] if len(free) >= count else []


def _is_free(uuid: str, taken: Set[str]) -> bool:
    card = _card(uuid)
    if uuid != card:
        return uuid not in taken and card not in taken
    return card not in map(_card, taken)


def _card(uuid: str) -> str:
    return uuid.partition("/")[0]


def _open_folder(folder: Path) -> Path:
    """Make the folder, for all users: everybody may add files, nobody may remove those of others."""
    try:
        folder.mkdir()
        folder.chmod(0o1777)
    except FileExistsError:
        if folder.is_symlink() or not folder.is_dir():
            raise InputError(f"{folder} is no folder: GPU leases lie there; remove it") from None
    except OSError as error:
        raise InputError(
            f"cannot make {folder}, where GPU leases lie ({error.strerror}): "
            f"name another folder, one for all users, by {FOLDER_VARIABLE}"
        ) from error
    # Left open and locked: systemd-tmpfiles, which removes old files, leaves a locked folder alone.
    folder_handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(folder_handle, fcntl.LOCK_SH)
    os.set_inheritable(folder_handle, True)
    return folder


@contextlib.contextmanager
def _mutex(folder: Path) -> Iterator[None]:
    handle = _open_shared(folder / "mutex")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _open_shared(path: Path) -> int:
    """Open a file that every user may lock, and make it if it is not there.

    Linux may refuse O_CREAT on the file of another user in such a folder (fs.protected_regular), so opening comes first
    and without it.
    """
    while True:
        try:
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CREAT | os.O_EXCL)
                os.fchmod(handle, 0o666)
                return handle


def _register(folder: Path, request: Request) -> tuple[int, Path]:
    """Add a request to the queue; the order of names is the order of coming."""
    with _mutex(folder):
        path = folder / f"{time.time_ns():020d}-{request.pid}.json"
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CREAT | os.O_EXCL)
        os.fchmod(handle, 0o644)
        fcntl.flock(handle, fcntl.LOCK_EX)
        _write(handle, request)
    return handle, path


def _write(handle: int, request: Request) -> None:
    text = json.dumps(asdict(request)).encode()
    os.pwrite(handle, text, 0)
    os.ftruncate(handle, len(text))


def _try(folder: Path, handle: int, path: Path, request: Request) -> list[str]:
    with _mutex(folder):
        before = [
            claim.request
            for claim in _claims(folder)
            if claim.path != path and (claim.request.held or claim.path.name < path.name)
        ]
        request.held = choose(request.wanted, request.count, before)
        if request.held:
            _write(handle, request)
    return request.held


def _claims(folder: Path) -> list[Claim]:
    """Read the requests of the living, the oldest first; those of the dead are removed, where we may."""
    claims = []
    for path in sorted(folder.glob("*.json")):
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        with os.fdopen(handle, encoding="utf-8") as file:
            if not try_lock(file):
                claims.append(Claim(path, _request(file.read(), path)))
                continue
            with contextlib.suppress(PermissionError):
                path.unlink()
    return claims


def _request(text: str, path: Path) -> Request:
    """The request that a file holds; what another version of the program says beyond it is left aside."""
    try:
        said = json.loads(text)
        return Request(**{each.name: said[each.name] for each in fields(Request)})
    except (ValueError, LookupError, TypeError) as error:
        # Nobody knows which devices it means, so none may be taken.
        raise InputError(
            f"{path}, a GPU lease in use, was written by another version of SQLadder: wait until its process ends "
            f"(fuser {path} names it), or run that version"
        ) from error


def _holders(folder: Path, own: Path, devices: Sequence[Device]) -> list[str]:
    """Say who has the devices, and who waits for them before us."""
    ids = {_card(device.uuid): device.id for device in devices}
    with _mutex(folder):
        claims = _claims(folder)
    lines = []
    for path, request in claims:
        named = ",".join(ids[card] for card in map(_card, request.held) if card in ids)
        if named:
            lines.append(f"GPU {named} is held by {_describe(path, request)}")
        elif (
            path.name < own.name
            and not request.held
            and ids.keys() & set(map(_card, request.wanted))
        ):
            lines.append(f"{request.count} GPU(s) are first for {_describe(path, request)}")
    return lines


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container that runs as a number
        return f"uid {os.getuid()}"


def _describe(path: Path, request: Request) -> str:
    who = f"process {request.pid} of {request.user} since {request.since}"
    # A process in another container has no entry here either.
    if not Path(f"/proc/{request.pid}").exists():
        who += f", which is gone or not to be seen from here (fuser {path} lists what it left)"
    return f"{who}, in {request.folder}: {request.command}"


def _hand_on(handle: int) -> None:
    os.set_inheritable(handle, True)
    # A program that reads its standard input finds it at its end.
    os.lseek(handle, 0, os.SEEK_END)
    os.dup2(handle, 0)


def _ids(devices: Sequence[Device]) -> str:
    return ",".join(device.id for device in devices)


def _log(line: str) -> None:
    LOG.info(f"lease_gpus: {line}")
