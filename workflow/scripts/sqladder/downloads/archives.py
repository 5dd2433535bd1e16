"""Unpack archives from outside: whole or not at all, and never a file anywhere but in the folder meant for them."""

import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from sqladder.errors import InputError

_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2")


def is_archive(path: Path) -> bool:
    """Whether a file's name is that of an archive that `unpack` knows."""
    return path.name.lower().endswith((".zip", *_TAR_SUFFIXES))


def unpack(archive: Path, folder: Path) -> int:
    """Unpack a zip or tar archive into a folder that is not there yet.

    Returns:
        Number of files.

    Raises:
        InputError: the archive is damaged, does not fit on the disk, or a member climbs out of the folder, is no plain
            file or folder, or unpacks to more than it holds; the folder is not there then.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        if archive.name.lower().endswith(".zip"):
            _unpack_zip(archive, partial)
        else:
            _unpack_tar(archive, partial)
        partial.rename(folder)
    except (
        *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError),
        *(NotImplementedError, OSError, RuntimeError),
    ) as error:
        raise InputError(
            f"{archive.name} cannot be unpacked: {error}; nothing of it was kept"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return sum(path.is_file() for path in folder.rglob("*"))


def _unpack_tar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        # One after the other: a list of all members would need a second reading of a compressed file.
        for member in tar:
            # A link takes no room here and a file's own in each copy; of a sparse file the archive holds only a part.
            if not (member.isreg() or member.isdir()) or member.issparse():
                kind = "a sparse file" if member.issparse() else "a link or device"
                raise InputError(
                    f"{archive.name} cannot be unpacked: its member {member.name!r} is {kind}; unpack it yourself, "
                    "look at it, and name the folder"
                )
            _check_room(archive, member.size, folder)
            tar.extract(member, folder, filter="data")


def _check_room(archive: Path, needed: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"{archive.name} holds {needed / 1e9:.3f} GB unpacked, but only {free / 1e9:.3f} GB are free"
        )


def _unpack_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        members = file.infolist()
        _check_room(archive, sum(member.file_size for member in members), folder)
        for member in members:
            _check_member(archive, member)
        # zipfile itself compares each member's checksum and stops at its stated size.
        file.extractall(folder)


def _check_member(archive: Path, member: zipfile.ZipInfo) -> None:
    # A Windows archive may hold backslashes; a drive letter makes a path absolute there.
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]):
        raise InputError(
            f"{archive.name} cannot be unpacked: its member {member.filename!r} would climb out of the folder"
        )
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InputError(
            f"{archive.name} cannot be unpacked: its member {member.filename!r} is a link or device"
        )
